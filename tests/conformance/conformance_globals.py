"""`Echo`: what the cases ask of a host beside llmspell's own globals."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LLMSpellError, ToolError
from llmspell_core.script.api import (
    Result,
    ScriptFunction,
    ScriptGlobal,
    ScriptObject,
    script_method,
)
from llmspell_core.script.model import ScriptModel

KINDS = {
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    type(None): "null",
}
#: What `Echo.given` gives.
GIVEN: dict[str, Any] = {
    "integer": 7,
    "float": 1.5,
    "whole float": 2.0,
    "largest": 2**63 - 1,
    "smallest": -(2**63),
    "beyond doubles": 2**53 + 1,
    "negative zero": -0.0,
    "null": None,
    "list with null": [1, None, 3],
    "map with null": {"a": None, "b": 1},
    "empty list": [],
    "empty map": {},
    "empty inside": {"list": [], "map": {}},
    "list": ["a", "b", "c"],
    "map": {"b": 2, "a": 1},
    "nested": {"rows": [{"n": 1}, {"n": 2}], "deep": {"er": {"est": True}}},
    "text": "grüße 😀 \0 end",
    "bytes": bytes([0, 255, 65]),
    "text as bytes": b"plain",
    "date": datetime(2026, 11, 25, 12, 30, tzinfo=UTC),
    "marker": {"$f": 1},
    "marker of bytes": {"$b": "AP8="},
    "markers inside": {"$": {"$": None}, "": {"$": {"$": [1]}}, "$b": {"$": '}"', "$$": {}}},
    "digits": {"1": "a", "2": "b"},
    "odd keys": {"": 1, "a b": 2, "é": 3, "__proto__": 4},
    "result": Result({"user_name": "ada", "tool_calls": [1, 2]}),
    "result via": Result({"success": True, "result": {"city": "Oslo", "success": 5}}, "result"),
    "shown": Result({"name": "calculator", "category": "util"}, prints="name"),
    "error": {"error": LLMSpellError("it broke", code="echo.broke", hint="mend it")},
}


class EchoOptions(ScriptModel):
    """A declared table."""

    aliases: ClassVar[dict[str, str]] = {"patience": "timeout_ms"}

    timeout_ms: int | None = None
    system_prompt: str = ""
    mode: Literal["fast", "slow"] = "fast"
    names: list[str] = Field(default_factory=list)
    settings: dict[str, Any] | None = None
    on_done: ScriptFunction | None = None


class Lamp(ScriptObject):
    """A lamp."""

    type_name = "lamp"

    def __init__(self, name: str) -> None:
        self.name = name
        self.lit = False

    def script_fields(self) -> dict[str, Any]:
        return {"id": f"lamp-{self.name}", "name": self.name, "max_watts": 5}

    @script_method(aliases=("light",))
    def switch_on(self) -> str:
        """Light it."""
        self.lit = True
        return f"{self.name} shines"

    @script_method
    async def is_lit(self) -> bool:
        """Whether it shines."""
        await asyncio.sleep(0)
        return self.lit

    @script_method
    def same(self, other: Any) -> bool:
        """Whether this is the same lamp."""
        return self is other


class Counter(ScriptObject):
    """Counts to a number."""

    type_name = "counter"
    iterate = "next"

    def __init__(self, stop: int) -> None:
        self._count = 0
        self._stop = stop

    def script_fields(self) -> dict[str, Any]:
        return {"id": "c", "name": "counter"}

    @script_method
    async def next(self) -> int | None:
        """The next number."""
        await asyncio.sleep(0)
        self._count += 1
        return self._count if self._count <= self._stop else None

    @script_method
    def close(self) -> None:
        """No more."""
        self._stop = 0


class EchoGlobal(ScriptGlobal):
    """Gives back what it gets, and says what it was."""

    name = "Echo"
    aliases = ("Echoes",)
    objects = (Lamp, Counter)

    def __init__(self, ctx: Any) -> None:
        super().__init__(ctx)
        self._lamps: dict[str, Lamp] = {}
        self._kept: ScriptFunction | None = None
        self._running = self._most = 0

    @script_method
    def value(self, value: Any = None) -> Any:
        """The value."""
        return value

    @script_method
    async def later(self, value: Any = None, ms: float = 1) -> Any:
        """The value, after a while."""
        self._running += 1
        self._most = max(self._most, self._running)
        try:
            await asyncio.sleep(ms / 1000)
        finally:
            self._running -= 1
        return value

    @script_method
    def most_at_once(self) -> int:
        """How many calls of `later` there were at the same time."""
        return self._most

    @script_method
    def values(self, *values: Any) -> list[Any]:
        """All the values."""
        return list(values)

    @script_method
    def kind_of(self, value: Any = None) -> str:
        """What the host sees."""
        return "function" if callable(value) else KINDS.get(type(value), type(value).__name__)

    @script_method
    def json(self, value: Any = None) -> str:
        """The value as the host writes it, keys sorted."""
        return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))

    @script_method
    def given(self, name: str) -> Any:
        """A value of the host's own."""
        return GIVEN[name]

    @script_method
    def declared(
        self, text: str, count: int = 1, options: EchoOptions | None = None
    ) -> dict[str, Any]:
        """Arguments of declared types."""
        found = options.model_dump(exclude_unset=True) if options else None
        return {"text": text, "count": count, "options": found}

    @script_method
    def table(self, value: dict[str, Any]) -> list[str]:
        """The keys of a table that is data."""
        return sorted(value)

    @script_method
    def flag(self, flag: bool, number: float = 0) -> list[Any]:
        """A boolean and a number."""
        return [flag, number]

    @script_method
    def fail(self, code: str = "echo.failed") -> None:
        """Throw."""
        raise ToolError(
            "the echo failed", code=code, hint="shout again", details={"n": 1}, retryable=True
        )

    @script_method
    async def fail_later(self, code: str = "echo.failed") -> None:
        """Throw, after a while."""
        await asyncio.sleep(0.001)
        self.fail(code)

    @script_method
    def lamp(self, name: str) -> Lamp:
        """The lamp of this name."""
        return self._lamps.setdefault(name, Lamp(name))

    @script_method
    def count(self, stop: int) -> Counter:
        """Something to loop over."""
        return Counter(stop)

    @script_method
    async def invoke(self, fn: ScriptFunction, *args: Any) -> Any:
        """Call a function."""
        return await fn(*args)

    @script_method
    async def at_once(self, fn: ScriptFunction, count: int) -> list[Any]:
        """Call a function with 1 to `count`, together."""
        return list(await asyncio.gather(*(fn(n) for n in range(1, count + 1))))

    @script_method
    async def within(self, fn: ScriptFunction, ms: float) -> Any:
        """Call a function, but not for long."""
        try:
            async with asyncio.timeout(ms / 1000):
                return await fn()
        except TimeoutError:
            return "timed out"

    @script_method
    def keep(self, fn: ScriptFunction | None = None) -> None:
        """Keep a function for `call_kept`."""
        self._kept = fn

    @script_method
    async def call_kept(self, *args: Any) -> Any:
        """Call the function that was kept."""
        return await self._kept(*args) if self._kept else None

"""`Guardrail`: a check of what goes into an agent, comes out of it, and passes through its tools.

A plugin adds one by an entry point of the group ``llmspell.guardrails``, whose name is what
configurations call it and whose value is the class::

    class NoShouting(Guardrail):
        name = "no_shouting"

        async def check(self, value: Any, ctx: GuardContext) -> Verdict:
            return Verdict.retry("do not shout") if str(value).isupper() else Verdict.passed()
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from llmspell_core.script.api import Result
from llmspell_core.script.model import ScriptModel

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: Where a guardrail stands; the values are the fields of `guardrails`.
Place = Literal["input", "output", "tool_input", "tool_output"]
PLACES: tuple[Place, ...] = get_args(Place)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guardrail decided: `pass`, `rewrite` to a value, `block`, or `retry`."""

    kind: Literal["pass", "rewrite", "block", "retry"] = "pass"
    #: What stands for the value that was checked, of `rewrite`.
    value: Any = None
    #: Why it is blocked, or what the model is told to do better.
    message: str = ""

    @classmethod
    def passed(cls) -> Verdict:
        """Nothing is wrong with it."""
        return cls()

    @classmethod
    def rewrite(cls, value: Any, why: str = "") -> Verdict:
        """Go on with another value."""
        return cls("rewrite", value, why)

    @classmethod
    def block(cls, why: str) -> Verdict:
        """End the run with `agent.guardrail_blocked`. The reason is shown: no secrets in it."""
        return cls("block", None, why)

    @classmethod
    def retry(cls, message: str) -> Verdict:
        """Tell the model what to do better."""
        return cls("retry", None, message)


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What a guardrail knows of the moment.

    `agent` is whose guardrail it is and `tool` the tool that is called; `data` is the structured
    value beside a text (a tool's result); `attempt` counts how often the model was sent back.
    """

    place: Place
    guardrail: str
    agent: str
    run: ExecutionContext
    tool: str = ""
    data: Any = None
    attempt: int = 0

    def to_script(self) -> Result:
        """For scripts: absent fields left out."""
        fields = {
            "place": self.place,
            "guardrail": self.guardrail,
            "agent": self.agent,
            "tool": self.tool or None,
            "data": self.data,
            "attempt": self.attempt,
            "run_id": self.run.run_id,
            "correlation_id": self.run.correlation_id,
            "path": [*self.run.path],
        }
        return Result({name: value for name, value in fields.items() if value is not None})


class GuardOptions(ScriptModel):
    """The options of a guardrail that has none; others declare a subclass of `ScriptModel`."""


class Guardrail(ABC):
    """One check. `check` must not change the value; whatever it raises blocks.

    Args:
        options: what the configuration sets, an instance of the class's `Options`
    """

    name: ClassVar[str] = ""
    #: Its options, declared and checked like every table of a script.
    Options: ClassVar[type[ScriptModel]] = GuardOptions
    #: Where it may stand.
    places: ClassVar[tuple[Place, ...]] = PLACES

    def __init__(self, options: Any = None) -> None:
        self.options: Any = self.Options.model_validate({}) if options is None else options

    @abstractmethod
    async def check(self, value: Any, ctx: GuardContext) -> Verdict:
        """Judge a value: a text, or JSON-like data where the place has such."""


def map_texts(value: Any, change: Callable[[str], str], _depth: int = 0) -> Any:
    """JSON-like data with each of its texts, keys among them, changed; numbers too when they are.

    The same object when nothing changed. Deeper than 64 levels nothing is let through.
    """
    if isinstance(value, str):
        return change(value)
    if _depth > _DEEPEST:
        return "[too deep]"
    if isinstance(value, dict):
        made = {
            change(key) if isinstance(key, str) else key: map_texts(inner, change, _depth + 1)
            for key, inner in value.items()
        }
        return value if made == value else made
    if isinstance(value, (list, tuple)):
        parts = [map_texts(inner, change, _depth + 1) for inner in value]
        return value if parts == [*value] else parts
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value) if abs(value) < _LARGEST else "[too large]"
        changed = change(text)
        return value if changed == text and text[0] != "[" else changed
    return value


_DEEPEST = 64
_LARGEST = 10**100

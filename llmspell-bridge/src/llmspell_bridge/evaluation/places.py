"""`Places`: where what is evaluated runs, and what judges it: a runtime, and one an engine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from llmspell_bridge.engines import ScriptSource, engine_name, load_engine, read_source
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.account import Account
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime

if TYPE_CHECKING:
    from llmspell_bridge.result import ScriptResult
    from llmspell_bridge.session import HostSession
    from llmspell_core.approval import Approver
    from llmspell_core.config.sources import Loaded
    from llmspell_core.context import ExecutionContext


class Places:
    """Opens what an evaluation needs, and closes it. Use it as an async context manager.

    Args:
        loaded: the settings
        folder: of the suite: its files are named from there
        files: may be read whatever the profile says, since who runs the suite named them
        approver: answers where a tool's call must be approved
    """

    def __init__(
        self,
        loaded: Loaded,
        folder: Path,
        *,
        files: list[str] | None = None,
        approver: Approver | None = None,
    ) -> None:
        self.folder = folder
        self._loaded = loaded
        self._approver = approver
        self._files = files or []
        self._stack = AsyncExitStack()
        self._engines: dict[str, ScriptRuntime] = {}
        self._opening = asyncio.Lock()
        self.runtime = Runtime(loaded, approver=approver)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.runtime)
        ctx = self.runtime.context(overlay=self.runtime.base.child())
        self._ctx = ctx.child(policy=ctx.policy.bound(readable=self._files))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def context(self) -> ExecutionContext:
        """A context with an account of its own; agents that were made are found by name."""
        import uuid

        return self._ctx.child(
            account=Account(), run_id=uuid.uuid4().hex, correlation_id=uuid.uuid4().hex
        )

    async def agent(self, spec: dict[str, Any]) -> Any:
        """An agent of these fields; a file that it extends is named from the suite's folder."""
        base = spec.get("extends")
        if isinstance(base, str) and (self.folder / base).is_file():
            spec = {**spec, "extends": str((self.folder / base).absolute())}
        return await self.context().create("agent", spec)

    async def script(self, path: Path, given: Any, timeout_ms: float) -> tuple[ScriptResult, str]:
        """Run a script: a text is its input and first argument, a table its named arguments."""
        source = read_source(path)
        runtime = await self._runtime(source)
        text = given if isinstance(given, str) else ""
        streams = CapturedStreams(text)
        result = await runtime.run(
            source,
            args=[text] if text else [],
            params=given if isinstance(given, dict) else None,
            streams=streams,
            timeout_ms=timeout_ms,
        )
        return result, streams.stdout

    async def call(self, path: Path, name: str, *arguments: Any) -> Any:
        """Call a function of those that a script returns, in a session of its own."""
        source = read_source(path)
        runtime = await self._runtime(source)
        call = _Call(source, name, arguments)
        empty = ScriptSource("", source.name, source.path)
        await runtime.run(empty, streams=CapturedStreams(), companion=call)
        return call.value

    async def _runtime(self, source: ScriptSource) -> ScriptRuntime:
        name = engine_name(source, None, self._loaded.settings.scripts.default_engine)
        async with self._opening:
            if name not in self._engines:
                load_engine(name)
                made = ScriptRuntime(self._loaded, engine=name, approver=self._approver)
                # One file, which one of them must not empty under the other.
                made.cassette = self.runtime.cassette
                self._engines[name] = await self._stack.enter_async_context(made)
            return self._engines[name]


class _Call:
    """The companion that runs a file of functions and calls one of them."""

    def __init__(self, source: ScriptSource, name: str, arguments: tuple[Any, ...]) -> None:
        self._source = source
        self._name = name
        self._arguments = arguments
        self._function: Any = None
        self.value: Any = None

    async def before(self, session: HostSession) -> None:
        found = await session.run(self._source.text, self._source.name, "script")
        names = [*found] if isinstance(found, dict) else []
        self._function = found.get(self._name) if isinstance(found, dict) else None
        if not callable(self._function):
            raise LLMSpellError(
                f"{self._source.name} returns no function {self._name}",
                code="evaluation.no_function",
                hint=f"it returns {', '.join(names)}" if names else "return {NAME = function}",
            )

    async def after(self, session: HostSession) -> None:
        self.value = await self._function(*self._arguments)

"""`ScriptRuntime`: a Runtime that runs scripts. It adds the phases ENGINE and GLOBALS.

    async with ScriptRuntime(settings, engine="lua") as runtime:
        result = await runtime.run(read_source(Path("spell.lua")), args=["a.txt"])

Each run has a session of its own: an overlay, a guest (in process or in a worker), a state
scope, an account. Under a profile that isolates scripts the first worker is started before the
host's own phases, so that both get ready at the same time.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_bridge.carrier import Carrier
from llmspell_bridge.engines import ScriptSource, load_engine
from llmspell_bridge.heap import HEAP
from llmspell_bridge.manifests import Manifest, compile_global, load_names
from llmspell_bridge.result import ScriptResult
from llmspell_bridge.run import Companion, ScriptRun
from llmspell_bridge.streams import Streams
from llmspell_core import lifecycle
from llmspell_core.account import Account
from llmspell_core.errors import ScriptError
from llmspell_core.lifecycle import Phase, RuntimeMode, SelectiveInit
from llmspell_core.runtime import PhaseObserver, Runtime

if TYPE_CHECKING:
    from llmspell_core.account import Limits
    from llmspell_core.approval import Approver
    from llmspell_core.config.settings import Settings
    from llmspell_core.config.sources import Loaded
    from llmspell_core.script.api import ScriptGlobal
    from llmspell_core.security.policy import Policy

#: Which globals a SelectiveInit without a component kind leaves out.
_NEEDS = {
    "Agent": "agents",
    "Provider": "providers",
    "Models": "providers",
    "Tool": "tools",
    "Workflow": "workflows",
}


class ScriptRuntime(Runtime):
    """A Runtime plus one engine. `run` may be called any number of times, also at once."""

    def __init__(
        self,
        settings: Loaded | Settings | dict[str, Any] | None = None,
        *,
        engine: str | None = None,
        mode: RuntimeMode = RuntimeMode.EMBEDDED,
        init: SelectiveInit = lifecycle.FULL,
        approver: Approver | None = None,
        on_phase: PhaseObserver | None = None,
        isolation: str | None = None,
    ) -> None:
        super().__init__(settings, mode=mode, init=init, approver=approver, on_phase=on_phase)
        self.engine_name = engine or self.settings.scripts.default_engine
        self._isolation = isolation
        self._carrier: Carrier | None = None
        self._runs: set[ScriptRun] = set()
        self.manifests: dict[str, Manifest] = {}
        self.own_globals: dict[str, type[ScriptGlobal]] = {}

    def phases(self) -> list[tuple[Phase, Callable[[], AbstractAsyncContextManager[None]]]]:
        return [
            *super().phases(),
            (Phase.ENGINE, self._engine),
            (Phase.GLOBALS, self._globals),
        ]

    async def __aenter__(self) -> ScriptRuntime:
        # A missing engine is known before anything is opened, and the worker starts meanwhile.
        carrier = Carrier(load_engine(self.engine_name), self.loaded, self._isolation)
        self._carrier = carrier
        carrier.prepare()
        try:
            await super().__aenter__()
        except BaseException:
            self._carrier = None
            carrier.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        carrier = self.carrier
        try:
            await super().__aexit__(*exc)
        finally:
            self._carrier = None
            carrier.close()
            HEAP.give_back(collect=True)

    def add_global(self, declared: type[ScriptGlobal]) -> None:
        """Show scripts a global of the embedding program, beside those of installed packages."""
        self.own_globals[declared.name] = declared
        if self.manifests:
            self.manifests[declared.name] = compile_global(declared)

    @property
    def carrier(self) -> Carrier:
        """How sessions of the engine are made."""
        if self._carrier is None:
            raise RuntimeError("the ScriptRuntime is not open")
        return self._carrier

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[None]:
        carrier = self.carrier
        carrier.check(self.policy.profile)
        try:
            yield
        finally:
            # Usually none: whoever closes a runtime has waited for its runs.
            for run in [*self._runs]:
                run.abort(ScriptError("the runtime was closed", code="script.ended"))
                await run.close()

    @asynccontextmanager
    async def _globals(self) -> AsyncIterator[None]:
        found = load_names()
        self.manifests = {
            name: manifest
            for name, manifest in found.items()
            if _NEEDS.get(name, name) in self.init.kinds or name not in _NEEDS
        }
        for declared in self.own_globals.values():
            self.manifests[declared.name] = compile_global(declared)
        yield
        self.manifests = {}

    async def run(
        self,
        source: ScriptSource,
        *,
        args: list[str] | None = None,
        params: dict[str, Any] | None = None,
        streams: Streams | None = None,
        mode: str = "script",
        timeout_ms: float | None = None,
        limits: Limits | None = None,
        companion: Companion | None = None,
    ) -> ScriptResult:
        """Run a script to its end, its tasks included.

        Args:
            source: the script
            args: what `args` has by position
            params: what `args` has by name
            streams: where its standard streams go; the process's own by default
            mode: ``script``, or ``eval`` for an expression
            timeout_ms: the whole run's deadline
            limits: the run's account
            companion: what works in the script's session before and after it

        Raises:
            ScriptError: what the script threw, or the limit that ended it
        """
        overlay = self.base.child()
        ctx = self.context(
            overlay=overlay,
            state_scope=self.state_scope(source.path),
            language=self.carrier.engine.info.language,
            account=Account(limits or self._run_limits()),
        )
        if timeout_ms:
            ctx.deadline = time.monotonic() + timeout_ms / 1000
        ctx.policy = self._policy_of(ctx.run_id, source, args or [])
        streams = streams or Streams()
        streams.bound(int(self.policy.profile.limits.output_mb * (1 << 20)))
        run = ScriptRun(self, ctx, source, streams, mode, companion=companion)
        self._runs.add(run)
        try:
            return await run.execute(_arguments(source, args or [], params or {}))
        finally:
            self._runs.discard(run)
            HEAP.soon(asyncio.get_running_loop())

    def _policy_of(self, run_id: str, source: ScriptSource, args: list[str]) -> Policy:
        """The run's own policy: files named as arguments may be read, the audit names the run."""
        # Not Path.exists, which raises for what can be no path.
        readable = [word for word in args if os.path.exists(word)]  # noqa: PTH110
        who = {"run": run_id, "script": source.name}
        if self.policy.audit.path is not None:
            import hashlib

            who["sha256"] = hashlib.sha256(source.text.encode("utf-8", "replace")).hexdigest()
        policy = self.policy.bound(readable=readable, **who)
        if (override := self.loaded.override) is not None:
            policy.audit.record("profile", override.pattern, "allow", override.reason)
        return policy

    def state_scope(self, path: Path | None) -> str:
        """`script:` and the script's path relative to the project; `script:repl` without one."""
        if path is None:
            return "script:repl"
        whole = path.resolve()
        if whole.is_relative_to(self.loaded.project):
            whole = whole.relative_to(self.loaded.project)
        return f"script:{whole.as_posix()}"

    def _run_limits(self) -> Limits | None:
        most = self.settings.default.max_cost_usd
        if not most:
            return None
        from llmspell_core.account import Limits

        return Limits(cost_usd=most)


def _arguments(source: ScriptSource, args: list[str], params: dict[str, Any]) -> dict[str, Any]:
    return {"positional": args, "named": params, "script": source.name}


def random_seed() -> str:
    """A seed for a session's random numbers: workers cannot be trusted to make their own."""
    return os.urandom(16).hex()

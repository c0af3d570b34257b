"""One run of a script: its session, hooks, events, limits and end."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

from llmspell_bridge.calls import MAX_OPEN, SessionLimits
from llmspell_bridge.globals.internal import GatedFiles, StandardInput, Timers
from llmspell_bridge.globals.modules import Modules
from llmspell_bridge.hints import add_hint
from llmspell_bridge.invocations import UNWIND_S
from llmspell_bridge.limits import WallClock
from llmspell_bridge.result import ScriptResult, plain
from llmspell_bridge.session import HostSession
from llmspell_core.errors import Cancelled, DeadlineError, HookError, LLMSpellError, ScriptError
from llmspell_core.extensions import Extensions
from llmspell_core.hooks import HookContext

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.manifests import Manifest
    from llmspell_bridge.modules.loader import ModuleLoader
    from llmspell_bridge.runtime import ScriptRuntime
    from llmspell_bridge.streams import Streams
    from llmspell_core.context import ExecutionContext
    from llmspell_core.security.profile import SecurityProfile

log = logging.getLogger("llmspell.script")

#: How long the `after_script` hooks may take together, in seconds.
AFTER_S = 5


class Companion(Protocol):
    """Works in a script's session beside the script, under the same limits (`llmspell test`)."""

    async def before(self, session: HostSession) -> None:
        """The engine is ready, and nothing of the script has run."""
        ...

    async def after(self, session: HostSession) -> None:
        """The script has come to its end, its tasks included; the engine still lives."""
        ...


class ScriptRun:
    """Runs one script and reports it; made and used once."""

    def __init__(
        self,
        runtime: ScriptRuntime,
        ctx: ExecutionContext,
        source: ScriptSource,
        streams: Streams,
        mode: str,
        *,
        companion: Companion | None = None,
    ) -> None:
        self._companion = companion
        self._runtime = runtime
        self._ctx = ctx
        self._source = source
        self._mode = mode
        self._task = asyncio.current_task()
        self._cancelled_at = 0.0
        self._files = GatedFiles(ctx)
        self._wall = WallClock(ctx.policy.profile.limits.wall_s, self._wall_limit)
        self._session = HostSession(
            ctx,
            streams,
            allowed=frozenset(runtime.manifests),
            internal={
                "Async": Timers,
                "stdin": lambda made_for: StandardInput(made_for, streams),
                "io": lambda _: self._files,
                "modules": lambda made_for: Modules(made_for, self._modules),
                **runtime.own_globals,
            },
            limits=_session_limits(ctx.policy.profile),
        )
        self._session.follow(self._wall)
        self._session.on_busy = self._busy

    async def execute(self, arguments: dict[str, Any]) -> ScriptResult:
        """Hooks, events and a span around the run; see `ScriptRuntime.run`."""
        tracer = self._ctx.hooks.tracer
        if tracer is None:
            return await self._told(arguments)
        from llmspell_core.telemetry.scripts import traced_script

        work = partial(self._told, arguments)
        return await traced_script(tracer, self._ctx, self._source.name, work)

    async def _told(self, arguments: dict[str, Any]) -> ScriptResult:
        started = time.perf_counter()
        self._emit("script.started")
        try:
            try:
                result = await self._outcome(arguments, started)
            finally:
                await self.close()
        except asyncio.CancelledError:
            self._emit("script.failed", error=Cancelled("the script was cancelled").to_dict())
            raise
        except LLMSpellError as error:
            self._emit("script.failed", error=error.to_dict())
            if isinstance(error, Cancelled) and self._task and self._task.cancelling():
                # Stopped while it kept the loop from delivering the cancellation itself.
                raise asyncio.CancelledError from None
            raise
        self._emit("script.completed", duration_ms=result.duration_ms)
        return result

    def abort(self, error: LLMSpellError) -> None:
        """End the script now; `execute` raises the error."""
        self._session.stop(error)

    async def close(self) -> None:
        """Free the engine, and end what the script left behind on the host."""
        self._wall.stop()
        try:
            await self._session.close()
        finally:
            self._files.close_all()
            await self._ctx.overlay.close()

    async def _outcome(self, arguments: dict[str, Any], started: float) -> ScriptResult:
        """What the script came to. Its own `after_script` hooks run while the engine lives."""
        code: int | None = None
        value: Any = None
        try:
            value = await self._bounded(await self._before(), arguments)
        except asyncio.CancelledError:
            await self._after(None, Cancelled("the script was cancelled"))
            raise
        except LLMSpellError as error:
            if error.code != "script.exit":
                add_hint(error, self._runtime.manifests)
                await self._after(None, error)
                raise
            code = _exit_code(error)
        await self._after(value, None)
        return self._result(value, code, started)

    async def _bounded(self, text: str, arguments: dict[str, Any]) -> Any:
        session = self._session
        options = self._options(arguments)
        options["modules"] = await self._reachable(text)
        remaining = self._ctx.remaining_ms()
        try:
            async with asyncio.timeout(None if remaining is None else remaining / 1000) as scope:
                session.attach(await self._runtime.carrier.open(session, options))
                self._wall.start()
                if self._companion is not None:
                    await self._companion.before(session)
                value = plain(await session.run(text, self._source.name, self._mode))
                await self._until_idle()
                if self._companion is not None:
                    await self._companion.after(session)
        except TimeoutError:
            if not scope.expired():
                raise
            raise self._timeout() from None
        if session.ended is not None:
            raise session.ended
        return value

    async def _until_idle(self) -> None:
        """Tasks of the script, and events on their way to it: each may start more of both."""
        while True:
            await self._session.wait_idle()
            await self._ctx.events.drain()
            if self._session.quiet:
                return

    def _timeout(self) -> DeadlineError:
        return DeadlineError(
            f"{self._source.name} ran longer than its timeout",
            code="script.timeout",
            hint="raise --timeout",
        )

    def _wall_limit(self) -> None:
        seconds = self._ctx.policy.profile.limits.wall_s
        self._session.stop(
            ScriptError(
                f"the script ran longer than {seconds:g} s",
                code="script.wall_limit",
                hint="raise [security.limits] wall_s",
            )
        )

    def _busy(self) -> None:
        """Do what the event loop would, which stands still while a script computes in it."""
        self._wall.look()
        if self._ctx.remaining_ms() == 0:
            self._session.stop(self._timeout())
        elif self._task is not None and self._task.cancelling():
            now = time.monotonic()
            self._cancelled_at = self._cancelled_at or now
            if now - self._cancelled_at > UNWIND_S:
                self._session.stop(Cancelled("the script was cancelled"))

    async def _before(self) -> str:
        hooks = self._ctx.hooks
        if not hooks.active("before_script"):
            return self._source.text
        seen = self._hook_context("before_script", input=self._source.text)
        outcome = await hooks.run("before_script", seen)
        if outcome.kind == "cancel":
            raise HookError(f"the script was cancelled: {outcome.reason or 'by a hook'}")
        return seen.input if isinstance(seen.input, str) else self._source.text

    async def _after(self, value: Any, error: LLMSpellError | None) -> None:
        hooks, overlay = self._ctx.hooks, self._ctx.overlay
        if not overlay.ends and not hooks.active("after_script"):
            return
        if self._session.ended is not None:
            # Nothing of the script runs any more: its own hooks would only fail.
            for one in hooks.list({"language": self._ctx.language}):
                hooks.unregister(one["id"])
        data = error.to_dict() if error else None
        seen = self._hook_context("after_script", output=value, error=data)
        try:
            async with asyncio.timeout(AFTER_S):
                await overlay.end()
                if hooks.active("after_script"):
                    await hooks.run("after_script", seen)
        except TimeoutError:
            log.warning("the after_script hooks took longer than %d s", AFTER_S)
        except LLMSpellError as failed:
            if error is None:
                raise
            log.warning("after_script: %s", failed)

    def _hook_context(self, point: str, **fields: Any) -> HookContext:
        return HookContext(
            point=point,
            component=self._source.name,
            component_id=self._ctx.run_id,
            operation="run",
            correlation_id=self._ctx.correlation_id,
            language=self._ctx.language,
            state=self._ctx.state_scope,
            **fields,
        )

    def _emit(self, type_: str, **data: Any) -> None:
        self._ctx.events.emit(
            type_,
            {"script": self._source.name, "run_id": self._ctx.run_id, **data},
            correlation_id=self._ctx.correlation_id,
            language=self._ctx.language,
        )

    def _result(self, value: Any, exit_code: int | None, started: float) -> ScriptResult:
        report = self._session.report
        return ScriptResult(
            value=value,
            exit_code=exit_code,
            unhandled=report.unhandled,
            unhandled_more=report.unhandled_more,
            usage=self._ctx.account.spent,
            duration_ms=(time.perf_counter() - started) * 1000,
            host_calls=self._session.host_calls,
        )

    def _options(self, arguments: dict[str, Any]) -> dict[str, Any]:
        from llmspell_bridge.runtime import random_seed

        profile, settings = self._ctx.policy.profile, self._runtime.settings
        limits, env = profile.limits, self._ctx.policy.env
        language = self._ctx.language
        return {
            "globals": [*map(self._with_values, self._runtime.manifests.values())],
            "args": arguments,
            "env": {name: env.get(name) for name in env.names()},
            "libraries": _libraries(profile, language),
            "limits": {
                "memory_mb": limits.memory_mb,
                "cpu_s": limits.cpu_s,
                "instructions": limits.instructions,
                "tasks": limits.tasks,
                "value_mb": limits.value_mb,
                "value_depth": limits.value_depth,
            },
            "log_level": settings.scripts.log_level or settings.system.log_level,
            "debug": False,
            "seed": random_seed(),
            "run_id": self._ctx.run_id,
        }

    @cached_property
    def _modules(self) -> ModuleLoader:
        """Made when the first module or file is asked for: most runs ask for none."""
        from llmspell_bridge.modules.loader import ModuleLoader

        return ModuleLoader(self._ctx.policy, self._source, self._ctx.language)

    async def _reachable(self, text: str) -> Any:
        """What the engine loads modules from: the host, or, where it cannot wait, this table."""
        if not self._runtime.carrier.engine.info.module_table:
            return True
        if "import" not in text and "export" not in text:
            return {}
        from llmspell_bridge.modules.graph import import_graph

        return await asyncio.to_thread(import_graph, self._modules, text, self._source.name)

    def _with_values(self, manifest: Manifest) -> Manifest:
        if not manifest.get("values"):
            return manifest
        name = manifest["name"]
        declared = self._runtime.own_globals.get(name) or Extensions("globals").load(name)
        return {**manifest, "values": declared.script_values(self._ctx)}


def _session_limits(profile: SecurityProfile) -> SessionLimits:
    limits = profile.limits
    return SessionLimits(
        host_calls=limits.host_calls,
        host_calls_per_s=limits.host_calls_per_s,
        value_depth=limits.value_depth or 64,
        value_bytes=int(limits.value_mb * (1 << 20)),
        # A guest counts its tasks and, in JavaScript, its calls: the host has room for both.
        open_calls=2 * limits.tasks + 100 if limits.tasks else MAX_OPEN,
        held_bytes=int(limits.memory_mb * (1 << 20)),
    )


def _exit_code(error: LLMSpellError) -> int:
    code = error.details.get("code", 0)
    return code if isinstance(code, int) else 0


def _libraries(profile: SecurityProfile, language: str) -> list[str]:
    names = profile.libraries.get(language, profile.libraries.get("*", ()))
    return ["all"] if "*" in names else [*names]

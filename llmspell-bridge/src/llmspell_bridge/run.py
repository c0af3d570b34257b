"""One run of a script: its session, hooks, events, limits and end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from llmspell_bridge.globals.internal import GatedFiles, StandardInput, Timers
from llmspell_bridge.hints import add_hint
from llmspell_bridge.limits import WallClock
from llmspell_bridge.result import ScriptResult, plain
from llmspell_bridge.session import HostSession, SessionLimits
from llmspell_core.errors import DeadlineError, HookError, LLMSpellError, ScriptError
from llmspell_core.extensions import Extensions
from llmspell_core.hooks import HookContext

if TYPE_CHECKING:
    from llmspell_bridge.engines import ScriptSource
    from llmspell_bridge.manifests import Manifest
    from llmspell_bridge.runtime import ScriptRuntime
    from llmspell_bridge.streams import Streams
    from llmspell_core.context import ExecutionContext
    from llmspell_core.security.profile import SecurityProfile


class ScriptRun:
    """Runs one script and reports it; made and used once."""

    def __init__(
        self,
        runtime: ScriptRuntime,
        ctx: ExecutionContext,
        source: ScriptSource,
        streams: Streams,
        mode: str,
    ) -> None:
        self._runtime = runtime
        self._ctx = ctx
        self._source = source
        self._mode = mode
        self._files = GatedFiles(ctx)
        self._session = HostSession(
            ctx,
            streams,
            allowed=frozenset(runtime.manifests),
            internal={
                "Async": Timers,
                "stdin": lambda made_for: StandardInput(made_for, streams),
                "io": lambda _: self._files,
            },
            limits=_session_limits(ctx.policy.profile),
        )

    async def execute(self, arguments: dict[str, Any]) -> ScriptResult:
        """Hooks and events around the run; see `ScriptRuntime.run`."""
        started = time.perf_counter()
        try:
            text = await self._before()
            self._emit("script.started")
            value = await self._bounded(text, arguments)
            result = self._result(value, None, started)
        except LLMSpellError as error:
            if error.code == "script.exit":
                result = self._result(None, _exit_code(error), started)
            else:
                add_hint(error, self._runtime.manifests)
                self._emit("script.failed", error=error.to_dict())
                await self._after(None, error)
                raise
        await self._after(result.value, None)
        self._emit("script.completed", duration_ms=result.duration_ms)
        return result

    async def _bounded(self, text: str, arguments: dict[str, Any]) -> Any:
        session = self._session
        wall = WallClock(
            self._ctx.policy.profile.limits.wall_s, lambda: session.exempt > 0, self._wall_limit
        )
        remaining = self._ctx.remaining_ms()
        try:
            guest = await self._runtime.carrier.open(session, self._options(arguments))
            session.attach(guest)
            wall.start()
            async with asyncio.timeout(None if remaining is None else remaining / 1000):
                value = plain(await session.run(text, self._source.name, self._mode))
                await session.wait_idle()
            if session.ended is not None:
                raise session.ended
            return value
        except TimeoutError:
            raise DeadlineError(
                f"{self._source.name} ran longer than its timeout",
                code="script.timeout",
                hint="raise --timeout",
            ) from None
        finally:
            wall.stop()
            await session.close()
            self._files.close_all()

    def _wall_limit(self) -> None:
        seconds = self._ctx.policy.profile.limits.wall_s
        self._session.end(
            ScriptError(
                f"the script ran longer than {seconds:g} s",
                code="script.wall_limit",
                hint="raise [security.limits] wall_s",
            )
        )

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
        hooks = self._ctx.hooks
        if hooks.active("after_script"):
            data = error.to_dict() if error else None
            async with asyncio.timeout(5):
                await hooks.run(
                    "after_script", self._hook_context("after_script", output=value, error=data)
                )

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
            usage=self._ctx.account.usage,
            duration_ms=(time.perf_counter() - started) * 1000,
            host_calls=report.host_calls,
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

    def _with_values(self, manifest: Manifest) -> Manifest:
        if not manifest.get("values"):
            return manifest
        declared = Extensions("globals").load(manifest["name"])
        return {**manifest, "values": declared.script_values(self._ctx)}


def _session_limits(profile: SecurityProfile) -> SessionLimits:
    limits = profile.limits
    return SessionLimits(
        host_calls=limits.host_calls,
        host_calls_per_s=limits.host_calls_per_s,
        value_depth=limits.value_depth or 64,
        value_bytes=int(limits.value_mb * (1 << 20)),
    )


def _exit_code(error: LLMSpellError) -> int:
    code = error.details.get("code", 0)
    return code if isinstance(code, int) else 0


def _libraries(profile: SecurityProfile, language: str) -> list[str]:
    names = profile.libraries.get(language, profile.libraries.get("*", ()))
    return ["all"] if "*" in names else [*names]

"""The built-in hook `rate_limit`: so many model requests and tool calls in a minute."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.hooks.context import HookContext, HookResult
from llmspell_core.script.model import ScriptModel

WINDOW_S = 60.0
#: A wait ends a little before the hook would count as one that hangs.
_GRACE_MS = 1000


class RateLimitConfig(ScriptModel):
    """At most so many `requests_per_minute` and `tool_calls_per_minute`; 0 is no limit.

    `by` = "component" counts each agent and each tool by itself. Where the limit is reached the
    call waits for its turn (`on_limit` = "wait"), `max_wait_ms` at most, or is refused.
    """

    requests_per_minute: int = Field(0, ge=0)
    tool_calls_per_minute: int = Field(0, ge=0)
    by: Literal["all", "component"] = "all"
    on_limit: Literal["wait", "refuse"] = "wait"
    max_wait_ms: float = Field(60_000, ge=0)


class RateLimitHook:
    """Counts over the last minute. Who comes first goes first."""

    Config = RateLimitConfig
    priority: ClassVar[float] = -900
    guard: ClassVar[bool] = True
    observes: ClassVar[bool] = False

    def __init__(self, config: RateLimitConfig) -> None:
        self._config = config
        #: Read by the registry: how long a handler may take.
        self.timeout_ms = config.max_wait_ms + _GRACE_MS
        self._turns: dict[tuple[str, str], deque[float]] = {}
        self._waited = 0
        self._refused = 0

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        limits = {
            "before_llm_call": self._config.requests_per_minute,
            "before_tool_execution": self._config.tool_calls_per_minute,
        }
        return [(point, self._admit) for point, most in limits.items() if most]

    def report(self) -> dict[str, Any]:
        return {"waited": self._waited, "refused": self._refused}

    async def _admit(self, ctx: HookContext) -> HookResult | None:
        config = self._config
        llm = ctx.point == "before_llm_call"
        most = config.requests_per_minute if llm else config.tool_calls_per_minute
        who = (ctx.component or "") if config.by == "component" else ""
        turns = self._turns.setdefault((ctx.point, who), deque())
        now = time.monotonic()
        while turns and turns[0] <= now - WINDOW_S:
            turns.popleft()
        # Turns are given ahead: the one that waits has its place, others come after it.
        at = now if len(turns) < most else max(now, turns[-most] + WINDOW_S)
        wait_ms = (at - now) * 1000
        if wait_ms and (config.on_limit == "refuse" or wait_ms > config.max_wait_ms):
            self._refused += 1
            what = "model requests" if llm else "tool calls"
            return HookResult("cancel", reason=f"more than {most} {what} in a minute")
        turns.append(at)
        if wait_ms:
            self._waited += 1
            try:
                await asyncio.sleep(wait_ms / 1000)
            except asyncio.CancelledError:
                turns.remove(at)
                raise
        return None

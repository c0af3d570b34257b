"""The built-in hook `retry`: what has failed for a passing reason is done again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic import Field, field_validator

from llmspell_core.errors import did_you_mean, error_data
from llmspell_core.hooks.context import HookContext, HookResult
from llmspell_core.hooks.points import point_name
from llmspell_core.script.model import ScriptModel

POINTS = ("llm_error", "tool_error", "agent_error", "workflow_error")
#: As often as a hook may have a call done again.
_MOST = 4


class RetryConfig(ScriptModel):
    """`max_attempts` of a call in all, `backoff_ms` before the second, then `multiplier` as long.

    Without `codes` what counts is whether the error says that another attempt may succeed
    (`retryable`); with them, whether its code is one of these. `points` are those of errors.
    """

    points: list[str] = Field(default_factory=lambda: ["llm_error", "tool_error"])
    codes: list[str] = Field(default_factory=list)
    max_attempts: int = Field(3, ge=1, le=_MOST)
    backoff_ms: float = Field(500, ge=0)
    multiplier: float = Field(2, ge=1)
    jitter: float = Field(1, ge=0, le=1, description="the share of each wait that is random")

    @field_validator("points")
    @classmethod
    def _errors_only(cls, points: list[str]) -> list[str]:
        found = [point_name(point) for point in points]
        wrong = next((point for point in found if point not in POINTS), None)
        if wrong:
            near = did_you_mean(wrong, list(POINTS)) or f"one of {', '.join(POINTS)}"
            raise ValueError(f"{wrong} is no point of errors: {near}")
        return found


class RetryHook:
    """Answers an error with `retry`, as often as its configuration says."""

    Config = RetryConfig
    priority: ClassVar[float] = 100
    guard: ClassVar[bool] = False
    observes: ClassVar[bool] = False

    def __init__(self, config: RetryConfig) -> None:
        self._config = config
        self._retries = 0
        self._given_up = 0

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [(point, self._decide) for point in self._config.points]

    def report(self) -> dict[str, Any]:
        return {"retries": self._retries, "given_up": self._given_up}

    def _decide(self, ctx: HookContext) -> HookResult | None:
        config = self._config
        error = ctx.error if isinstance(ctx.error, dict) else error_data(ctx.error)
        passing = error.get("code") in config.codes if config.codes else error.get("retryable")
        if not passing:
            return None
        attempt = int(ctx.metadata.get("attempt", 1))
        if attempt >= config.max_attempts:
            self._given_up += 1
            return None
        self._retries += 1
        longest = config.backoff_ms * config.multiplier ** (attempt - 1)
        fixed = longest * (1 - config.jitter)
        delay = fixed + random.uniform(0, longest - fixed)  # noqa: S311 - it hides nothing
        return HookResult("retry", delay_ms=delay)

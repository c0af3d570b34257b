"""The built-in hook `logging`: one log record for each point that a run reaches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.hooks.context import HookContext
from llmspell_core.hooks.points import POINTS, point_name
from llmspell_core.script.model import ScriptModel

_LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}


class LoggingConfig(ScriptModel):
    """`level` of the records, the `points` that are logged (all), the name of the `logger`."""

    level: Literal["trace", "debug", "info", "warn", "error"] = "info"
    points: list[str] = Field(default_factory=lambda: list(POINTS))
    logger: str = "llmspell.hooks"


class LoggingHook:
    """Logs what happens, to whom and how long it took; never inputs or outputs."""

    Config = LoggingConfig
    priority: ClassVar[float] = 1000
    guard: ClassVar[bool] = False
    observes: ClassVar[bool] = True

    def __init__(self, config: LoggingConfig) -> None:
        self._points = [point_name(point) for point in config.points]
        self._level = _LEVELS[config.level]
        self._log = logging.getLogger(config.logger)
        self._records = 0

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [(point, self._write) for point in self._points]

    def report(self) -> dict[str, Any]:
        return {"records": self._records}

    def _write(self, ctx: HookContext) -> None:
        self._records += 1
        parts = [ctx.point, ctx.component or ctx.tool or ""]
        if ctx.duration_ms is not None:
            parts.append(f"{ctx.duration_ms:.1f} ms")
        if ctx.error is not None:
            parts.append(f"failed: {error_text(ctx.error)}")
        self._log.log(self._level, "%s", " ".join(part for part in parts if part))


def error_text(error: Any) -> str:
    """The message of an error, whether it is data or an exception."""
    return str(error.get("message", "")) if isinstance(error, dict) else str(error)

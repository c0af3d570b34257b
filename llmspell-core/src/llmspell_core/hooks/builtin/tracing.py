"""The built-in hook `tracing`: the spans of a run, without any exporter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.hooks.context import HookContext
from llmspell_core.script.model import ScriptModel
from llmspell_core.telemetry.collected import Collector

_LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}


class TracingConfig(ScriptModel):
    """How many spans are kept, and the `level` that each is logged at (not at all)."""

    max_spans: int = Field(1000, ge=1, le=100_000)
    level: Literal["trace", "debug", "info", "warn", "error"] | None = None


class TracingHook:
    """Keeps the spans; `Hook.get_stats().builtin.tracing` shows them, the first to end first.

    They are the spans that telemetry exports, but for prompts, answers, arguments and results,
    and they stay in this process.
    """

    Config = TracingConfig
    priority: ClassVar[float] = 1000
    guard: ClassVar[bool] = False
    observes: ClassVar[bool] = True

    def __init__(self, config: TracingConfig) -> None:
        level = None if config.level is None else _LEVELS[config.level]
        #: The registry has all that runs in its layer traced by it.
        self.tracer = Collector(config.max_spans, level)

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        """None: it takes part at no point, so that it delays nothing."""
        return []

    def report(self) -> dict[str, Any]:
        return {"spans": [dict(span) for span in self.tracer.spans], "dropped": self.tracer.dropped}

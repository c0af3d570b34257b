"""The built-in hook `metrics`: counts and durations by point and component."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic import Field

from llmspell_core.hooks.context import HookContext
from llmspell_core.hooks.points import POINTS, point_name
from llmspell_core.script.model import ScriptModel

#: Beyond this many components of one point the rest is counted together.
_MAX_COMPONENTS = 500


class MetricsConfig(ScriptModel):
    """The `points` that are counted (all)."""

    points: list[str] = Field(default_factory=lambda: list(POINTS))


class MetricsHook:
    """Counts; `Hook.get_stats().builtin.metrics` shows them. Times are ms."""

    Config = MetricsConfig
    priority: ClassVar[float] = 1000
    guard: ClassVar[bool] = False
    observes: ClassVar[bool] = True

    def __init__(self, config: MetricsConfig) -> None:
        self._points = [point_name(point) for point in config.points]
        self._found: dict[str, dict[str, dict[str, float]]] = {}

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [(point, self._count) for point in self._points]

    def report(self) -> dict[str, Any]:
        return {
            point: {
                name: {
                    **one,
                    "average_ms": one["total_ms"] / one["timed"] if one["timed"] else 0.0,
                }
                for name, one in components.items()
            }
            for point, components in self._found.items()
        }

    def _count(self, ctx: HookContext) -> None:
        components = self._found.setdefault(ctx.point, {})
        name = ctx.component or ctx.tool or ""
        if name not in components and len(components) >= _MAX_COMPONENTS:
            name = "(others)"
        one = components.setdefault(name, {"count": 0, "timed": 0, "total_ms": 0.0, "max_ms": 0.0})
        one["count"] += 1
        if ctx.duration_ms is not None:
            one["timed"] += 1
            one["total_ms"] += ctx.duration_ms
            one["max_ms"] = max(one["max_ms"], ctx.duration_ms)

"""The built-in hook `debug`: everything a hook point shows, shortened, at level debug."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from llmspell_core.errors import error_data
from llmspell_core.hooks.context import FIELDS, HookContext
from llmspell_core.hooks.points import POINTS, point_name
from llmspell_core.script.model import ScriptModel


class DebugConfig(ScriptModel):
    """The `points` that are shown (all), and how many characters of one field at most."""

    points: list[str] = Field(default_factory=lambda: list(POINTS))
    max_chars: int = Field(500, ge=10, le=100_000)


class DebugHook:
    """Logs every field of the context. For developing: it shows inputs and outputs."""

    Config = DebugConfig
    priority: ClassVar[float] = 1000
    guard: ClassVar[bool] = False
    observes: ClassVar[bool] = True

    def __init__(self, config: DebugConfig) -> None:
        self._points = [point_name(point) for point in config.points]
        self._most = config.max_chars
        self._log = logging.getLogger("llmspell.hooks.debug")

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [(point, self._write) for point in self._points]

    def report(self) -> dict[str, Any]:
        return {"points": self._points}

    def _write(self, ctx: HookContext) -> None:
        if not self._log.isEnabledFor(logging.DEBUG):
            return
        shown = {name: getattr(ctx, name) for name in FIELDS if name != "point"}
        text = " ".join(
            f"{name}={self._short(value)}" for name, value in shown.items() if value is not None
        )
        self._log.debug("%s %s", ctx.point, text)

    def _short(self, value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value, default=_plain)
        return text if len(text) <= self._most else f"{text[: self._most]}... ({len(text)} chars)"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return error_data(value) if isinstance(value, BaseException) else str(value)

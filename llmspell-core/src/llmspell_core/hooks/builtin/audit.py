"""The built-in hook `audit`: who did what, as lines of the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from llmspell_core.context import current
from llmspell_core.errors import error_data
from llmspell_core.hooks.context import HookContext
from llmspell_core.hooks.points import POINTS, point_name
from llmspell_core.script.model import ScriptModel

_CONTENT = ("input", "arguments", "output")
_BEFORE = tuple(point for point in POINTS if point.startswith(("before_", "session_", "state_")))


class AuditConfig(ScriptModel):
    """The `points` that are recorded (before anything is done), and whether `content` is.

    Content is `input`, `arguments` and `output`, redacted, `max_chars` of each at most.
    """

    points: list[str] = Field(default_factory=lambda: list(_BEFORE))
    content: bool = False
    max_chars: int = Field(2000, ge=10, le=100_000)


class AuditHook:
    """Writes to the log that `[security] audit_log` names; where there is none it refuses."""

    Config = AuditConfig
    #: After those that change or refuse: what is recorded is what happens.
    priority: ClassVar[float] = 1000
    guard: ClassVar[bool] = True
    observes: ClassVar[bool] = True

    def __init__(self, config: AuditConfig) -> None:
        self._points = [point_name(point) for point in config.points]
        self._content = config.content
        self._most = config.max_chars
        self._records = 0

    def handlers(self) -> Iterable[tuple[str, Callable[[HookContext], Any]]]:
        return [(point, self._write) for point in self._points]

    def report(self) -> dict[str, Any]:
        return {"records": self._records, "points": self._points}

    def _write(self, ctx: HookContext) -> None:
        run = current()
        log = run.policy.audit if run is not None else None
        if run is None or log is None or log.path is None:
            raise RuntimeError("there is no audit log: set [security] audit_log to a file")
        who: dict[str, Any] = {
            "component_id": ctx.component_id,
            "operation": ctx.operation,
            "correlation_id": ctx.correlation_id,
            "path": " > ".join(run.path) or None,
            "error": ctx.error and error_data_of(ctx.error).get("code"),
        }
        if self._content:
            shown = {name: self._short(getattr(ctx, name), run) for name in _CONTENT}
            who |= {name: text for name, text in shown.items() if text}
        known = {name: value for name, value in who.items() if value is not None}
        target = ctx.tool or ctx.component or ""
        log.record("hook", target, "allow", ctx.point, **known)
        self._records += 1

    def _short(self, value: Any, run: Any) -> str:
        if value is None:
            return ""
        plain = value.model_dump() if isinstance(value, BaseModel) else value
        text = plain if isinstance(plain, str) else json.dumps(plain, default=str)
        text = run.runtime.redactor.text(text)
        return text if len(text) <= self._most else f"{text[: self._most]}..."


def error_data_of(error: Any) -> dict[str, Any]:
    """An error as data, whichever form a point shows it in."""
    return error if isinstance(error, dict) else error_data(error)

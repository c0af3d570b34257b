"""`Hook`: one registered handler, with its options and its counts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from llmspell_core.errors import ValidationError
from llmspell_core.script.api import ScriptFunction

PRIORITIES = {"highest": -1000, "high": -100, "normal": 0, "low": 100, "lowest": 1000}
DEFAULT_TIMEOUT_MS = 5_000.0
#: An ordinary hook that fails this often in a row is switched off.
MAX_FAILURES = 5

Handler = Callable[..., Any]
_order = itertools.count(1)


class Hook:
    """The handle of a registered hook.

    Lower priorities run first, hooks of one priority in the order of their registration. A
    `guard` fails closed: when it fails, the operation is refused.
    """

    __slots__ = (
        "calls",
        "condition",
        "enabled",
        "errors",
        "failures_in_row",
        "guard",
        "handler",
        "id",
        "language",
        "name",
        "observes",
        "order",
        "point",
        "priority",
        "scripted",
        "tags",
        "timeout_ms",
        "version",
    )

    def __init__(
        self,
        point: str,
        handler: Handler,
        *,
        name: str = "",
        priority: float | str = 0,
        language: str = "python",
        tags: tuple[str, ...] = (),
        guard: bool = False,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        condition: Handler | str | None = None,
        version: str = "1.0.0",
        observes: bool = False,
    ) -> None:
        self.order = next(_order)
        self.id = f"hook-{self.order}"
        self.name = name or self.id
        self.point = point
        self.handler = handler
        #: Script functions are given plain data, Python functions a HookContext.
        self.scripted = isinstance(handler, ScriptFunction)
        self.priority = priority_number(priority)
        self.language = language
        self.tags = tags
        self.guard = guard
        self.timeout_ms = timeout_ms
        self.condition = _compiled(condition) if isinstance(condition, str) else condition
        self.version = version
        #: It only looks on: what it answers changes nothing.
        self.observes = observes
        self.calls = 0
        self.errors = 0
        self.failures_in_row = 0
        self.enabled = True

    def describe(self) -> dict[str, Any]:
        """The hook as `list` shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "hook_point": self.point,
            "priority": self.priority,
            "language": self.language,
            "version": self.version,
            "tags": list(self.tags),
            "calls": self.calls,
            "errors": self.errors,
            "enabled": self.enabled,
        }

    def __repr__(self) -> str:
        return f"Hook({self.name!r}, {self.point}, priority={self.priority})"


def priority_number(given: float | str) -> float:
    """A priority as a number; the names are `highest high normal low lowest`."""
    if isinstance(given, str) and given.lower() in PRIORITIES:
        return PRIORITIES[given.lower()]
    if isinstance(given, (int, float)) and not isinstance(given, bool) and not math.isnan(given):
        return given
    raise ValidationError(
        f"priority must be a number or one of {', '.join(PRIORITIES)}, not {given!r}"
    )


def _compiled(expression: str) -> Handler:
    from llmspell_core.templating import compile_expression

    test = compile_expression(expression)

    def condition(ctx: Any) -> Any:
        return test(ctx.to_script().data)

    return condition

"""Calling one hook: its condition, its time limit, and what its failure means."""

from __future__ import annotations

import logging
from contextvars import ContextVar

from llmspell_core.errors import HookError, error_data
from llmspell_core.hooks.context import CONTINUE, HookContext, HookResult
from llmspell_core.hooks.hook import MAX_FAILURES, Hook
from llmspell_core.within import within

_log = logging.getLogger("llmspell.hooks")

#: The ids of the hooks this code runs inside of: none of them is entered again.
entered: ContextVar[frozenset[str]] = ContextVar("llmspell_hooks_entered", default=frozenset())


async def call_hook(hook: Hook, ctx: HookContext) -> HookResult:
    """Call one hook and give its decision; a failure of an ordinary hook is `continue`.

    Raises ``hook.failed`` when a guard fails.
    """
    token = entered.set(entered.get() | {hook.id})
    try:
        if hook.condition is not None and not await _holds(hook, ctx):
            return CONTINUE
        hook.calls += 1
        answer = hook.handler(ctx.to_script() if hook.scripted else ctx.copy())
        if answer is not None and hasattr(answer, "__await__"):
            answer = await within(hook.timeout_ms / 1000, answer)
        result = CONTINUE if answer is None else HookResult.of(answer, guard=hook.guard)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its failure
        _failed(hook, error)
        return CONTINUE
    finally:
        entered.reset(token)
    hook.failures_in_row = 0
    return result


async def _holds(hook: Hook, ctx: HookContext) -> bool:
    condition = hook.condition
    if condition is None:
        return True
    scripted = hook.scripted and hasattr(condition, "where")
    answer = condition(ctx.to_script() if scripted else ctx.copy())
    if hasattr(answer, "__await__"):
        answer = await within(hook.timeout_ms / 1000, answer)
    return bool(answer)


def _failed(hook: Hook, error: Exception) -> None:
    hook.errors += 1
    hook.failures_in_row += 1
    if hook.guard:
        raise HookError(
            f'guard "{hook.name}" failed at {hook.point}: {error}',
            code="hook.failed",
            hint="the operation is refused because a guard could not decide",
            details={"hook": hook.name, "point": hook.point, "error": error_data(error)},
        ) from error
    _log.warning("hook %s failed at %s: %s", hook.name, hook.point, _text(error))
    if hook.failures_in_row >= MAX_FAILURES:
        hook.enabled = False
        _log.warning("hook %s is off after %d failures in a row", hook.name, MAX_FAILURES)


def _text(error: Exception) -> str:
    data = error_data(error)
    where, hint = data.get("source"), data.get("hint")
    text = f"{where}: {data['message']}" if where else str(data["message"])
    return f"{text}; {hint}" if hint else text

"""`output_validator`: a function of a script, or of Python, that judges an answer's value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_agents.functions import call
from llmspell_core.callables import arity
from llmspell_core.errors import Cancelled, DeadlineError, error_data
from llmspell_core.script.api import Result, ScriptFunction

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

_REFUSED = "the answer was refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a validator made of a value. `retry` is what the model is told, "" when it passed."""

    value: Any
    changed: bool = False
    retry: str = ""


async def judge(
    function: Callable[..., Any], value: Any, about: dict[str, Any], ctx: ExecutionContext
) -> Judged:
    """Ask a validator: ``fn(value, ctx)``; a Python function gets the ExecutionContext.

    Nothing or `true` passes; ``{value = x}``, or any other value, replaces the value; ``{retry =
    "message"}``, `false`, or an error asks the model again.

    Args:
        function: the validator
        value: the answer's value, its text where no schema is asked for
        about: what stands in a script's `ctx` beside the run's own fields
        ctx: the run
    """
    try:
        of_script = isinstance(function, ScriptFunction)
        seen = _context(about, ctx) if of_script else ctx
        given = await call(function, *(value, seen)[: arity(function)])
    except (DeadlineError, Cancelled):
        raise
    except Exception as error:  # noqa: BLE001 - an error of a validator is its verdict
        message = str(error_data(error).get("message") or _REFUSED)
        return Judged(value, retry=ctx.runtime.redactor.text(message))
    return _read(given, value)


def _read(given: Any, value: Any) -> Judged:
    if given is None or given is True:
        return Judged(value)
    if given is False:
        return Judged(value, retry=_REFUSED)
    if isinstance(given, dict) and set(given) == {"retry"}:
        return Judged(value, retry=str(given["retry"] or _REFUSED))
    if isinstance(given, dict) and set(given) == {"value"}:
        given = given["value"]
    # An empty table of Lua does not say that it is a list.
    same = given == value or (given == {} and value == [])
    return Judged(value) if same else Judged(given, changed=True)


def _context(about: dict[str, Any], ctx: ExecutionContext) -> Result:
    fields = {
        **about,
        "run_id": ctx.run_id,
        "correlation_id": ctx.correlation_id,
        "path": [*ctx.path],
        "remaining_ms": ctx.remaining_ms(),
        "deps": ctx.deps,
    }
    return Result({key: value for key, value in fields.items() if value is not None})

"""Work that nobody can bound from inside: run in a helper process, with errors in a tool's words.

It imports little: what runs in a helper imports it as well, for `mistake`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, ToolFailed, ValidationError

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: Libraries such as NumPy map much memory that they never use.
MEMORY_MB = 1024


def mistake(tool: str, field: str, message: str, *, hint: str | None = None) -> ValidationError:
    """`input.invalid` for one field: `wrong` for modules that run in a helper."""
    from llmspell_core.schema import mistakes_text

    errors = [{"field": field, "message": message}]
    return ValidationError(
        f"{tool}: {mistakes_text(errors)}", hint=hint, details={"errors": errors}
    )


async def bounded(
    ctx: ToolContext,
    what: str,
    function: str,
    *args: Any,
    timeout_ms: float,
    memory_mb: int = MEMORY_MB,
) -> Any:
    """Call `pkg.mod:name` in a helper process that is killed when it takes too long.

    Args:
        ctx: the call's context; its deadline holds as well
        what: what takes the time, for the error: `the query`
        function: it takes and returns JSON values, and raises errors of llmspell
        args: its arguments
        timeout_ms: how long it may take
        memory_mb: the address space of the helper

    Raises:
        LimitError: `limit.compute_timeout`, `limit.compute_memory`.
        ToolFailed: it failed in a way that it does not know.
    """
    from llmspell_core.compute import ComputeError, compute

    tool = ctx.tool.name
    remaining = ctx.remaining_ms()
    if remaining is not None:
        timeout_ms = min(timeout_ms, max(remaining, 1))
    try:
        return await compute(function, *args, timeout_ms=timeout_ms, memory_mb=memory_mb)
    except LimitError as error:
        if error.code == "limit.compute_timeout":
            message = f"{tool}: {what} took longer than {timeout_ms:g} ms"
        elif error.code == "limit.compute_memory":
            message = f"{tool}: {what} needed too much memory"
        else:
            raise
        raise LimitError(message, code=error.code, hint="give it less input") from None
    except ComputeError as error:
        raise ToolFailed(f"{tool}: {what} failed: {error.message}") from None

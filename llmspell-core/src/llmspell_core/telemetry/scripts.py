"""The span around a run of a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from llmspell_core.telemetry import names
from llmspell_core.telemetry.runs import failed, set_usage

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.telemetry import Tracer

T = TypeVar("T")


async def traced_script(
    tracer: Tracer, ctx: ExecutionContext, name: str, work: Callable[[], Awaitable[T]]
) -> T:
    """Run a script inside of its span. `ctx` is the run's own: all its host calls have it."""
    attributes = {names.SCRIPT: name, names.PROFILE: ctx.policy.profile.name}
    span = tracer.start(f"script {name}", "internal", attributes, parent=ctx.span)
    before, ctx.span = ctx.span, span
    try:
        return await work()
    except BaseException as error:
        failed(span, error)
        raise
    finally:
        spent = ctx.account.spent
        if spent is not None and spent.total_tokens:
            set_usage(span, spent, spent.cost_usd)
        span.end()
        ctx.span = before

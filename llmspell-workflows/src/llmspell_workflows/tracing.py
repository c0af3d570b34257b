"""The span around a step of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.context import _current
from llmspell_core.telemetry import names

if TYPE_CHECKING:
    from llmspell_core.workflow import StepResult
    from llmspell_workflows.attempts import Attempts


async def traced_step(attempts: Attempts) -> StepResult:
    """The result of a step; what the step runs has its span above it."""
    step, run = attempts.step, attempts.run
    outer = run.ctx
    tracer = outer.hooks.tracer
    if tracer is None:
        return await attempts.result()
    attributes = {names.STEP_NAME: step.name, names.STEP_TYPE: step.type}
    span = tracer.start(f"step {step.name}", "internal", attributes, parent=outer.span)
    run.ctx = outer.child(span=span)
    token = _current.set(run.ctx)
    result = None
    try:
        result = await attempts.result()
        if result.error is not None:
            span.error(str(result.error.get("code", "error")), str(result.error.get("message")))
        return result
    finally:
        _current.reset(token)
        run.ctx = outer
        span.set(names.STEP_ATTEMPT, attempts.number or None)
        span.set(names.STEP_SKIPPED, attempts.skipped_by)
        if result is None:
            span.error("cancelled", "")
        span.end()

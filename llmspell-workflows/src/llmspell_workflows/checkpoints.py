"""The hook point `workflow_checkpoint`: a step has ended, and the run could go on from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.errors import HookError, LLMSpellError
from llmspell_core.hooks import HookContext
from llmspell_workflows.templates import copied

if TYPE_CHECKING:
    from llmspell_core.workflow import StepResult
    from llmspell_workflows.program import Step
    from llmspell_workflows.run import Run

POINT = "workflow_checkpoint"


async def checkpoint(step: Step, result: StepResult, run: Run) -> LLMSpellError | None:
    """Show hooks what the run has come to; the error with which one of them ends it, or None.

    `state` is `{shared, outputs}`: the shared data, and the output of each step by its name.
    """
    hooks = run.ctx.hooks
    if not hooks.active(POINT):
        return None
    ended = [one for one in run.results.values() if one.success and not one.skipped]
    seen = HookContext(
        POINT,
        component=run.workflow,
        component_id=run.id,
        operation=step.name,
        input=run.input,
        output=result.output,
        metadata={"step": step.name, "type": step.type, "steps_ended": len(run.steps)},
        correlation_id=run.ctx.correlation_id,
        language=run.ctx.language,
        state={"shared": copied(run.shared), "outputs": {one.name: one.output for one in ended}},
        duration_ms=run.elapsed_ms(),
    )
    try:
        outcome = await hooks.run(POINT, seen)
    except LLMSpellError as error:
        return error
    if outcome.kind != "cancel":
        return None
    reason = outcome.reason or "cancelled by a hook"
    return HookError(
        f'after step "{step.name}": {reason}', details={"point": POINT, "reason": outcome.reason}
    )

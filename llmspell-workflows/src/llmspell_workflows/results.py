"""From what a run has come to, to its WorkflowResult."""

from __future__ import annotations

from typing import Any

from llmspell_core.workflow import StepResult, WorkflowResult
from llmspell_workflows.program import Program
from llmspell_workflows.run import Run
from llmspell_workflows.templates import copied

WORDS = {"sequential": "Sequential"}


def build_result(program: Program, run: Run) -> WorkflowResult:
    """The result of a finished run."""
    kind, name = program.spec.type, run.workflow
    ran = [one for one in run.steps if not one.skipped]
    good = [one for one in ran if one.success]
    output = final_output(program, run)
    duration = run.elapsed_ms()
    total = len(program.all)
    bad = len(ran) - len(good)
    success = run.error is None
    return WorkflowResult.model_construct(
        success=success,
        text=sentence(program, run, len(good), total, duration),
        output=output,
        outputs={one.name: one.output for one in run.results.values() if _counts(one)},
        data={"steps_executed": len(ran), "final_output": output},
        error=run.error.to_dict() if run.error else None,
        failed_step=run.failed_step,
        warnings=run.warnings,
        duration_ms=duration,
        steps=run.steps,
        state=copied(run.shared),
        metadata={
            "workflow": name,
            "type": kind,
            "execution_id": run.id,
            "execution_time_ms": duration,
            "steps_executed": len(ran),
            "steps_succeeded": len(good),
            "steps_failed": bad,
            "extra": {
                "workflow_name": name,
                "workflow_type": kind,
                "execution_id": run.id,
                "total_steps": total,
                "successful_steps": len(good),
                "failed_steps": bad,
                "agent_outputs": run.agent_outputs,
            },
        },
    )


def _counts(result: StepResult) -> bool:
    return result.success and not result.skipped


def final_output(program: Program, run: Run) -> Any:
    """The value of the last of the steps proper that has one."""
    for step in reversed(program.steps):
        found = run.results.get(step.name)
        if found is not None and _counts(found):
            return found.output
    return None


def sentence(program: Program, run: Run, good: int, total: int, duration_ms: float) -> str:
    """The result in one sentence."""
    start = f"{WORDS[program.spec.type]} workflow '{run.workflow}'"
    if run.error is not None:
        at = f" at step '{run.failed_step}'" if run.failed_step else ""
        return f"{start} failed{at}: {run.error.message}"
    if run.steps and all(one.skipped for one in run.steps) and program.when is not None:
        return f"{start} was skipped: its condition does not hold"
    steps = f"{good} of {total} step{'' if total == 1 else 's'}"
    return f"{start} completed successfully: {steps} in {duration_ms:.0f} ms"

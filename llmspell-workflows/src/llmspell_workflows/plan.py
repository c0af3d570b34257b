"""A dry run: what a workflow would do, without doing any of it."""

from __future__ import annotations

from typing import Any

from llmspell_core.workflow import StepResult, WorkflowResult
from llmspell_workflows.expressions import Expression, Missing
from llmspell_workflows.program import Program, Step
from llmspell_workflows.results import WORDS
from llmspell_workflows.run import Run
from llmspell_workflows.templates import ABSENT, Node, Rendering
from llmspell_workflows.validation import Report


async def dry_run(program: Program, run: Run, report: Report) -> WorkflowResult:
    """The steps with their inputs as far as they are known; nothing is called."""
    steps = [await _planned(step, run) for step in program.all]
    kind, total = program.spec.type, len(steps)
    text = f"Dry run of {WORDS[kind].lower()} workflow '{run.workflow}': "
    text += f"{total} step{'' if total == 1 else 's'}, nothing was run"
    if not report.valid:
        text += f"; it would be refused: {report.errors[0]}"
    return WorkflowResult(
        success=report.valid,
        text=text,
        data={"steps_executed": 0},
        error={"message": "; ".join(report.errors), "code": "workflow.invalid"}
        if report.errors
        else None,
        warnings=[*report.warnings, *run.warnings],
        duration_ms=run.elapsed_ms(),
        steps=steps,
        metadata={
            "workflow": run.workflow,
            "type": kind,
            "execution_id": run.id,
            "execution_time_ms": run.elapsed_ms(),
            "steps_executed": 0,
            "steps_succeeded": 0,
            "steps_failed": 0,
            "dry_run": True,
        },
    )


async def _planned(step: Step, run: Run) -> StepResult:
    plan: dict[str, Any] = {"target": step.runner.target}
    node = step.runner.node
    if node is not None:
        plan["input"] = await _known(node, run)
    return StepResult(name=step.name, type=step.type, skipped=True, attempts=0, result=plan)


async def _known(node: Node, run: Run) -> Any:
    """The input with what is known filled in; what steps will give stays as written."""

    def resolve(reference: Any) -> Any:
        value = run.scope.resolve(reference)
        return Missing.UNKNOWN if value is Missing.NOT_RUN else value

    def missing(expression: Expression, why: Missing) -> None:
        if any(one.root != "steps" for one in expression.references):
            run.warn(f"{expression.source} has no value yet")

    await run.scope.prepare(node.expressions())
    value = node.render(Rendering(resolve, missing))
    return None if value is ABSENT else value

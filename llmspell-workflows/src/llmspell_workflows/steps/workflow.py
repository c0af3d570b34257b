"""A step that runs another workflow: by name, an object, an inline table, or steps in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from llmspell_core.component import BaseAgent
from llmspell_core.errors import LLMSpellError
from llmspell_workflows.outcome import WorkflowInput, run_for_result
from llmspell_workflows.spec import StepSpec, WorkflowSpec
from llmspell_workflows.steps.base import Outcome, StepRunner

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_workflows.run import Frame
    from llmspell_workflows.workflow import Workflow


class WorkflowStep(StepRunner):
    """Runs a workflow; its output is that workflow's."""

    def __init__(self, spec: StepSpec, step_names: Iterable[str]) -> None:
        super().__init__(spec, step_names)
        self.workflow = self._inline()

    def _inline(self) -> Workflow | BaseAgent | None:
        """The workflow, unless it is only a name."""
        from llmspell_workflows.workflow import Workflow

        given = self.spec.workflow
        if isinstance(given, str):
            return None
        if isinstance(given, (dict, WorkflowSpec)):
            data = {"name": self.spec.name, **given} if isinstance(given, dict) else given
            return Workflow.from_spec(data)
        return cast("BaseAgent", given)

    @property
    def target(self) -> str:
        return self.workflow.name if self.workflow else str(self.spec.workflow)

    def _shared(self, frame: Frame) -> dict[str, Any] | None:
        return None

    async def run(self, frame: Frame, input: Any) -> Outcome:
        workflow = self.workflow or frame.ctx.overlay.workflows.get(self.spec.workflow)
        given = WorkflowInput.of_value(input, self._shared(frame))
        result = await run_for_result(workflow, given, frame.ctx)
        frame.run.agent_outputs.update(result.metadata.get("extra", {}).get("agent_outputs", {}))
        for warning in result.warnings:
            frame.run.warn(f"{frame.step}: {warning}")
        return Outcome(result.output, result)

    def problem(self, ctx: ExecutionContext) -> LLMSpellError | None:
        from llmspell_workflows.validation import first_problem

        try:
            workflow = self.workflow or ctx.overlay.workflows.get(self.spec.workflow)
        except LLMSpellError as error:
            return error
        return first_problem(workflow, ctx)


class GroupStep(WorkflowStep):
    """Steps in order as one step: they share the shared data of the workflow around them."""

    def _inline(self) -> Workflow:
        from llmspell_workflows.workflow import Workflow

        return Workflow.from_spec({"name": self.spec.name, "steps": self.spec.steps or []})

    def _shared(self, frame: Frame) -> dict[str, Any]:
        return frame.run.shared

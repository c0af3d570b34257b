"""How a workflow's own input and result travel through the Runner, which knows agents' only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr

from llmspell_core.errors import WorkflowError
from llmspell_core.messages import AgentInput, AgentOutput, RunMetadata
from llmspell_core.tool import as_text
from llmspell_core.workflow import WorkflowResult

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext


class WorkflowInput(AgentInput):
    """Any value as input. Steps grouped in a workflow also share its shared data."""

    _shared: dict[str, Any] | None = PrivateAttr(None)

    @classmethod
    def of_value(cls, value: Any, shared: dict[str, Any] | None = None) -> WorkflowInput:
        """An input that is this value."""
        made = cls.model_construct(value=value, text=value if isinstance(value, str) else "")
        made._shared = shared
        return made

    @property
    def shared(self) -> dict[str, Any] | None:
        """Shared data to work on, where it is the one of a workflow around."""
        return self._shared

    def to_script(self) -> Any:
        """For scripts: the value itself."""
        return self.value


def value_of(given: AgentInput) -> Any:
    """The value a workflow works on: the value, else the parameters, else the text."""
    if isinstance(given, WorkflowInput) or given.value is not None:
        return given.value
    if given.parameters:
        return {**given.parameters, **({"text": given.text} if given.text else {})}
    return given.text or None


class WorkflowOutput(AgentOutput):
    """A workflow's result as an agent's: the text is its output, and so is the data."""

    _result: WorkflowResult = PrivateAttr()

    @classmethod
    def of(cls, result: WorkflowResult) -> WorkflowOutput:
        """The output of a run that went well."""
        output = result.output
        made = cls(
            text=result.text if output is None else as_text(output),
            data=output,
            agent=str(result.metadata.get("workflow", "")),
            metadata=RunMetadata(extra={"execution_id": result.metadata.get("execution_id")}),
        )
        made._result = result
        return made

    @property
    def result(self) -> WorkflowResult:
        """The whole result, with what hooks changed in the output."""
        result = self._result
        if self.data is not result.output:
            result.output = self.data
        elif self.text != (result.text if result.output is None else as_text(result.output)):
            result.output = self.text
        result.success = self.success
        return result


class WorkflowFailed(WorkflowError):  # noqa: N818 - what became of the run; its code says which
    """A run failed; `result` is what it has come to."""

    def __init__(self, result: WorkflowResult) -> None:
        error = result.error or {}
        code = "workflow.timeout" if error.get("code") == "workflow.timeout" else "workflow.failed"
        super().__init__(
            result.text,
            code=code,
            hint=error.get("hint"),
            details={"failed_step": result.failed_step, "error": error},
        )
        self.result = result


async def run_for_result(
    workflow: BaseAgent, input: Any, ctx: ExecutionContext | None
) -> WorkflowResult:
    """Run any workflow through the Runner; raises `WorkflowFailed` when the run fails."""
    output = await workflow.execute(input, ctx)
    if isinstance(output, WorkflowOutput):
        return output.result
    return _from_output(workflow, output)


def _from_output(workflow: BaseAgent, output: AgentOutput) -> WorkflowResult:
    """The result of a workflow that is none of ours, or of a run that a hook replaced."""
    kind = getattr(workflow, "workflow_type", "")
    result = WorkflowResult(
        success=output.success,
        text=output.text,
        output=output.text if output.data is None else output.data,
        error=output.error,
        duration_ms=output.metadata.execution_time_ms,
        metadata={"workflow": workflow.name, "type": kind},
    )
    if not result.success:
        raise WorkflowFailed(result)
    return result

"""A step that is a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LLMSpellError, WorkflowError
from llmspell_core.script.api import Result
from llmspell_workflows.functions import call, where
from llmspell_workflows.steps.base import Outcome, StepRunner

if TYPE_CHECKING:
    from llmspell_workflows.run import Frame


class FunctionStep(StepRunner):
    """Calls a function with the step's context.

    A returned table with a boolean `success` says how it went; anything else is the output.
    """

    @property
    def target(self) -> str:
        return where(self.spec.execute)

    async def run(self, frame: Frame, input: Any) -> Outcome:
        function = self.spec.execute
        value = await call(function, await frame.context(function, input))
        table = value.data if isinstance(value, Result) else value
        if not isinstance(table, dict) or not isinstance(table.get("success"), bool):
            return Outcome(value, value)
        if not table["success"]:
            raise _failure(table.get("error"), table)
        return Outcome(table.get("output", table.get("result")), table)


def _failure(error: Any, table: dict[str, Any]) -> LLMSpellError:
    if isinstance(error, LLMSpellError):
        return error
    data = error if isinstance(error, dict) else {"message": error}
    details = data.get("details")
    return WorkflowError(
        str(data.get("message") or "the step's function returned success = false"),
        code=str(data.get("code") or "workflow.step_failed"),
        hint=data.get("hint"),
        details=details if isinstance(details, dict) else {"result": table},
    )

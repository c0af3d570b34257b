"""`StepContext`: what functions of a workflow (steps, conditions, inputs) are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_core.errors import NotFoundError, did_you_mean
from llmspell_core.script.api import ScriptObject, script_method
from llmspell_core.workflow import StepResult
from llmspell_workflows.templates import copied

if TYPE_CHECKING:
    from llmspell_workflows.run import Run


class StepContext(ScriptObject):
    """The step's input, the results of the steps before it, and the run's shared data.

    Fields: `input`, `steps` (by name: `output result success error duration_ms`), `shared_data`,
    `name` of the step, `workflow`, `execution_id`. All are copies: write shared data with
    `set_shared_data`.
    """

    type_name: ClassVar[str] = "step_context"

    def __init__(self, run: Run, step: str, input: Any, state: Mapping[str, Any]) -> None:
        self._run = run
        self._state = state
        self._input = input
        self.id = run.id
        self.name = step
        self.workflow = run.workflow
        self.execution_id = run.id

    @property
    def input(self) -> Any:
        """The step's input; the workflow's where the step names none."""
        return copied(self._input)

    @property
    def steps(self) -> Mapping[str, StepResult]:
        """The results of the steps before this one, by name."""
        return StepsView(self._run.results)

    @property
    def shared_data(self) -> dict[str, Any]:
        """The run's shared data, for script functions over the State of their scope."""
        return {**copied(dict(self._state)), **copied(self._run.shared)}

    def script_fields(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "workflow": self.workflow,
            "execution_id": self.execution_id,
            "input": self._input,
            "steps": dict(self._run.results),
            "shared_data": {**self._state, **self._run.shared},
        }

    @script_method
    def get_step_output(self, name: str) -> Any:
        """The output of a step that has run; nil when it was skipped or failed.

        Args:
            name: the step's name
        """
        found = self._run.results.get(name)
        if found is None:
            raise NotFoundError(
                f'no step "{name}" has run yet',
                code="workflow.step_not_found",
                hint=did_you_mean(name, list(self._run.results)),
            )
        return copied(found.output)

    @script_method
    async def get_shared_data(self, key: str) -> Any:
        """A value of the run's shared data, else of State in the current scope, else nil.

        Args:
            key: the value's name
        """
        return copied(await self._run.shared_value(key))

    @script_method
    def set_shared_data(self, key: str, value: Any = None) -> None:
        """Write a value into the run's shared data; nil takes it out.

        Args:
            key: the value's name
            value: any data
        """
        self._run.share(key, value)


class StepsView(Mapping[str, StepResult]):
    """Results by step name; each comes as a copy, made when it is read."""

    def __init__(self, results: Mapping[str, StepResult]) -> None:
        self._results = results

    def __getitem__(self, name: str) -> StepResult:
        found = self._results[name]
        return found.model_copy(update={"output": copied(found.output)})

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

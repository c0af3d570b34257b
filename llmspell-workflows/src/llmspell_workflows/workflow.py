"""`Workflow`: a specification that can be run.

workflow = Workflow("receipt", steps=[
    {"name": "sum", "tool": "calculator", "input": {"input": "{{input.price}} * 2"}},
    {"name": "line", "execute": lambda ctx: f"total: {ctx.steps['sum'].output}"},
])
result = await workflow.run_result({"price": 21})
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llmspell_core.adapters import ComponentTool
from llmspell_core.errors import LLMSpellError, NotFoundError, did_you_mean
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.workflow import Workflow as WorkflowTrait
from llmspell_core.workflow import WorkflowResult
from llmspell_workflows.as_agent import WorkflowAgent
from llmspell_workflows.history import History
from llmspell_workflows.interpreter import Interpreter
from llmspell_workflows.mermaid import to_mermaid
from llmspell_workflows.observers import Observers
from llmspell_workflows.outcome import (
    WorkflowFailed,
    WorkflowInput,
    WorkflowOutput,
    run_for_result,
    value_of,
)
from llmspell_workflows.plan import dry_run
from llmspell_workflows.program import Program
from llmspell_workflows.results import build_result
from llmspell_workflows.run import Run
from llmspell_workflows.spec import WorkflowSpec, parse_spec, to_data
from llmspell_workflows.templates import copied
from llmspell_workflows.validation import (
    Report,
    check_components,
    check_input,
    check_program,
    refuse,
)

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: What `on` accepts.
MOMENTS = ("before_execute", "after_execute", "error", "step_complete")

log = logging.getLogger("llmspell.workflow")


class Workflow(WorkflowTrait):
    """A workflow made from steps.

    Args:
        name: shown in results and events
        steps: what runs in order: tables, functions, tools, agents, workflows
        options: the other fields of `WorkflowSpec` (`description`, `error_strategy`, ...)

    Raises `input.invalid` naming each wrong field.
    """

    def __init__(
        self, name: str = "workflow", steps: Sequence[Any] | None = None, **options: Any
    ) -> None:
        given = {**options, "name": name}
        if steps is not None:
            given["steps"] = list(steps)
        self._build(parse_spec(given))

    @classmethod
    def from_spec(cls, spec: Any) -> Workflow:
        """A workflow from a `WorkflowSpec`, its data, or a bare list of steps."""
        made = cls.__new__(cls)
        made._build(parse_spec(spec))
        return made

    def _build(self, spec: WorkflowSpec) -> None:
        #: Whether somebody gave it a name.
        self.named = bool(spec.name)
        if not spec.name:
            spec = spec.model_copy(update={"name": "workflow"})
        super().__init__(spec.name, spec.description)
        self.spec = spec
        self.workflow_type = spec.type
        self.program = Program(spec)
        self.history = History()
        #: Shared data that each run starts with.
        self.shared: dict[str, Any] = {}
        self._added: dict[str, list[Any]] = {}
        self._report: Report | None = None

    # -- running -----------------------------------------------------------------------------

    def read_input(self, given: Any) -> AgentInput:
        if isinstance(given, AgentInput):
            return given
        return WorkflowInput.of_value(given)

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        report = self.validate(ctx)
        if not report.valid:
            raise refuse(self.name, report)
        value = value_of(input)
        check_input(self.program, value)
        run = self._new_run(value, ctx, input.shared if isinstance(input, WorkflowInput) else None)
        for warning in report.warnings:
            run.warn(warning)
        result = await self._observed(run)
        if not result.success:
            raise WorkflowFailed(result)
        return WorkflowOutput.of(result)

    def _new_run(self, value: Any, ctx: ExecutionContext, shared: dict[str, Any] | None) -> Run:
        observers = Observers()
        for moment in ("start", "step_start", "step_complete", "error", "complete", "timeout"):
            observers.add(f"on_{moment}", getattr(self.spec, f"on_{moment}"))
        for moment, functions in self._added.items():
            for function in functions:
                observers.add(f"on_{moment}", function)
        return Run(
            self.name,
            ctx,
            value,
            shared={**self.shared} if shared is None else shared,
            observers=observers,
            strict=self.spec.strict_templates,
        )

    async def _observed(self, run: Run) -> WorkflowResult:
        self.history.begin(run)
        success = False
        try:
            await run.observers.tell("on_before_execute", run.input)
            await run.observers.tell("on_start")
            await Interpreter(self.program, run).execute()
            result = build_result(self.program, run)
            success = result.success
            if success:
                await run.observers.tell("on_complete", result)
            await run.observers.tell("on_after_execute", result)
            return result
        finally:
            self.history.end(run, success=success)

    async def run_result(
        self, input: Any = None, ctx: ExecutionContext | None = None, *, dry_run: bool = False
    ) -> WorkflowResult:
        """Run it and give the whole result; a failed run is a result with `success` False.

        What is refused before the first step is raised: the specification, the input, a
        permission. `dry_run` calls nothing and shows what would be done.
        """
        if dry_run:
            return await self._plan(input, ctx)
        try:
            return await run_for_result(self, input, ctx)
        except WorkflowFailed as failed:
            log.warning("%s", failed.result.text)
            return failed.result

    async def _plan(self, input: Any, ctx: ExecutionContext | None) -> WorkflowResult:
        from llmspell_core.context import context_for

        async with context_for(ctx) as found:
            value = value_of(self.read_input(input))
            report = self.validate(found)
            try:
                check_input(self.program, value)
            except LLMSpellError as error:
                report.add("", error)
            return await dry_run(self.program, self._new_run(value, found, None), report)

    # -- asking ------------------------------------------------------------------------------

    def validate(self, ctx: ExecutionContext | None = None) -> Report:
        """What is wrong with it; with a context also whether its components can be used."""
        if self._report is None:
            self._report = check_program(self.program)
        report = self._report.copy()
        if ctx is not None:
            check_components(self.program, ctx, report)
        return report

    def get_output(self, step: str) -> Any:
        """What a step of the latest run gave; None when it was skipped or failed."""
        if step not in self.program.names:
            raise NotFoundError(
                f"workflow '{self.name}' has no step \"{step}\"",
                code="workflow.step_not_found",
                hint=did_you_mean(step, list(self.program.names)),
            )
        return self.history.outputs().get(step)

    def get_info(self) -> dict[str, Any]:
        """What it is, as data."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.workflow_type,
            "description": self.description,
            "steps": [
                {"name": step.name, "type": step.type, "target": step.runner.target}
                for step in self.program.all
            ],
            "input_schema": self.spec.input_schema or {},
            "running": self.history.active > 0,
        }

    def to_spec(self) -> dict[str, Any]:
        """The specification as JSON data; functions are only named in it."""
        data: dict[str, Any] = to_data(self.spec)
        return {"name": self.name, "type": self.workflow_type, **data}

    def to_mermaid(self) -> str:
        """A Mermaid flowchart of its steps."""
        return to_mermaid(self.program)

    def share(self, key: str, value: Any) -> None:
        """Write shared data: of the run that is going on, else of the runs to come.

        None takes the key out.
        """
        latest = self.history.latest
        if latest is not None:
            latest.share(key, value)
        if self.history.active == 0:
            if value is None:
                self.shared.pop(key, None)
            else:
                self.shared[key] = copied(value)

    # -- using -------------------------------------------------------------------------------

    def on(self, moment: str, function: Callable[..., Any]) -> None:
        """Call a function in each run at a moment.

        `before_execute` gives it the input, `after_execute` the result, `error` the error and
        the step's name, `step_complete` the step's name and result.
        """
        if moment not in MOMENTS:
            raise NotFoundError(
                f'a workflow has no moment "{moment}"', hint=did_you_mean(moment, list(MOMENTS))
            )
        self._added.setdefault(moment, []).append(function)

    def schema_as_tool(self) -> dict[str, Any] | None:
        from llmspell_core.schema import short_form

        return short_form(self.spec.input_schema) if self.spec.input_schema else None

    def as_tool(self, name: str | None = None, description: str | None = None) -> ComponentTool:
        """A tool that runs it."""
        return ComponentTool(self, name, description)

    def as_agent(self, name: str | None = None, description: str | None = None) -> WorkflowAgent:
        """An agent that answers with its output."""
        return WorkflowAgent(self, name, description)

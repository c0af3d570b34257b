"""A workflow in a script's hands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_core.context import current
from llmspell_core.errors import WorkflowError
from llmspell_core.extensions import Extensions
from llmspell_core.script.api import Result, ScriptFunction, ScriptObject, script_method
from llmspell_core.script.model import ScriptModel
from llmspell_core.security.limits import check_value
from llmspell_core.state import StateView
from llmspell_core.state.scopes import scope_for
from llmspell_core.workflow import Workflow as WorkflowTrait
from llmspell_workflows.functions import call
from llmspell_workflows.outcome import WorkflowFailed, run_for_result
from llmspell_workflows.templates import copied
from llmspell_workflows.workflow import Workflow

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext

log = logging.getLogger("llmspell.workflow")


class ExecuteOptions(ScriptModel):
    """How to execute."""

    dry_run: bool = False


class ScriptWorkflow(ScriptObject):
    """A workflow: steps that run in order, and what they came to."""

    type_name: ClassVar[str] = "workflow"

    def __init__(self, component: WorkflowTrait, ctx: ExecutionContext) -> None:
        self.component = component
        self._session_ctx = ctx

    def script_fields(self) -> dict[str, Any]:
        return {"id": self.component.id, "name": self.component.name}

    @script_method
    async def execute(self, input: Any = None, options: ExecuteOptions | None = None) -> Any:
        """Run it. A failed run is a result with `success = false`, never an error.

        What is refused before the first step is thrown: the specification, the input, a
        permission.

        Args:
            input: any data, read by templates as `{{input.field}}`
            options: `dry_run = true` calls nothing and shows what would be done
        """
        try:
            if options is not None and options.dry_run:
                return await self._own().run_result(input, self._ctx, dry_run=True)
            return await run_for_result(self.component, input, self._ctx)
        except WorkflowFailed as failed:
            log.warning("%s", failed.result.text)
            return failed.result

    @script_method
    async def execute_or_throw(self, input: Any = None) -> Any:
        """Run it; a failed run is thrown as `workflow.failed` or `workflow.timeout`.

        Args:
            input: any data
        """
        return await run_for_result(self.component, input, self._ctx)

    @script_method
    async def validate(self) -> Any:
        """What is wrong with it, as {valid, errors, warnings}; nothing is run."""
        return self._own().validate(self._ctx)

    @script_method
    async def get_info(self) -> Any:
        """What it is, as {id, name, type, description, steps, input_schema, running}."""
        if isinstance(self.component, Workflow):
            return Result(self.component.get_info())
        one = self.component
        fields = {"id": one.id, "name": one.name, "description": one.description}
        return Result({**fields, "type": one.workflow_type})

    @script_method
    async def get_output(self, step: str) -> Any:
        """The output of a step in the latest run; nil when it was skipped or failed.

        Args:
            step: the step's name
        """
        return self._own().get_output(step)

    @script_method
    async def get_all_outputs(self) -> dict[str, Any]:
        """The outputs of the latest run by step name."""
        return self._own().history.outputs()

    @script_method
    async def get_metrics(self) -> Any:
        """Figures over its runs.

        They are {runs_total, runs_failed, runs_active, steps_executed, average_ms, last_ms}.
        """
        return Result(self._own().history.metrics())

    @script_method
    async def get_execution_id(self) -> str | None:
        """The id of the latest run; nil before the first."""
        latest = self._own().history.latest
        return latest.id if latest else None

    @script_method
    async def get_state(self, key: str | None = None, default: Any = None) -> Any:
        """A value of the workflow's own state, or all of it.

        Args:
            key: the value's name; all values when left out
            default: what to give when there is none
        """
        state = self._state()
        return await state.all() if key is None else await state.get(key, default)

    @script_method
    async def set_state(self, key: str, value: Any = None) -> None:
        """Set a value of the workflow's own state, which outlives the run; nil deletes it.

        Args:
            key: the value's name
            value: any JSON value
        """
        await self._state().set(key, value)

    @script_method
    async def get_shared_data(self, key: str) -> Any:
        """A value of the latest run's shared data, else of State, else nil.

        Args:
            key: the value's name
        """
        own = self._own()
        latest = own.history.latest
        for data in (latest.shared if latest else {}, own.shared):
            if key in data:
                return copied(data[key])
        return await self._ctx.state.get(key)

    @script_method
    async def set_shared_data(self, key: str, value: Any = None) -> None:
        """Write shared data: of the run that is going on, else of the runs to come.

        Args:
            key: the value's name
            value: any data; nil takes it out
        """
        self._own().share(key, value)

    @script_method
    async def to_spec(self) -> dict[str, Any]:
        """Its specification as JSON data; functions are only named in it."""
        return self._own().to_spec()

    @script_method
    async def to_mermaid(self) -> str:
        """Its steps as a Mermaid flowchart."""
        return self._own().to_mermaid()

    @script_method
    async def as_tool(self, name: str | None = None) -> Any:
        """Register it as a tool of this script and give the tool.

        Args:
            name: the tool's name; the workflow's when left out
        """
        from llmspell_core.adapters import ComponentTool

        tool = ComponentTool(self.component, name)
        self._ctx.overlay.tools.register(tool.name, tool, source="script", replace=True)
        return await self._object("Tool", tool)

    @script_method
    async def as_agent(self, name: str | None = None) -> Any:
        """Register it as an agent of this script, which answers with its output.

        Args:
            name: the agent's name; the workflow's when left out
        """
        from llmspell_workflows.as_agent import WorkflowAgent

        agent = WorkflowAgent(self.component, name)
        self._ctx.overlay.agents.register(agent.name, agent, source="script", replace=True)
        return await self._object("Agent", agent)

    @script_method
    async def on_before_execute(self, handler: ScriptFunction) -> None:
        """Call a function with the input of each run.

        Args:
            handler: a function of the input
        """
        self._own().on("before_execute", handler)

    @script_method
    async def on_after_execute(self, handler: ScriptFunction) -> None:
        """Call a function with the result of each run.

        Args:
            handler: a function of the result
        """
        self._own().on("after_execute", handler)

    @script_method
    async def on_error(self, handler: ScriptFunction) -> None:
        """Call a function with each failure of a step.

        Args:
            handler: a function of the error and the step's name
        """
        self._own().on("error", handler)

    @script_method
    async def on_step_complete(self, handler: ScriptFunction) -> None:
        """Call a function when a step went well.

        Args:
            handler: a function of the step's name and its result
        """
        self._own().on("step_complete", handler)

    @script_method
    async def emit(self, event: str, data: Any = None) -> str:
        """Publish an event of this workflow; returns its id.

        Args:
            event: the event's type
            data: any data
        """
        ctx = self._ctx
        sent = ctx.events.emit(
            event,
            data,
            source=f"workflow:{self.component.name}",
            correlation_id=ctx.correlation_id,
            language=ctx.language,
            size=check_value(data, ctx.policy.profile.limits),
        )
        return str(sent.id)

    @property
    def _ctx(self) -> ExecutionContext:
        # Inside a callback the run that calls back: its deadline and account hold.
        found = current()
        if found is not None and found.overlay is self._session_ctx.overlay:
            return found
        return self._session_ctx

    def _own(self) -> Workflow:
        if isinstance(self.component, Workflow):
            return self.component
        raise WorkflowError(
            f"workflow {self.component.name} is of a kind that only executes",
            code="workflow.unsupported",
            hint="use execute, execute_or_throw or get_info",
        )

    def _state(self) -> StateView:
        ctx = self._ctx
        scope = scope_for(ctx, "workflow", self.component.name)
        return StateView(ctx.runtime.store(), scope, ctx)

    async def _object(self, kind: str, component: BaseAgent) -> Any:
        """A component as the object that its own global gives out; its name without one."""
        globals_ = Extensions("globals")
        if kind not in globals_:
            return component.name
        return await call(globals_.load(kind)(self._session_ctx).get, component.name)

"""The global `Workflow`: make workflows, find them, run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from llmspell_core.adapters import component_of
from llmspell_core.errors import ValidationError
from llmspell_core.schema import describe
from llmspell_core.script.api import Builder, Result, ScriptGlobal, ScriptObject, script_method
from llmspell_core.workflow import Workflow as WorkflowTrait
from llmspell_workflows.context import StepContext
from llmspell_workflows.factory import create_workflow
from llmspell_workflows.globals.script_workflow import ScriptWorkflow
from llmspell_workflows.spec import WORKFLOW_TYPES, WorkflowSpec
from llmspell_workflows.workflow import Workflow


class WorkflowGlobal(ScriptGlobal):
    """Workflows: named steps over tools, agents, functions and other workflows."""

    name: ClassVar[str] = "Workflow"
    objects: ClassVar[tuple[type[ScriptObject], ...]] = (ScriptWorkflow, StepContext)
    builders: ClassVar[Mapping[str, Builder]] = {
        "builder": Builder(
            build="from_spec",
            config=WorkflowSpec,
            extra={
                "sequential": ("flag:sequential", "type"),
                "add_step": ("append", "steps"),
                "add_template_step": ("append", "steps"),
            },
        )
    }

    @script_method
    def sequential(self, config: WorkflowSpec) -> ScriptWorkflow:
        """Make a workflow whose steps run one after the other.

        Args:
            config: its fields, or a bare list of steps
        """
        return self._given(Workflow.from_spec(config))

    @script_method(guest=True)
    def builder(self) -> Any:
        """Collect the fields and steps of a workflow: a setter for each, then build()."""

    @script_method
    async def from_spec(self, spec: Any) -> ScriptWorkflow:
        """Make a workflow from data.

        Args:
            spec: a table, a list of steps, or the path of a .toml, .json or .yaml file
        """
        return self._given(await create_workflow(spec, self.ctx))

    @script_method
    async def register(self, workflow: Any, more: Any = None) -> str:
        """Make a workflow known by name in this run; returns the name.

        Args:
            workflow: a workflow or its fields, or a name before `more`
            more: the workflow or its fields, after a name
        """
        name = workflow if isinstance(workflow, str) and more is not None else None
        found = await self._workflow(more if name else workflow)
        name = name or found.name
        self.ctx.overlay.workflows.register(name, found, source="script", replace=True)
        return name

    @script_method
    def get(self, name: str) -> ScriptWorkflow:
        """The workflow of this name.

        Args:
            name: the name it was made or registered with
        """
        return ScriptWorkflow(self.ctx.overlay.workflows.get(name), self._session_ctx)

    @script_method
    def list_(self) -> list[Any]:
        """All named workflows, as {id, name, type}."""
        registry = self.ctx.overlay.workflows
        found = []
        for name in registry.names():
            workflow = registry.get(name)
            fields = {"id": workflow.id, "name": name, "type": workflow.workflow_type}
            found.append(Result(fields))
        return found

    @script_method
    def remove(self, name: str) -> bool:
        """Forget a named workflow of this run; whether it was there.

        Args:
            name: the workflow's name
        """
        return self.ctx.overlay.workflows.remove(name)

    @script_method(aliases=("discover_types",))
    def types(self) -> list[str]:
        """The types of workflows that can be made."""
        return list(WORKFLOW_TYPES)

    @script_method
    async def execute(self, workflow: Any, input: Any = None) -> Any:
        """Run a workflow; a failed run is a result with `success = false`.

        Args:
            workflow: a workflow, its name, or its fields
            input: any data
        """
        found = await self._workflow(workflow)
        return await ScriptWorkflow(found, self._session_ctx).execute(input)

    def _given(self, workflow: WorkflowTrait) -> ScriptWorkflow:
        """To the script, and known by its name where it was given one."""
        if not isinstance(workflow, Workflow) or workflow.named:
            self.ctx.overlay.workflows.register(
                workflow.name, workflow, source="script", replace=True
            )
        return ScriptWorkflow(workflow, self._session_ctx)

    async def _workflow(self, given: Any) -> WorkflowTrait:
        found = component_of(given)
        if isinstance(found, WorkflowTrait):
            return found
        if isinstance(given, str):
            return self.ctx.overlay.workflows.get(given)
        if isinstance(given, (dict, list)):
            return await create_workflow(given, self.ctx)
        raise ValidationError(
            f"a workflow, its name or its fields are expected, not {describe(given)}"
        )

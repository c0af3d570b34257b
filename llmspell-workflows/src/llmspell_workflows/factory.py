"""Makes a workflow from data: `ctx.create("workflow", spec)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.adapters import component_of
from llmspell_core.workflow import Workflow as WorkflowTrait
from llmspell_workflows.files import read_spec
from llmspell_workflows.workflow import Workflow

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


async def create_workflow(spec: Any, ctx: ExecutionContext) -> WorkflowTrait:
    """A workflow from a table, a list of steps, or the path of a file with one.

    A workflow is given back as it is. Raises `input.invalid`, `policy.*` for the file.
    """
    found = component_of(spec)
    if isinstance(found, WorkflowTrait):
        return found
    return Workflow.from_spec(await read_spec(spec, ctx) if isinstance(spec, str) else spec)

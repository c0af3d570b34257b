"""The trait of a workflow: named steps over tools, agents, functions and other workflows."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from llmspell_core.component import BaseAgent, Kind
from llmspell_core.script.api import Result


class StepResult(BaseModel):
    """How one step went; `output` is its natural value, `result` the whole result object."""

    model_config = ConfigDict(defer_build=True, arbitrary_types_allowed=True)

    name: str
    type: str
    success: bool = True
    output: Any = None
    result: Any = None
    error: dict[str, Any] | None = None
    attempts: int = 1
    duration_ms: float = 0.0
    skipped: bool = False

    def to_script(self) -> Result:
        """For scripts: absent fields left out."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Result({k: v for k, v in fields.items() if v is not None})


class WorkflowResult(BaseModel):
    """What a run of a workflow gives back; SCRIPT-API names each field. Times are ms."""

    model_config = ConfigDict(defer_build=True, arbitrary_types_allowed=True)

    success: bool
    text: str
    output: Any = None
    outputs: dict[str, Any] = Field(default_factory=dict)
    data: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None
    failed_step: str | None = None
    warnings: list[str] = Field(default_factory=list)
    duration_ms: float = 0.0
    steps: list[StepResult] = Field(default_factory=list)
    state: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)

    def to_script(self) -> Result:
        """For scripts: absent fields left out, nested results readable in both spellings."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        found = {k: v for k, v in fields.items() if v is not None}
        metadata = dict(self.metadata)
        if isinstance(metadata.get("extra"), dict):
            metadata["extra"] = Result(metadata["extra"])
        found["metadata"] = Result(metadata)
        found["data"] = Result(self.data)
        return Result(found)


class Workflow(BaseAgent):
    """A workflow. Run as an agent, its text and its outputs become the AgentOutput."""

    kind: ClassVar[Kind] = "workflow"
    #: "sequential" and so on; shown by `Workflow.list`.
    workflow_type: str = "sequential"

"""One run on its way through the Runner: what it is, and what is told of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError, LLMSpellError, ToolError, WorkflowError

if TYPE_CHECKING:
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext


@dataclass(frozen=True, slots=True)
class Moments:
    """The hook points and events of one kind of component."""

    kind: str
    before: str
    after: str
    error: str
    started: str
    completed: str
    failed: str
    raises: type[LLMSpellError]


MOMENTS = {
    "agent": Moments(
        "agent",
        "before_agent_execution",
        "after_agent_execution",
        "agent_error",
        "agent.started",
        "agent.completed",
        "agent.failed",
        AgentError,
    ),
    "workflow": Moments(
        "workflow",
        "before_workflow_start",
        "after_workflow_complete",
        "workflow_error",
        "workflow.started",
        "workflow.completed",
        "workflow.failed",
        WorkflowError,
    ),
    "tool": Moments(
        "tool",
        "before_tool_execution",
        "after_tool_execution",
        "tool_error",
        "tool.invoked",
        "tool.completed",
        "tool.failed",
        ToolError,
    ),
}


@dataclass(slots=True)
class Call:
    """One run on its way through the pipeline."""

    moments: Moments
    component: BaseAgent
    ctx: ExecutionContext
    operation: str
    #: The AgentInput, or a tool call's parameters.
    payload: Any
    started: float
    call_id: str | None = None
    #: It has its span already.
    traced: bool = False

    def emit(self, type_: str, **data: Any) -> None:
        """Tell the run's bus; the component and the run are always named."""
        ctx, component = self.ctx, self.component
        data["name"] = component.name
        data["id"] = component.id
        data["run_id"] = ctx.run_id
        if self.call_id:
            data["call_id"] = self.call_id
        ctx.events.emit(type_, data, correlation_id=ctx.correlation_id, language=ctx.language)

    def elapsed_ms(self) -> float:
        """How long it has taken so far."""
        return (time.perf_counter() - self.started) * 1000

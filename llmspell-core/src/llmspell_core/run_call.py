"""One run on its way through the Runner: what it is, and what is told of it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError, LLMSpellError, ToolError, WorkflowError

if TYPE_CHECKING:
    from llmspell_core.account import Booked
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
    #: Which attempt this is, counted from 1: hooks may ask for another.
    attempt: int = 1
    #: The place that the account keeps for this call, in the batch it belongs to.
    booked: Booked | None = None
    #: The context as the pipeline was entered with; `ctx` may change on the way.
    outer: ExecutionContext = field(init=False)
    #: Until when a person may think about it (`time.monotonic()`): no tool's timeout is in it.
    patience: float = math.inf
    #: The arguments that somebody has approved: another attempt with them is not asked about.
    approved: dict[str, Any] | None = None
    #: Whether a person has changed its arguments.
    edited: bool = False

    def __post_init__(self) -> None:
        self.outer = self.ctx

    def wait(self, seconds: float) -> None:
        """Somebody was waited for: what the call itself may take begins later."""
        deadline = self.ctx.deadline
        if deadline is not None:
            moved = min(deadline + seconds, self.patience)
            self.ctx = self.ctx.child(deadline=moved)

    def emit(self, type_: str, **data: Any) -> None:
        """Tell the run's bus; the component and the run are always named."""
        ctx, component = self.ctx, self.component
        data["name"] = component.name
        data["id"] = component.id
        data["run_id"] = ctx.run_id
        if self.call_id:
            data["call_id"] = self.call_id
        ctx.events.emit(type_, data, correlation_id=ctx.correlation_id, language=ctx.language)

    @property
    def grace(self) -> float:
        """How many seconds it may go on after it was cancelled; 0: until what it runs has ended."""
        return float(getattr(self.component, "grace_ms", 0)) / 1000

    def abandoned(self) -> None:
        """It did not end by then."""
        self.ctx.runtime.abandoned.add(self)

    def elapsed_ms(self) -> float:
        """How long it has taken so far."""
        return (time.perf_counter() - self.started) * 1000

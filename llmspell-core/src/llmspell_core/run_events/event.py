"""`RunEvent`: one thing that happened in a run, as its listeners see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from llmspell_core.messages import AgentOutput, ToolCall, Usage
from llmspell_core.script.api import Result

RunEventType = Literal[
    "run.started",
    "text.delta",
    "reasoning.delta",
    "tool_call.started",
    "tool_call.delta",
    "tool_call.ready",
    "tool.started",
    "tool.progress",
    "tool.completed",
    "tool.failed",
    "output.partial",
    "approval.requested",
    "handoff",
    "compacted",
    "retry",
    "fallback",
    "usage",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "run.paused",
]
RUN_EVENT_TYPES: tuple[str, ...] = get_args(RunEventType)
#: The last event of a run is one of these, and no other event of it is.
TERMINAL = frozenset({"run.completed", "run.failed", "run.cancelled", "run.paused"})

_FIELDS = (
    ("type", "string", True, "what happened, such as text.delta"),
    ("sequence", "integer", True, "grows with every event of the run, from 1"),
    ("run_id", "string", True, "the run"),
    ("agent_path", "string", True, "who: triage/billing#2 is billing's second time below triage"),
    ("elapsed_ms", "number", True, "since the run began, ms"),
    ("request", "integer", False, "which model request; its text deltas together are its answer"),
    ("text", "string", False, "a piece of text or of arguments; what the model is told"),
    ("index", "integer", False, "which call of the answer, counted from 0"),
    ("call_id", "string", False, "the tool call"),
    ("tool", "string", False, "the tool's name"),
    ("tool_call", "ToolCall", False, "the whole call, with its result once it has one"),
    ("value", "any", False, "the part of the answer's data that is there"),
    ("done", "number", False, "how far a tool has come"),
    ("total", "number", False, "of how much; 0 when unknown"),
    ("target", "string", False, "who takes over"),
    ("reason", "string", False, "why"),
    ("model", "string", False, "the model that failed"),
    ("to", "string", False, "the model that is asked instead"),
    ("restarted", "boolean", False, "the deltas of this request are void: it begins anew"),
    ("attempt", "integer", False, "which attempt has failed, counted from 1"),
    ("delay_ms", "number", False, "how long until the next one, ms"),
    ("details", "Record<string, any>", False, "numbers, by what is counted"),
    ("usage", "Usage", False, "tokens and money of the request"),
    ("error", "Record<string, any>", False, "the error"),
    ("output", "AgentOutput", False, "the output of the run"),
)


@dataclass(slots=True)
class RunEvent:
    """One thing that happened in a run; fields that its kind does not have are None."""

    #: The type that editors and the reference show of `to_script`.
    script_type: ClassVar[dict[str, Any]] = {
        "doc": "One thing that happened in a run of an agent.",
        "fields": [
            {"name": name, "type": kind, "required": needed, "doc": doc, "aliases": []}
            for name, kind, needed, doc in _FIELDS
        ],
    }

    type: RunEventType
    #: Grows with every event of the run. Deltas that waited are merged: the last one's stays.
    sequence: int
    run_id: str
    agent_path: str
    elapsed_ms: float
    #: How many tools the agent runs inside of; 0: the run's own agents. Not for scripts.
    depth: int = 0
    request: int | None = None
    text: str | None = None
    index: int | None = None
    call_id: str | None = None
    tool: str | None = None
    tool_call: ToolCall | None = None
    value: Any = None
    done: float | None = None
    total: float | None = None
    target: str | None = None
    reason: str | None = None
    model: str | None = None
    to: str | None = None
    restarted: bool | None = None
    attempt: int | None = None
    delay_ms: float | None = None
    details: dict[str, Any] | None = None
    usage: Usage | None = None
    error: dict[str, Any] | None = None
    output: AgentOutput | None = None
    #: What a failed run raised. Not for scripts.
    cause: Exception | None = None

    @property
    def terminal(self) -> bool:
        """Whether the run is over."""
        return self.type in TERMINAL

    def to_script(self) -> Result:
        """For scripts: absent fields left out."""
        found: dict[str, Any] = {}
        for name, *_ in _FIELDS:
            value = getattr(self, name)
            if value is not None:
                found[name] = value
        if self.details is not None:
            found["details"] = Result(self.details)
        if self.error is not None:
            found["error"] = Result(self.error)
        return Result(found)

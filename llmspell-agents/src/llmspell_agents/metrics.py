"""`AgentMetrics`: what an agent has done since it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmspell_core.messages import AgentOutput


@dataclass(slots=True)
class AgentMetrics:
    """Counts over all runs of one agent."""

    requests_total: int = 0
    requests_failed: int = 0
    requests_active: int = 0
    tool_invocations: int = 0
    tokens_total: int = 0
    #: None once the price of something was unknown.
    cost_usd: float | None = 0.0
    total_ms: float = 0.0
    last_error: dict[str, Any] | None = None

    def begin(self) -> None:
        """A run starts."""
        self.requests_total += 1
        self.requests_active += 1

    def done(self, output: AgentOutput, duration_ms: float) -> None:
        """A run ended with an output."""
        self.requests_active -= 1
        self.last_error = None
        self.total_ms += duration_ms
        self.tool_invocations += len(output.tool_calls)
        self.tokens_total += output.metadata.usage.total_tokens
        used = output.metadata.usage
        if self.cost_usd is not None and (used.cost_usd is not None or used.total_tokens):
            self.cost_usd = None if used.cost_usd is None else self.cost_usd + used.cost_usd

    def failed(self, error: dict[str, Any], duration_ms: float) -> None:
        """A run ended with an error."""
        self.requests_active -= 1
        self.requests_failed += 1
        self.total_ms += duration_ms
        self.last_error = error

    def stopped(self, duration_ms: float) -> None:
        """A run stopped and may go on: it waits for an approval."""
        self.requests_active -= 1
        self.total_ms += duration_ms

    def as_dict(self, agent_id: str) -> dict[str, Any]:
        """The documented fields; `average_ms` is over the runs that have ended."""
        ended = self.requests_total - self.requests_active
        return {
            "agent_id": agent_id,
            "requests_total": self.requests_total,
            "requests_failed": self.requests_failed,
            "requests_active": self.requests_active,
            "tool_invocations": self.tool_invocations,
            "tokens_total": self.tokens_total,
            "cost_usd": self.cost_usd,
            "average_ms": self.total_ms / ended if ended else 0.0,
        }

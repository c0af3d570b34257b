"""One agent's part in a composite: asked, and its answer or failure kept as a row."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import AgentError, LLMSpellError
from llmspell_core.messages import AgentInput, AgentOutput, ToolCall, Usage

if TYPE_CHECKING:
    from llmspell_core.agent import Agent
    from llmspell_core.context import ExecutionContext


@dataclass(slots=True)
class Part:
    """What one agent gave: an output, or an error."""

    agent: str
    output: AgentOutput | None = None
    error: LLMSpellError | None = None
    duration_ms: float = 0.0

    @property
    def text(self) -> str:
        """The answer; "" of one that failed."""
        return self.output.text if self.output else ""

    def row(self) -> dict[str, Any]:
        """As `data.results` shows it."""
        row: dict[str, Any] = {"agent": self.agent, "success": self.error is None}
        row["text"] = self.text
        if self.output is not None and self.output.data is not None:
            row["data"] = self.output.data
        if self.error is not None:
            row["error"] = self.error.to_dict()
        row["duration_ms"] = self.duration_ms
        return row


@dataclass(slots=True)
class Work:
    """One run of a composite: what its agents have given so far."""

    name: str
    strategy: str
    ctx: ExecutionContext
    parts: list[Part] = field(default_factory=list)

    async def ask(self, agent: Agent, input: AgentInput) -> Part:
        """Run one agent; a failure is kept, not raised."""
        started = time.perf_counter()
        part = Part(agent.name)
        try:
            output = await self.ctx.run(agent, input)
            if not output.success:
                error = output.error or {}
                message = str(error.get("message") or output.text or f"{agent.name} failed")
                part.error = AgentError(message, code=error.get("code"))
            part.output = output
        except LLMSpellError as error:
            part.error = error
        part.duration_ms = (time.perf_counter() - started) * 1000
        return part

    async def ask_all(self, agents: list[Agent], input: AgentInput, most: int) -> None:
        """Run all agents with the same input; the parts are in the order of the agents."""
        slots = asyncio.Semaphore(most)

        async def one(agent: Agent) -> Part:
            async with slots:
                return await self.ask(agent, input)

        self.parts.extend(await asyncio.gather(*(one(agent) for agent in agents)))

    def answered(self) -> list[Part]:
        """The parts that did not fail."""
        return [part for part in self.parts if part.error is None]

    def failure(self, why: str, part: Part | None = None) -> AgentError:
        """`agent.composite_failed`, with everything that was answered."""
        cause = part.error if part else None
        details: dict[str, Any] = {
            "strategy": self.strategy,
            "results": [one.row() for one in self.parts],
        }
        if part:
            details["agent"] = part.agent
        return AgentError(
            f"{self.name}: {why}",
            code="agent.composite_failed",
            hint=cause.hint if cause else None,
            details=details,
            retryable=bool(cause and cause.retryable),
        )

    def output(self, text: str, value: Any = None, **more: Any) -> AgentOutput:
        """The answer of the composite.

        Args:
            text: the answer as text
            value: the answer as data, where it is more than the text
            more: further fields of `data`
        """
        data = {"strategy": self.strategy, "results": [one.row() for one in self.parts], **more}
        if value is not None:
            data["value"] = value
        output = AgentOutput(text=text, data=data, agent=self.name)
        usage, calls = Usage(), list[ToolCall]()
        for part in self.parts:
            if part.output is not None:
                usage.add(part.output.metadata.usage)
                calls.extend(part.output.tool_calls)
                output.metadata.iterations += part.output.metadata.iterations
        output.metadata.usage, output.tool_calls = usage, calls
        output.metadata.finish_reason = "stop"
        return output

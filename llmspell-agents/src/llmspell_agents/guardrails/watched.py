"""Agents of other kinds that are handed over to: the guardrails before them see their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_agents.guardrails.answer import check_answer
from llmspell_agents.guardrails.config import NO_GUARDRAILS
from llmspell_agents.guardrails.scope import Scope
from llmspell_core.agent import Agent as CoreAgent

if TYPE_CHECKING:
    from llmspell_agents.chain import Leg
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import AgentInput, AgentOutput


def watched(leg: Leg) -> BaseAgent:
    """The agent of a leg, behind the guardrails that it knows nothing of itself."""
    component = leg.component
    if not leg.chain.scopes or getattr(component, "guards_itself", False):
        return component
    return _Watched(component, leg)


class _Watched(CoreAgent):
    """Runs an agent to its end, and hands its answer out when it was checked."""

    def __init__(self, inner: BaseAgent, leg: Leg) -> None:
        super().__init__(inner.name, inner.description)
        self.id = inner.id
        self.inner = inner
        self.timeout_ms = getattr(inner, "timeout_ms", None)
        self._scope = Scope(inner.name, NO_GUARDRAILS, tuple(leg.chain.scopes))

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        output = await self.inner.run(input, ctx)
        if output.handoff_request is None:
            await check_answer(self._scope, output, ctx)
        return output

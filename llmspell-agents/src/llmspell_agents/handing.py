"""`Handing`: stands for an agent while its script hands over to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_core.adapters import component_of
from llmspell_core.agent import Agent as CoreAgent
from llmspell_core.errors import ValidationError
from llmspell_core.messages import AgentInput, AgentOutput, HandoffRequest, Message
from llmspell_core.schema import describe

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_agents.conversation import Talk
    from llmspell_core.context import ExecutionContext


class Handing(CoreAgent):
    """Its run is the request: the AgentRuntime does the rest, as for every output."""

    guards_itself = True

    def __init__(self, source: Agent, request: HandoffRequest) -> None:
        super().__init__(source.name, source.description)
        self.id = source.id
        self.source = source
        self.config = source.config
        self.run_limits = source.run_limits
        self.timeout_ms = source.timeout_ms
        self._request = request

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        return AgentOutput(agent=self.name, handoff_request=self._request)

    def conversation(self, input: AgentInput, ctx: ExecutionContext) -> Talk | None:
        """The source's own."""
        return self.source.conversation(input, ctx)

    async def ask(self, messages: list[Message], ctx: ExecutionContext) -> str:
        """One request to the source's model."""
        await self.source.prepare(ctx)
        return await self.source.ask(messages, ctx)


async def handing(
    source: Agent, target: Any, input: Any, reason: str, ctx: ExecutionContext
) -> AgentOutput:
    """Hand over from one agent to another, as a turn of its conversation. Raises `input.invalid`.

    Args:
        source: who hands over
        target: the agent, or its name
        input: what it shall answer; None: what the user said last
        reason: why
        ctx: the run
    """
    agent = component_of(target)
    if not isinstance(agent, CoreAgent) and not isinstance(target, str):
        raise ValidationError(f"handoff_to: an agent is expected, not {describe(target)}")
    turn = source.turn(input)
    if input is None and not await source.talks.history(turn.session, ctx):
        raise ValidationError(
            "handoff_to: input is required: nothing was said in the conversation yet"
        )
    name = agent.name if isinstance(agent, CoreAgent) else str(target)
    request = HandoffRequest(target=name, input=input, reason=reason, agent=agent)
    return await Handing(source, request).execute(turn, ctx)

"""One run of one agent: its input, checked; its model or its function; what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmspell_agents.answers import check_code_answer
from llmspell_agents.assembly import Assembly
from llmspell_agents.code import call_code
from llmspell_agents.guardrails.turn import guarded_turn
from llmspell_agents.handoffs import Peers
from llmspell_agents.interrupted import run_kept
from llmspell_agents.prompting import user_message
from llmspell_agents.restraints import restrained
from llmspell_agents.runtime import leg_for
from llmspell_core.messages import AgentInput, AgentOutput, Message

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_agents.chain import Leg
    from llmspell_agents.guardrails.turn import GuardedTurn
    from llmspell_core.context import ExecutionContext

#: An output, and the messages that led to it after the user's.
Said = tuple[AgentOutput, list[Message]]


async def take_turn(agent: Agent, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
    """The agent's output; what was said is written into the leg that it runs in."""
    leg = leg_for(agent, ctx)
    config = agent.config
    if ctx.step is not None:
        ctx = ctx.child(step=ctx.step.beneath(agent.name))
    ctx = restrained(ctx, config.security, agent.name)
    if config.deps is not None:
        ctx = ctx.child(deps=config.deps)
    target = agent.targets[ctx.runtime][0] if config.execute is None else None
    user = [] if leg.bare else [await user_message(input, ctx, target)]
    guard = guarded_turn(agent.name, config.guardrails, leg, ctx)
    turn = _Turn(agent, ctx if guard is None else guard.ctx, leg, guard)
    if guard is None:
        output, added = await turn.work(input, user)
        said = [*user, *added]
    else:
        # What was not checked is not kept, so nothing is of a turn that is cut off.
        leg.noted = True
        output, said = await guard.run(input, user, turn.work, model=turn.by_model)
    leg.note(said)
    return output


@dataclass(frozen=True, slots=True)
class _Turn:
    """Where the agent runs, and what it is asked through."""

    agent: Agent
    ctx: ExecutionContext
    leg: Leg
    guard: GuardedTurn | None

    async def work(self, given: AgentInput, user: list[Message]) -> Said:
        """The answer of its model, or of the function that it is made of."""
        return await (self._asked(given, user) if self.by_model else self._called(given))

    @property
    def by_model(self) -> bool:
        return self.agent.config.execute is None

    async def _asked(self, given: AgentInput, user: list[Message]) -> Said:
        agent, leg, guard = self.agent, self.leg, self.guard
        peers = await Peers.of(agent.name, agent.config.handoffs, given, self.ctx)
        loop = await Assembly(agent, given, self.ctx, leg, peers).loop(user, guard)
        if leg.chain.keep is not None:
            loop.on_step = lambda: leg.step([*user, *loop.kept])
        return await run_kept(loop, user, leg if guard is None else None), loop.added

    async def _called(self, given: AgentInput) -> Said:
        agent, events = self.agent, self.ctx.run_events
        function = agent.config.execute
        assert function is not None  # noqa: S101 - by_model has said so
        output = await call_code(function, agent.name, given, self.ctx, self.leg)
        asked = agent.config.response_format or self.leg.chain.schema
        output = check_code_answer(output, asked, agent.name)
        if self.guard is not None and output.handoff_request is None:
            await self.guard.function_answer(output, asked)
        if events is not None and output.text:
            events.request_started()
            events.text(output.text)
            events.answered()
        return output, [Message(role="assistant", content=output.text)]

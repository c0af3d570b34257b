"""`AgentRuntime`: runs agents, and moves control when one of them hands off to another."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, cast

from llmspell_agents.carried import carried_messages, move_state, settled
from llmspell_agents.chain import Chain, Leg, _leg, leg_of, step_of
from llmspell_agents.config import DEFAULT_HANDOFFS
from llmspell_agents.guardrails.watched import watched
from llmspell_agents.handing import Handing
from llmspell_agents.interrupted import closed, was_cut_off
from llmspell_agents.passing import check_handoff, input_of, moment, peer_of, tell
from llmspell_agents.restraints import held_by, passed_on
from llmspell_core.account import Account
from llmspell_core.agent import Agent
from llmspell_core.errors import NotFoundError
from llmspell_core.messages import AgentInput, AgentOutput, HandoffRequest, Message
from llmspell_core.telemetry import after_handoff

if TYPE_CHECKING:
    from llmspell_agents.conversation import Talk, Turn
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.runner import Once
    from llmspell_core.runtime import Runtime


class AgentRuntime:
    """The runner of agents: every output is looked at, and a hand-off is followed.

    The deadline, the account and the policy of the run hold for all agents that take part;
    what one of them may not do, none after it may.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is held open."""

    async def run(
        self, component: BaseAgent, input: AgentInput, ctx: ExecutionContext, once: Once
    ) -> AgentOutput:
        """Run an agent, then each one that control is handed to.

        Raises `agent.not_found` for an unknown target, `agent.handoff_limit`.
        """
        if input.resume is not None or may_pause(component, ctx):
            from llmspell_agents import pausing

            async def go(given: AgentInput, within: ExecutionContext) -> AgentOutput:
                return await self._run(component, given, within, once)

            work = pausing.begin if input.resume is None else pausing.resume
            return await work(component, input, ctx, go)
        return await self._run(component, input, ctx, once)

    async def _run(
        self, component: BaseAgent, input: AgentInput, ctx: ExecutionContext, once: Once
    ) -> AgentOutput:
        config: Any = getattr(component, "config", None)
        chain = Chain(
            self,
            component,
            cast("int", getattr(config, "max_handoffs", DEFAULT_HANDOFFS)),
            getattr(config, "response_format", None),
            getattr(config, "output_validator", None),
        )
        # An account of its own, since what the run has used is told at its end.
        account = Account(getattr(component, "run_limits", None), parent=ctx.account)
        changes: dict[str, Any] = {"account": account}
        timeout = getattr(component, "timeout_ms", None)
        if timeout:
            changes["deadline"] = ctx.within(timeout)
        ctx = ctx.child(**changes)
        conversation = _conversation(component, input, ctx)
        if conversation is None:
            output = await self._follow(Leg(chain, component), input, ctx, once)
        else:
            async with conversation.turn(ctx) as turn:
                output = await self._turn(chain, conversation, turn, input, once)
        if account.spent is not None:
            output.metadata.usage = account.spent
        return output

    async def _turn(
        self, chain: Chain, conversation: Talk, turn: Turn, input: AgentInput, once: Once
    ) -> AgentOutput:
        """A turn of a conversation: whoever answered last answers, unless he hands over."""
        chain.before = turn.before
        # What is journaled is kept there until the turn is over.
        chain.keep = turn.keep if turn.ctx.step is None else None
        chain.views = conversation.views
        first = chain.entry
        ctx = turn.ctx
        if not isinstance(first, Handing):
            first, passed = self._holder(first, conversation, ctx)
            for one in passed:
                ctx = passed_on(one, chain, ctx)
        leg = Leg(chain, first, carried=chain.before)
        try:
            output = await self._follow(leg, input, ctx, once, conversation)
        except BaseException as error:
            if was_cut_off(error) and chain.said:
                # What was said is kept: the user goes on from there.
                await turn.done(chain.said)
            raise
        await turn.done(chain.said)
        return output

    def _holder(
        self, entry: BaseAgent, conversation: Talk, ctx: ExecutionContext
    ) -> tuple[BaseAgent, list[BaseAgent]]:
        """Who answers the next turn, and those he has it from.

        In another process they are known by their names; where one is missing, the first agent
        begins anew.
        """
        if conversation.holder is not None:
            return conversation.holder, conversation.passed
        name = getattr(conversation, "holder_name", "")
        if not name or name == entry.name:
            return entry, []
        names = [name, *getattr(conversation, "passed_names", ())]
        try:
            holder, *passed = [
                entry if one == entry.name else self.target(entry, HandoffRequest(target=one), ctx)
                for one in names
            ]
        except NotFoundError:
            return entry, []
        return holder, passed

    async def visit(
        self, leg: Leg, request: HandoffRequest, messages: list[Message], ctx: ExecutionContext
    ) -> AgentOutput:
        """Let another agent answer inside of a run that goes on with its answer.

        Args:
            leg: whose model asked for it
            request: the hand-off
            messages: what the model was shown and has answered, without system texts
            ctx: the run of that model
        """
        chain = leg.chain.branch(settled(messages))
        begun = Leg(chain, leg.component)
        if ctx.run_events is not None:
            # As of a tool: whoever hears the run's own agents only does not hear this one.
            chain.events = begun.events = ctx.run_events.inside(f"transfer_to_{request.target}")
        target = self.target(leg.component, request, ctx)
        next_leg, given = await self._pass_on(begun, target, request, AgentInput(), ctx)
        once = self._runtime.runner.once
        before = [*chain.names]
        output = await self._follow(next_leg, given, ctx, once)
        await moment("after_agent_handoff", leg.component, target, request, ctx)
        output.handoff = output.handoff[len(before) :]
        return output

    async def _follow(
        self,
        leg: Leg,
        input: AgentInput,
        ctx: ExecutionContext,
        once: Once,
        conversation: Talk | None = None,
    ) -> AgentOutput:
        """Run one leg after the other, until one of them answers."""
        chain, started = leg.chain, time.perf_counter()
        left: tuple[BaseAgent, Agent, HandoffRequest] | None = None
        given = first = input
        while True:
            output = await self._run_leg(leg, given, ctx, once)
            if left is not None:
                await moment("after_agent_handoff", *left, ctx)
            request = output.handoff_request
            if request is None:
                break
            source, first = leg.component, leg.admitted or first
            ctx = passed_on(source, chain, ctx)
            target = self.target(source, request, ctx)
            ctx = after_handoff(ctx)
            leg, given = await self._pass_on(leg, target, request, first, ctx)
            left = (source, target, request)
        if conversation is not None and not isinstance(leg.component, Handing):
            held_by(conversation, leg.component, chain)
        if left is not None:
            output.metadata.execution_time_ms = (time.perf_counter() - started) * 1000
        return chain.complete(output, leg.component)

    async def _run_leg(
        self, leg: Leg, input: AgentInput, ctx: ExecutionContext, once: Once
    ) -> AgentOutput:
        component = leg.component
        if ctx.step is not None and not component.resumable and not isinstance(component, Handing):
            from llmspell_agents.journaled import journaled_leg

            async def go(within: ExecutionContext) -> AgentOutput:
                return await self._run_leg(leg, input, within, once)

            return await journaled_leg(leg, input, ctx, ctx.step, go)
        ctx = leg.heard(ctx)
        prepare = getattr(component, "prepare", None)
        if prepare is not None:
            # Its own hooks must be heard by this very run.
            await prepare(ctx)
        token = _leg.set(leg)
        said = [] if leg.bare else [Message(role="user", content=input.text)]
        try:
            output = await once(watched(leg), input, ctx)
        except BaseException as error:
            checked = leg.noted or leg.chain.scopes or ctx.guardrails
            if was_cut_off(error) and not checked and not isinstance(component, Handing):
                leg.note(closed(said))
            raise
        finally:
            _leg.reset(token)
        if not leg.noted and not isinstance(component, Handing):
            leg.note([*said, Message(role="assistant", content=output.text)])
        leg.chain.note(output)
        return output

    @staticmethod
    def target(source: BaseAgent, request: HandoffRequest, ctx: ExecutionContext) -> Agent:
        """The agent that a request names. Raises `agent.not_found` naming the nearest."""
        peer = peer_of(source, request.target)
        given = request.agent or (peer.agent if peer else None)
        if isinstance(given, Agent):
            return given
        return ctx.overlay.agents.get(request.target)

    async def _pass_on(
        self,
        leg: Leg,
        target: Agent,
        request: HandoffRequest,
        first: AgentInput,
        ctx: ExecutionContext,
    ) -> tuple[Leg, AgentInput]:
        """Move the conversation and the state: the target's leg, and its input."""
        source, chain = leg.component, leg.chain
        check_handoff(leg, target)
        peer = peer_of(source, request.target)
        given = request.model_fields_set
        patterns = request.state_filter if "state_filter" in given else peer.state if peer else []
        history = request.history if "history" in given else peer.history if peer else "all"
        await moment("before_agent_handoff", source, target, request, ctx)
        state = await move_state(source, target, patterns, ctx)
        carried = await carried_messages(history, chain.everything(), request, source, ctx)
        chain.steps.append(step_of(source, target, request, chain.work))
        chain.names.append(target.name)
        tell(source, target, request, ctx)
        if leg.events is not None:
            leg.events.handoff(target.name, request.reason)
        asked = any(one.role == "user" for one in carried)
        made = Leg(
            chain,
            target,
            carried=carried,
            bare=request.input is None and asked and history != "summary",
            source=source.name,
            reason=request.reason,
            state=state,
            of_user=isinstance(source, Handing),
        )
        return made, input_of(request, first, chain)


def leg_for(agent: Agent, ctx: ExecutionContext) -> Leg:
    """The leg that an agent runs in; one of its own where it did not come through here."""
    return leg_of(agent) or Leg(Chain(AgentRuntime(ctx.runtime), agent, DEFAULT_HANDOFFS), agent)


def may_pause(component: BaseAgent, ctx: ExecutionContext) -> bool:
    """Whether a run that begins with this agent is journaled.

    It may pause, and nothing is around it that would have to pause as well.
    """
    config = getattr(component, "config", None)
    if getattr(config, "on_approval", None) != "pause":
        return False
    return component.resumable and ctx.step is None and not ctx.path


def _conversation(component: BaseAgent, input: AgentInput, ctx: ExecutionContext) -> Talk | None:
    """The conversation that the input belongs to, if the agent keeps one."""
    find = getattr(component, "conversation", None)
    return find(input, ctx) if find is not None else None

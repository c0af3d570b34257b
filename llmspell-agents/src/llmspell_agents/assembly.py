"""`Assembly`: one run of an agent as a loop: prompt, messages, tools, hand-offs, limits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from llmspell_agents.answers import answering_of
from llmspell_agents.approvers import approver_for
from llmspell_agents.held import Held
from llmspell_agents.history.memory import remembered
from llmspell_agents.history.settings import DEFAULT_CONTEXT
from llmspell_agents.history.summary import Summarizer
from llmspell_agents.history.view import ContextView, ViewState
from llmspell_agents.loop import AgentLoop, LoopPlan
from llmspell_agents.prompting import system_text
from llmspell_agents.requests import ModelCaller
from llmspell_agents.taking import able, taken
from llmspell_agents.targets import check_prices
from llmspell_agents.tool_calls import ToolCaller
from llmspell_agents.transfers import Transfers
from llmspell_core.errors import ValidationError
from llmspell_core.messages import Message

if TYPE_CHECKING:
    from llmspell_agents.agent import Agent
    from llmspell_agents.answering import Answering
    from llmspell_agents.chain import Leg
    from llmspell_agents.guardrails.gate import Gate
    from llmspell_agents.guardrails.turn import GuardedTurn
    from llmspell_agents.handoffs import Peers
    from llmspell_agents.history.summary import Ask
    from llmspell_agents.targets import Target
    from llmspell_core.context import ExecutionContext
    from llmspell_core.journal.recording import Step
    from llmspell_core.messages import AgentInput
    from llmspell_core.provider import ModelRequest, ModelResponse, ToolDefinition


@dataclass(slots=True)
class Assembly:
    """What the loop of one run is made of."""

    agent: Agent
    input: AgentInput
    ctx: ExecutionContext
    leg: Leg
    peers: Peers

    async def loop(self, user: list[Message], guard: GuardedTurn | None = None) -> AgentLoop:
        """The loop, about to begin.

        Args:
            user: the message of the input; empty where the conversation ends with it
            guard: the guardrails that hold
        """
        agent, config = self.agent, self.agent.config
        ctx = self._inside()
        answering = answering_of(agent, self.leg.chain, ctx)
        agent.offer.update(agent.tools)
        definitions = self._definitions()
        plan = LoopPlan(
            agent=agent.name,
            definitions=answering.definitions(definitions) if answering else definitions,
            tool_choice=config.tool_choice or "auto",
            temperature=config.temperature,
            max_tokens=config.max_tokens,
            settings=config.settings,
            reasoning=config.reasoning.options() if config.reasoning else None,
            finish_on_limit=config.on_limit == "finish",
        )
        tools = ToolCaller(
            agent.offer.names,
            ctx,
            parallel=config.max_parallel_tools,
            timeout_ms=config.tool_timeout_ms,
            retries=config.tool_retries,
            check=guard.tool_output if guard and guard.checks_results else None,
            on_error=config.on_tool_error,
            agent=agent.name,
        )
        models = model_caller(agent, ctx, guard.gate if guard else None)
        view = self._view(ctx)
        carried = taken(await self._carried(view), models.targets[0])
        models.targets = able(models.targets, [*carried, *user])
        if ctx.step is not None:
            models, tools = journaled_models(models, ctx.step), _journaled(tools, ctx.step)
        messages = [*self._system(answering, ctx), *carried, *user]
        return AgentLoop(
            plan,
            messages,
            models,
            tools,
            ctx.account,
            view,
            ctx.run_events,
            transfers=Transfers(self.peers, self.leg, ctx, config.tool_retries)
            if len(self.peers)
            else None,
            answering=answering,
            guard=guard,
            held=self._held(messages),
            life=agent.life(ctx),
        )

    def _held(self, messages: list[Message]) -> Held | None:
        most = self.agent.config.memory_mb()
        if most is None:
            return None
        held = Held(most)
        held.add(messages)
        return held

    def _inside(self) -> ExecutionContext:
        """The context of its requests and tools: its limits."""
        agent, ctx = self.agent, self.ctx
        changes: dict[str, Any] = {}
        if not self.leg.is_entry:
            changes["account"] = ctx.account.child(agent.run_limits)
        if agent.config.on_approval is not None:
            changes["approver"] = approver_for(agent.config.on_approval, ctx)
        deepest = agent.config.recursion_depth()
        if deepest is not None:
            # The first agent decides; those it calls may only ask for less.
            changes["max_nested"] = min(deepest, ctx.max_nested) if ctx.nested else deepest
        return ctx.child(**changes) if changes else ctx

    def _system(self, answering: Answering | None, ctx: ExecutionContext) -> list[Message]:
        # What may differ in the next run stands last: services keep an unchanged beginning.
        always = (self.peers.text, answering.instruction if answering else "")
        text = system_text(self.agent.config, self.input, always, self.leg.text, ctx)
        return [Message(role="system", content=text)] if text else []

    def _view(self, ctx: ExecutionContext) -> ContextView:
        agent, choice = self.agent, self.agent.config.context or DEFAULT_CONTEXT
        target = agent.targets[ctx.runtime][0]
        # What is done again from a journal has to be shown the same, in whatever process.
        views = self.leg.chain.views if ctx.step is None else {}
        state = views.setdefault(agent.id, ViewState())
        ask = _asker(agent, choice.model, ctx)
        summarizer = Summarizer(
            agent.name, ask, ctx.account, partial(_window, choice.model, target, ctx)
        )
        return ContextView(agent.name, agent.id, target, ctx, choice, summarizer, state)

    async def _carried(self, view: ContextView) -> list[Message]:
        config, leg = self.agent.config, self.leg
        most = config.max_conversation_length
        cut = await remembered(leg.carried, config.memory, most, view.state, view.summarizer)
        # What is to be answered must be there.
        return cut if cut or not leg.bare else leg.carried

    def _definitions(self) -> list[ToolDefinition]:
        own, peers = self.agent.offer.definitions, self.peers
        if not len(peers):
            return own
        names = {one.name for one in own}
        twice = next((name for name in peers.names() if name in names), None)
        if twice:
            raise ValidationError(
                f'agent {self.agent.name}: a tool and a hand-off are named "{twice}"',
                code="agent.tool_conflict",
                hint="give the tool another name",
            )
        return sorted([*own, *peers.definitions], key=attrgetter("name"))


def _journaled(tools: ToolCaller, step: Step) -> ToolCaller:
    """What makes the calls, for a run that is journaled."""
    from llmspell_agents.journaled import JournaledTools

    return JournaledTools(
        tools.names,
        tools.ctx,
        tools.parallel,
        tools.timeout_ms,
        tools.retries,
        tools.on_error,
        tools.agent,
        check=tools.check,
        step=step,
    )


def journaled_models(models: ModelCaller, step: Step) -> ModelCaller:
    """What asks the models, and records the answers."""
    from llmspell_agents.journaled_turns import JournaledModels

    return cast("ModelCaller", JournaledModels(models, step))


def _asker(agent: Agent, model: str | None, ctx: ExecutionContext) -> Ask:
    """What asks the agent's own model, or another one, beside the loop."""

    async def ask(request: ModelRequest) -> ModelResponse:
        if model is None:
            return await agent.ask_beside(request, ctx)
        request.model = model
        if ctx.step is None:
            return await ctx.runtime.ask_model(request, ctx)
        other = cast("ModelCaller", _Other(ctx))
        return await journaled_models(other, ctx.step.beneath(f"{agent.name}.ask")).complete(
            request
        )

    return ask


@dataclass(slots=True)
class _Other:
    """What asks a model that is not the agent's."""

    ctx: ExecutionContext

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """One whole answer."""
        return await self.ctx.runtime.ask_model(request, self.ctx)


def _window(model: str | None, target: Target, ctx: ExecutionContext) -> int:
    """Tokens that the model takes which summarizes; 0 when unknown."""
    found = target if model is None else ctx.runtime.resolve_model(model)
    return found.provider.capabilities(found.model).max_context_tokens


def model_caller(agent: Agent, ctx: ExecutionContext, gate: Gate | None = None) -> ModelCaller:
    """What asks the models of a prepared agent; behind a gate they wait for it."""
    retry, targets = agent.config.retry, agent.targets[ctx.runtime]
    check_prices(targets, ctx.account, ctx.runtime)
    if gate is not None:
        targets = gate.over(targets)
    return ModelCaller(agent.name, agent.id, targets, ctx, retry=retry.policy() if retry else None)

"""`Agent`: a model with a prompt and tools, or a function, that answers inputs."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from llmspell_agents.answers import own_schema
from llmspell_agents.assembly import journaled_models, model_caller
from llmspell_agents.config import LEVEL_FIELDS, AgentConfig
from llmspell_agents.conversation import spoken
from llmspell_agents.handing import handing
from llmspell_agents.inputs import checked_input, schema_with_text
from llmspell_agents.keeping import Keeping
from llmspell_agents.lifecycle import LifeState, Living
from llmspell_agents.metrics import AgentMetrics
from llmspell_agents.offer import Offer, check_names, make_tool, permitted
from llmspell_agents.own_hooks import Handler, OwnHooks
from llmspell_agents.own_keys import key_stays
from llmspell_agents.restraints import restrained
from llmspell_agents.runs import AgentRun
from llmspell_agents.security_field import both
from llmspell_agents.talks import OwnTurn, Talks
from llmspell_agents.targets import Target, check_prices, resolve_targets
from llmspell_agents.turn import take_turn
from llmspell_core.account import Account, limit_error
from llmspell_core.context import context_for, in_context
from llmspell_core.errors import ValidationError, error_data
from llmspell_core.messages import AgentInput, AgentOutput, Message, StreamChunk
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.run_events.chunks import chunks
from llmspell_core.run_events.running import heard

if TYPE_CHECKING:
    from llmspell_agents.conversation import Talk
    from llmspell_agents.structured import AnswerSchema
    from llmspell_core.context import ExecutionContext
    from llmspell_core.run_events import RunEvent
    from llmspell_core.runtime import Runtime
    from llmspell_core.tool import Tool

_REBUILT = frozenset({"model", "provider", "base_url", "api_key", "fallback_models"})
_FIXED = frozenset({"name", "execute", "hooks", "on_event", "tools"})


class Agent(Keeping, Living):
    """An agent made of a system prompt and of what `AgentConfig` names.

    ::

        agent = Agent("Answer briefly.", model="openai/gpt-4o-mini", tools=[stock])
        print((await agent.execute("Do we have kettles?")).text)

    Any number of `execute` may run at once; `chat` keeps a conversation, one turn at a time.
    Nothing touches the network before the first run.

    Args:
        spec: the system prompt, a table of fields, or a whole `AgentConfig`
        fields: further fields of `AgentConfig`, which win
    """

    tells_events = True
    #: Read by the AgentRuntime: guardrails of others are asked in its own runs.
    guards_itself = True

    def __init__(
        self, spec: str | dict[str, Any] | AgentConfig | None = None, /, **fields: Any
    ) -> None:
        self.config = _without_template(AgentConfig.of(spec, **fields))
        name = self.config.name or f"agent-{uuid.uuid4().hex[:8]}"
        super().__init__(name, self.config.description)
        self.capabilities = tuple(self.config.capabilities)
        #: Read by the Runner: the deadline of a run.
        self.timeout_ms = self.config.deadline_ms()
        self._living()
        self.metrics = AgentMetrics()
        self.talks = Talks(self.config.name)
        #: Read by the AgentRuntime: the account of a run that begins with this agent.
        self.run_limits = self.config.account_limits()
        self.targets: WeakKeyDictionary[Runtime, list[Target]] = WeakKeyDictionary()
        #: The template it is made from, and the tools of it that a policy may take away.
        self.template = ""
        self.optional_tools: frozenset[str] = frozenset()
        self._unmade_tools = [*self.config.tools]
        self._making = asyncio.Lock()
        self.offer = Offer()
        self.answers: dict[str, AnswerSchema] = {}
        self._own = OwnHooks(self.id, self.name)
        for point, handler in self.config.hooks.items():
            self._own.add(point, handler)
        for pattern, handler in self.config.on_event.items():
            self._own.on(pattern, handler)

    # -- running -----------------------------------------------------------------------------

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        life = self.life(ctx)
        async with life.under_way():
            if life.state == "paused":
                await life.passes()
            return await self._counted(input, ctx)

    async def _counted(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        started = time.perf_counter()
        self.metrics.begin()
        try:
            await self.prepare(ctx)
            given = checked_input(self.config.inputs, input, self.name)
            output = await take_turn(self, given, ctx)
        except (Exception, asyncio.CancelledError) as error:
            self.metrics.failed(error_data(error), (time.perf_counter() - started) * 1000)
            raise
        except BaseException:
            self.metrics.stopped((time.perf_counter() - started) * 1000)
            raise
        self.metrics.done(output, (time.perf_counter() - started) * 1000)
        return output

    async def run_stream(
        self, input: AgentInput, ctx: ExecutionContext
    ) -> AsyncIterator[StreamChunk]:
        async def work(inner: ExecutionContext) -> AgentOutput:
            return await self.run(input, inner)

        async with aclosing(chunks(work, self.name, ctx)) as found:
            async for chunk in found:
                yield chunk

    async def complete(self, text: str, ctx: ExecutionContext | None = None) -> str:
        """`execute`, for the text alone."""
        return (await self.execute(text, ctx)).text

    async def start(self, input: Any = None, ctx: ExecutionContext | None = None) -> Any:
        """Begin a run and go on at once: its `AgentRun` waits, cancels, hears events.

        Without an input nothing is run: the agent takes runs again after `stop` or `terminate`,
        and its state is given.
        """
        async with context_for(ctx) as found:
            return self.revive(found) if input is None else AgentRun(self, input, found)

    async def run_events(
        self, input: Any = None, ctx: ExecutionContext | None = None
    ) -> AsyncIterator[RunEvent]:
        """Run, and give what happens as it does; the last event is the terminal one.

        A failure is an event, `run.failed`, and raises nothing. Leaving early cancels the run.
        """
        given = AgentInput.of(input)

        async def work(inner: ExecutionContext) -> AgentOutput:
            return await self.execute(given, inner)

        async with context_for(ctx) as found:
            run_id = uuid.uuid4().hex
            async with aclosing(heard(work, self.name, found, run_id=run_id)) as events:
                async for event in events:
                    yield event

    async def prepare(self, ctx: ExecutionContext) -> None:
        """Find its model and its tools. No network.

        Raises `provider.not_configured`, `provider.unknown`, `tool.not_found`.
        """
        if self.config.execute is None and ctx.runtime not in self.targets:
            targets = resolve_targets(self.config, ctx.runtime)
            check_prices(targets, Account(self.run_limits), ctx.runtime)
            own_schema(self, targets)
            self.targets[ctx.runtime] = targets
        if self._unmade_tools:
            async with self._making:
                await self._make_tools(ctx)
        self._own.enter(ctx.overlay)

    # -- the conversation --------------------------------------------------------------------

    async def chat(self, text: Any, ctx: ExecutionContext | None = None) -> str:
        """Say something in the agent's conversation; a second turn waits for the first."""
        return spoken(await self.execute(self.turn(text), ctx))

    def turn(self, text: Any) -> AgentInput:
        """An input that belongs to the current session, else to the agent's own conversation."""
        given = AgentInput.of(text)
        return given if given.session else OwnTurn(**dict(given))

    def history(self, ctx: ExecutionContext | None = None) -> list[Message]:
        """The messages of its own conversation; `talks` has those of sessions."""
        own = self.talks.own(ctx)
        return [*own.messages] if own else []

    def reset(self, ctx: ExecutionContext | None = None) -> None:
        """Forget its own conversation."""
        self.talks.drop(ctx=ctx)

    def conversation(self, input: AgentInput, ctx: ExecutionContext) -> Talk | None:
        """The conversation that an input names, if it does."""
        return self.talks.find(input, ctx)

    async def handoff_to(
        self, target: Any, input: Any = None, reason: str = "", ctx: ExecutionContext | None = None
    ) -> AgentOutput:
        """Hand the conversation over to another agent, and get its answer.

        It is a turn of this agent's conversation: the other one answers the next turns too.

        Args:
            target: the agent, or its name
            input: what it shall answer; left out, what the user said last
            reason: why
            ctx: the run
        """
        return await in_context(ctx, lambda found: handing(self, target, input, reason, found))

    async def ask(self, messages: list[Message], ctx: ExecutionContext) -> str:
        """One request to its model beside the loop, counted in the run's account."""
        if self.config.execute is not None:
            request = ModelRequest("", messages)
            return (await ctx.runtime.ask_model(request, ctx)).text
        return (await self.ask_beside(ModelRequest("", messages, temperature=0), ctx)).text

    async def ask_beside(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        """As `ask`, for the whole answer."""
        if hit := ctx.account.before_request():
            raise limit_error(hit)
        ctx.account.charge_request()
        models = model_caller(self, ctx)
        if ctx.step is not None:
            models = journaled_models(models, ctx.step.beneath(f"{self.name}.ask"))
        response = await models.complete(request)
        ctx.account.charge_usage(response.usage)
        return response

    @property
    def resumable(self) -> bool:
        """Whether its runs can be done again from a journal: a function's cannot."""
        return self.config.execute is None

    async def resume(
        self,
        state: dict[str, Any] | None = None,
        approvals: Any = None,
        ctx: ExecutionContext | None = None,
    ) -> Any:
        """Let a paused run of this agent go on, for its output.

        Without a state the runs that `pause` holds go on, and the agent's state is given.

        Args:
            state: the `state` of the paused output
            approvals: one answer for all pending calls, or a table of answers by their ids
            ctx: the run

        The codes of what it raises are those of `llmspell_agents.pausing.resume`.
        """
        if state is None:
            return self.unpause(ctx)
        given = AgentInput.of({"resume": state, "approvals": approvals})
        return await self.execute(given, ctx)

    async def recover(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Forget the last error, find model and tools anew, and take runs again.

        Raises `agent.destroyed`, and what `initialize` raises.
        """
        self.life(ctx).change("ready")
        self.metrics.last_error = None
        self.targets.clear()
        return await self.initialize(ctx)

    async def batch(
        self,
        inputs: list[Any],
        ctx: ExecutionContext | None = None,
        **options: Any,
    ) -> list[AgentOutput]:
        """Answer many inputs, some at a time; the outputs stand in the order of the inputs.

        Args:
            inputs: each as of `execute`
            ctx: the run
            options: the fields of `llmspell_agents.batch.BatchOptions`

        Raises the first error with `on_error="stop"`; else a failed output has `error`.
        """
        from llmspell_agents.batch import BatchOptions, run_batch

        made = BatchOptions.of(options)
        return await in_context(ctx, lambda found: run_batch(self, inputs, made, found))

    def _forget(self, ctx: ExecutionContext) -> None:
        self.talks.drop(ctx=ctx)

    # -- as a tool ---------------------------------------------------------------------------

    def schema_as_tool(self) -> dict[str, Any] | None:
        return schema_with_text(self.config.inputs) if self.config.inputs else None

    def input_from_tool(self, params: dict[str, Any]) -> AgentInput:
        variables = {key: value for key, value in params.items() if key != "input"}
        return AgentInput(text=params.get("input", ""), variables=variables)

    # -- tools, hooks, configuration ---------------------------------------------------------

    async def add_tool(self, given: Any, ctx: ExecutionContext) -> Tool:
        """Give it another tool; one of the same name is replaced."""
        await self.prepare(ctx)
        tool = await make_tool(given, ctx)
        self.tools.add(tool)
        self.offer.update(self.tools)
        return tool

    def add_hook(self, point: str, handler: Handler) -> None:
        """Run a hook around this agent and what it calls."""
        from llmspell_core.hooks import point_name

        self._own.add(point_name(point), handler)

    def on(self, pattern: str, handler: Handler) -> None:
        """Call a handler with the events of this agent."""
        self._own.on(pattern, handler)

    def update_config(self, changes: dict[str, Any]) -> None:
        """Change fields for the runs that start from now on.

        `security` narrows further; a new `base_url` needs its own `api_key`.

        Raises `input.invalid` for an unknown field, a wrong value, or one that cannot change.
        """
        given = AgentConfig.of(changes)
        fixed = sorted(given.model_fields_set & _FIXED)
        if fixed:
            raise ValidationError(
                f"{', '.join(fixed)} of an agent cannot be changed",
                hint="make another agent; tools change with add_tool and remove_tool",
            )
        fields = {name: getattr(given, name) for name in given.model_fields_set}
        if "security" in fields:
            fields["security"] = both(self.config.security, given.security)
        if not key_stays(vars(self.config), {**vars(self.config), **fields}, fields):
            fields["api_key"] = None
        self.config = self.config.model_copy(update=fields)
        self.timeout_ms = self.config.deadline_ms()
        self.description = self.config.description
        self.run_limits = self.config.account_limits()
        self.answers.clear()
        if _REBUILT & fields.keys():
            self.targets.clear()

    async def _make_tools(self, ctx: ExecutionContext) -> None:
        made = [await make_tool(given, ctx) for given in self._unmade_tools]
        if self.optional_tools:
            policy = restrained(ctx, self.config.security, self.name).policy
            made = permitted(made, self.optional_tools, policy, self.name)
        check_names(made, self.name)
        for tool in made:
            self.tools.add(tool)
        self._unmade_tools.clear()
        self.offer.update(self.tools)


def _without_template(config: AgentConfig) -> AgentConfig:
    """The config, unless it has fields that mean nothing without a template."""
    wrong = sorted(config.model_fields_set & LEVEL_FIELDS)
    if not wrong or (wrong == ["extends"] and config.extends is None):
        return config
    if "extends" in wrong:
        message = "what extends a template is made with create_agent"
    else:
        message = f"{', '.join(wrong)} go with extends"
    raise ValidationError(f"agent {config.name}: {message}" if config.name else message)

"""The one pipeline around every run: hooks, events, policy, account, deadline, cancellation.

Agents, workflows and tools, from whatever door they are called (script, step, model, command,
Python), pass through here and nowhere else:

    before hook -> policy and approval -> account -> started event -> deadline { run }
                -> after or error hook -> completed or failed event
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

from llmspell_core.account import limit_error
from llmspell_core.agent import Agent
from llmspell_core.asking import admitted
from llmspell_core.context import _current
from llmspell_core.errors import (
    AgentError,
    Cancelled,
    DeadlineError,
    HookError,
    LLMSpellError,
    error_data,
)
from llmspell_core.messages import AgentInput, AgentOutput, StreamChunk
from llmspell_core.run_call import MOMENTS, Call
from llmspell_core.run_hooks import Again, Redirect, ask_hooks, shape
from llmspell_core.tool import ToolResult
from llmspell_core.within import TimeLimitError, within

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_core.account import Booked
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.runtime import Runtime
    from llmspell_core.security.redact import Redactor
    from llmspell_core.tool import Tool

MAX_RETRIES = 3
#: Each level takes about forty of Python's thousand frames.
MAX_DEPTH = 16

log = logging.getLogger("llmspell.runner")

#: Run one component through the pipeline, without its kind's runner around it.
Once = Callable[["BaseAgent", AgentInput, "ExecutionContext"], Awaitable[AgentOutput]]


class ComponentRunner(Protocol):
    """What a kind adds around its runs (entry-point group ``llmspell.runners``).

    The AgentRuntime follows hand-offs: it calls `once` for each agent that takes part.
    """

    async def run(
        self, component: BaseAgent, input: AgentInput, ctx: ExecutionContext, once: Once
    ) -> AgentOutput:
        """Run `component`, and what its output asks for."""
        ...


#: How often hooks may send one call to another tool.
MAX_REDIRECTS = 10


class Runner:
    """Runs components for one Runtime. Stateless: everything of a run is in its context."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    # -- agents and workflows ----------------------------------------------------------------

    async def run(
        self, component: BaseAgent, input: AgentInput, ctx: ExecutionContext
    ) -> AgentOutput:
        """Run an agent or a workflow (or a tool as an agent) and return its output."""
        if component.kind == "tool":
            return await component.run(input, ctx)
        special = await self._runtime.component_runner(component.kind)
        if special is None:
            if ctx.run_events is not None and component.kind == "agent":
                ctx = ctx.child(run_events=ctx.run_events.run_of(component.name))
            return await self.once(component, input, ctx)
        return await special.run(component, input, ctx, self.once)

    async def once(
        self, component: BaseAgent, input: AgentInput, ctx: ExecutionContext
    ) -> AgentOutput:
        """One component through the pipeline, without its kind's runner."""
        call = self._enter(component, input, ctx)

        async def body(given: AgentInput) -> AgentOutput:
            heard = call.ctx.run_events is not None and isinstance(component, Agent)
            if heard and not cast("Agent", component).tells_events:
                return await self._told(cast("Agent", component), given, call.ctx)
            return await component.run(given, call.ctx)

        output: AgentOutput = await self._pipeline(call, body)
        return self._finished(call, output)

    async def stream(
        self, agent: Agent, input: AgentInput, ctx: ExecutionContext
    ) -> AsyncIterator[StreamChunk]:
        """Like `run`, piece by piece. Leaving the iteration early cancels the run."""
        from llmspell_core.run_events.chunks import chunks

        async def work(inner: ExecutionContext) -> AgentOutput:
            return await self.run(agent, input, inner)

        async with aclosing(chunks(work, agent.name, ctx)) as found:
            async for chunk in found:
                yield chunk

    async def _told(self, agent: Agent, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        """A run that is listened to, of an agent that knows chunks but no events."""
        from llmspell_core.run_events.chunks import told_by_chunks

        events = ctx.run_events
        assert events is not None  # noqa: S101 - the caller has looked
        source = cast("AsyncGenerator[StreamChunk, None]", agent.run_stream(input, ctx))
        output = await told_by_chunks(source, agent.name, events)
        if output is None:
            raise AgentError(f"agent {agent.name} ended its stream without an output")
        return output

    @staticmethod
    def _finished(call: Call, output: AgentOutput) -> AgentOutput:
        output.metadata.execution_time_ms = call.elapsed_ms()
        output.metadata.correlation_id = call.ctx.correlation_id
        return output

    # -- tools -------------------------------------------------------------------------------

    async def run_tool(
        self,
        tool: Tool,
        params: dict[str, Any],
        ctx: ExecutionContext,
        *,
        chosen_by_model: bool = False,
        call_id: str | None = None,
        booked: Booked | None = None,
    ) -> ToolResult:
        """Call a tool. A failure is raised; `chosen_by_model` calls may need an approval.

        `booked` is the place that the account keeps for this call already.
        """
        if ctx.run_events is not None:
            ctx = ctx.child(run_events=ctx.run_events.inside(tool.name, call_id))
        for _ in range(MAX_REDIRECTS + 1):
            call = self._enter(tool, params, ctx)
            call.call_id = call_id
            call.patience = _patience(ctx)
            call.booked = booked
            try:
                return await self._run_tool(tool, call, chosen_by_model)
            except Redirect as redirect:
                tool = ctx.overlay.tools.get(redirect.target)
        raise HookError(
            f"{tool.name}: hooks redirected the call more than {MAX_REDIRECTS} times",
            code="hook.redirects",
            hint="redirect from one tool only, by its name in ctx.tool",
        )

    async def _run_tool(self, tool: Tool, call: Call, chosen_by_model: bool) -> ToolResult:
        parsed: Any = None

        async def admit() -> None:
            nonlocal parsed
            parsed = await admitted(call, tool, chosen_by_model=chosen_by_model)
            if (step := call.outer.step) is not None and step.is_call:
                call.ctx = await step.enter(tool, call.ctx)

        async def body(_: dict[str, Any]) -> ToolResult:
            return await self._call_tool(tool, parsed, call, chosen_by_model)

        result: ToolResult = await self._pipeline(call, body, admit)
        result.metadata.setdefault("tool", tool.name)
        result.metadata.setdefault("execution_time_ms", call.elapsed_ms())
        if call.edited:
            result.metadata["edited_arguments"] = self._runtime.redactor.value(call.approved)
        return result

    async def _call_tool(
        self, tool: Tool, parsed: Any, call: Call, chosen_by_model: bool
    ) -> ToolResult:
        ctx = call.ctx
        if call.booked is None or not call.booked.take(tool.name):
            if hit := ctx.account.before_tools([tool.name]):
                raise limit_error(hit)
            ctx.account.charge_tool(tool.name)
        result = ToolResult.of(await self._do(tool, parsed, ctx))
        # Not by getattr: for a field that is not there pydantic looks long.
        operation = getattr(parsed, "__dict__", {}).get("operation")
        if isinstance(operation, str):
            result.metadata.setdefault("operation", operation)
        self._redact(tool, result, chosen_by_model)
        return result

    def _redact(self, tool: Tool, result: ToolResult, chosen_by_model: bool) -> None:
        """Take secrets out of a result: what services say may have our keys in it.

        A model is not shown either what only looks like a secret; scripts get that as it is,
        since they work on it.
        """
        if chosen_by_model or tool.permissions.secrets:
            value = self._runtime.redactor.value
            result.change(lambda found: value(found, shapes=chosen_by_model))

    async def _do(self, tool: Tool, parsed: Any, ctx: ExecutionContext) -> Any:
        tool = ctx.overlay.stand_ins.get(tool.name, tool)
        if tool.cache is None:
            return await self._tried(tool, parsed, ctx)
        return await tool.cache.result(parsed, ctx, lambda: self._tried(tool, parsed, ctx))

    async def _tried(self, tool: Tool, parsed: Any, ctx: ExecutionContext) -> Any:
        if tool.retry is None:
            return await self._once(tool, parsed, ctx)
        from llmspell_core.tool_retry import attempted

        return await attempted(tool.retry, ctx, lambda: self._once(tool, parsed, ctx))

    async def _once(self, tool: Tool, parsed: Any, ctx: ExecutionContext) -> Any:
        cassette = self._runtime.cassette
        if cassette is None or not cassette.tapes(tool):
            return await tool.run_tool(parsed, ctx.for_tool(tool))
        from llmspell_core.cassette.tools import taped

        return await taped(cassette, tool, parsed, ctx)

    # -- the pipeline ------------------------------------------------------------------------

    def _enter(self, component: BaseAgent, payload: Any, ctx: ExecutionContext) -> Call:
        if len(ctx.path) >= MAX_DEPTH:
            raise AgentError(
                f"{component.name}: components are nested deeper than {MAX_DEPTH}",
                code="agent.too_deep",
                hint=f"the chain is {' > '.join(ctx.path[-6:])} > {component.name}",
            )
        inner = ctx.child(
            path=(*ctx.path, component.name),
            lineage=(*ctx.lineage, component.id),
            deadline=ctx.within(getattr(component, "timeout_ms", None)),
        )
        moments = MOMENTS[component.kind]
        return Call(moments, component, inner, "execute", payload, time.perf_counter())

    async def _pipeline(
        self,
        call: Call,
        body: Callable[[Any], Awaitable[Any]],
        admit: Callable[[], Awaitable[None]] | None = None,
    ) -> Any:
        tracer = call.ctx.hooks.tracer
        if tracer is not None and not call.traced:
            from llmspell_core.telemetry.runs import traced_run

            return await traced_run(tracer, call, lambda: self._pipeline(call, body, admit))
        token = _current.set(call.ctx)
        try:
            for attempt in range(MAX_RETRIES + 1):
                call.attempt = attempt + 1
                try:
                    return await self._attempt(call, body, admit)
                except Again as again:
                    if attempt == MAX_RETRIES:
                        raise HookError(
                            f"{call.component.name}: hooks asked for more than "
                            f"{MAX_RETRIES} retries",
                            code="hook.retries",
                        ) from None
                    await asyncio.sleep(again.delay_ms / 1000)
        finally:
            _current.reset(token)
        raise HookError("unreachable")  # pragma: no cover - the loop returns or raises

    async def _attempt(
        self,
        call: Call,
        body: Callable[[Any], Awaitable[Any]],
        admit: Callable[[], Awaitable[None]] | None,
    ) -> Any:
        hooks, moments = call.ctx.hooks, call.moments
        if hooks.active(moments.before):
            outcome = await ask_hooks(call, moments.before)
            if outcome.kind == "replace":
                return shape(call, outcome.result)
        call.emit(moments.started)
        try:
            if admit is not None:
                await admit()
                if call.ctx is not call.outer:
                    _current.set(call.ctx)
            result = await self._bounded(call, body)
        except asyncio.CancelledError:
            call.emit(moments.failed, error=Cancelled("cancelled").to_dict())
            raise
        except Exception as error:  # noqa: BLE001 - mapped, told to hooks, and raised again
            return await self._failed(call, error)
        if hooks.active(moments.after):
            outcome = await ask_hooks(call, moments.after, output=result)
            if outcome.kind == "replace":
                result = shape(call, outcome.result)
        call.emit(moments.completed, duration_ms=call.elapsed_ms())
        return result

    async def _bounded(self, call: Call, body: Callable[[Any], Awaitable[Any]]) -> Any:
        remaining = call.ctx.remaining_ms()
        patience = call if call.grace else None
        if remaining is None and patience is None:
            return await body(call.payload)
        seconds = None if remaining is None else remaining / 1000
        try:
            return await within(seconds, body(call.payload), patience)
        except TimeLimitError as error:
            raise DeadlineError(
                f"{call.component.name} took longer than {_deadline_text(call, remaining)}",
                code=f"{call.moments.kind}.timeout",
                hint="raise timeout_ms, or give it less to do",
            ) from error

    async def _failed(self, call: Call, error: Exception) -> Any:
        moments = call.moments
        found = self._as_error(call, error)
        if call.ctx.hooks.active(moments.error):
            outcome = await ask_hooks(call, moments.error, error=found.to_dict())
            if outcome.kind == "replace":
                call.emit(moments.completed, duration_ms=call.elapsed_ms(), replaced=True)
                return shape(call, outcome.result)
        call.emit(moments.failed, error=found.to_dict(), duration_ms=call.elapsed_ms())
        raise found from (error if found is not error else error.__cause__)

    def _as_error(self, call: Call, error: Exception) -> LLMSpellError:
        if isinstance(error, LLMSpellError):
            return _redacted(error, self._runtime.redactor)
        log.debug("%s raised", call.component.name, exc_info=error)
        data = error_data(error)
        text = self._runtime.redactor.text(data["message"])
        return call.moments.raises(
            f"{call.moments.kind} {call.component.name} failed: {text}",
            details={"exception": type(error).__name__},
        )


def _redacted(error: LLMSpellError, redactor: Redactor) -> LLMSpellError:
    """The error itself, without secrets in what it says to callers, hooks and events."""
    error.message = redactor.text(error.message)
    if error.args and isinstance(error.args[0], str):
        error.args = (redactor.text(error.args[0]), *error.args[1:])
    error.hint = error.hint and redactor.text(error.hint)
    error.details = redactor.value(error.details)
    return error


def _patience(ctx: ExecutionContext) -> float:
    """Until when a person may think about a call: to the end of the run around it."""
    if ctx.run_deadline is not None:
        return ctx.run_deadline
    return math.inf if ctx.deadline is None else ctx.deadline


def _deadline_text(call: Call, remaining_ms: float | None) -> str:
    limit = getattr(call.component, "timeout_ms", None)
    if limit and call.elapsed_ms() >= limit * 0.95:
        return f"{limit:g} ms"
    ctx = call.ctx
    if remaining_ms and ctx.run_deadline and ctx.deadline and ctx.deadline < ctx.run_deadline:
        # What whoever calls the tool allows it; some of it has gone by.
        seconds = round(remaining_ms / 1000, 1)
        return f"{seconds:g} s" if seconds else f"{remaining_ms:.0f} ms"
    return "its run may take"

"""`Scope`: the guardrails that hold for one agent's part of a run, and what they have decided.

An agent's own hold for it. Those of the agents that have handed over to it hold for its answer;
theirs, and those of the agents that have called it as a tool, hold for its tools, too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_agents.guardrails.asking import Asked, as_answer_text, ask_guards, blocked
from llmspell_core.errors import AgentError
from llmspell_core.guardrail import GuardContext, Place
from llmspell_core.journal.paused import Paused
from llmspell_core.messages import Message, ToolCall

if TYPE_CHECKING:
    from llmspell_agents.guardrails.config import Guardrails
    from llmspell_agents.tool_calls import Outcome
    from llmspell_core.context import ExecutionContext

_UNTRUSTED = "[untrusted content from "

RunCalls = Callable[[list[ToolCall]], Awaitable[list["Outcome"]]]


@dataclass(slots=True, eq=False)
class Scope:
    """The guardrails of one agent in one run.

    `around` are those of the agents before it in its chain, `outer` those of all agents whose
    tool guardrails hold here.
    """

    agent: str
    rules: Guardrails
    around: tuple[Scope, ...] = ()
    outer: tuple[Scope, ...] = ()
    #: A block of these guardrails inside of an agent that was called as a tool: it ends this run.
    broken: AgentError | None = None
    _sent_back: dict[str, int] = field(default_factory=dict)

    def holding(self, place: Place) -> list[Scope]:
        """Whose guardrails of a place hold here, the agent's own first."""
        others = self.outer if place in ("tool_input", "tool_output") else self.around
        return [one for one in (self, *reversed(others)) if one.rules.at(place)]

    @property
    def buffered(self) -> bool:
        """Whether an answer may only be handed out when it is whole and was checked."""
        return any(one.rules.buffer for one in self.holding("output"))

    async def ask(
        self,
        place: Place,
        value: Any,
        ctx: ExecutionContext,
        *,
        tool: str = "",
        data: Any = None,
        may_retry: bool = False,
    ) -> Asked:
        """Ask all guardrails of a place that hold here.

        Args:
            place: where the value is
            value: what is checked
            ctx: the run
            tool: the tool that is called
            data: what stands beside a text
            may_retry: whether there is a model that can be sent back

        Raises:
            AgentError: `agent.guardrail_blocked`.
        """
        rewritten = False
        for scope in self.holding(place):
            about = GuardContext(
                place, "", scope.agent, ctx, tool, data, self._sent_back.get(place, 0)
            )
            asked = await ask_guards(scope.rules.at(place), value, about, scope.rules.timeout_ms)
            rewritten = rewritten or asked.rewritten
            value = asked.value
            verdict = asked.stopped
            if verdict is None:
                continue
            if verdict.kind == "retry" and may_retry and self._may_send_back(place):
                return Asked(value, verdict, asked.guard, rewritten)
            scope.broken = blocked(about, asked.guard, verdict.message)
            raise scope.broken
        return Asked(value, rewritten=rewritten)

    def _may_send_back(self, place: Place) -> bool:
        """Count one more time that the model is sent back, unless that was often enough."""
        count = self._sent_back.get(place, 0) + 1
        if count > self.rules.retries:
            return False
        self._sent_back[place] = count
        return True

    # -- tools -------------------------------------------------------------------------------

    async def tool_inputs(
        self, calls: list[ToolCall], ctx: ExecutionContext, real: Callable[[str], str]
    ) -> dict[int, Outcome]:
        """Check what tools are called with, before any of them runs.

        The arguments of a call are replaced in place; calls that the model shall make again are
        answered here, by their position.

        Args:
            calls: all calls of an answer
            ctx: the run
            real: the name of the tool that a name on the wire means
        """
        refused: dict[int, Outcome] = {}
        if not self.holding("tool_input"):
            return refused
        for at, call in enumerate(calls):
            if call.raw_arguments is not None:
                # No arguments at all: the model is told so, and no tool sees them.
                continue
            name = real(call.name)
            asked = await self.ask("tool_input", call.arguments, ctx, tool=name, may_retry=True)
            if asked.stopped is not None:
                text = f"not run: {asked.stopped.message}; call {call.name} again, corrected"
                refused[at] = refused_call(call, text)
            elif asked.rewritten:
                if not isinstance(asked.value, dict):
                    about = GuardContext("tool_input", "", self.agent, ctx, name)
                    raise blocked(about, "guardrails", "what it was rewritten to is no table")
                call.arguments = asked.value
        return refused

    async def around_tools(
        self, calls: list[ToolCall], refused: dict[int, Outcome], run: RunCalls
    ) -> list[Outcome]:
        """Run the calls that were not refused; what came out was checked by `tool_output`.

        Raises:
            AgentError: `agent.guardrail_blocked`, when all that has begun has ended.
        """
        rest = [call for at, call in enumerate(calls) if at not in refused]
        try:
            ended = iter(await run(rest) if rest else [])
        except Paused:
            # A run that is blocked has nothing to wait for.
            self._end_if_blocked()
            raise
        self._end_if_blocked()
        return [refused[at] if at in refused else next(ended) for at in range(len(calls))]

    def _end_if_blocked(self) -> None:
        for one in (self, *self.outer):
            if one.broken is not None:
                # A nested run has told it as a mere failure of a tool.
                raise one.broken

    async def tool_output(self, outcome: Outcome, ctx: ExecutionContext, tool: str) -> None:
        """Check how a call ended, before a model or a listener hears of it.

        Its siblings still run: a block is kept for `around_tools`, and nothing of it is shown.
        """
        try:
            await self._tool_output(outcome, ctx, tool)
        except AgentError as error:
            withhold(outcome, str(error))

    async def _tool_output(self, outcome: Outcome, ctx: ExecutionContext, tool: str) -> None:
        head, text = _untrusted_head(outcome.message.text)
        call = outcome.call
        asked = await self.ask(
            "tool_output", text, ctx, tool=tool, data=call.result, may_retry=True
        )
        if asked.stopped is not None:
            withhold(outcome, asked.stopped.message)
        elif asked.rewritten:
            made = as_answer_text(asked.value)
            outcome.message.content = head + made
            if call.error is None:
                call.result = asked.value
            else:
                call.error = {**call.error, "message": made, "details": {}}

    # -- errors ------------------------------------------------------------------------------

    def scrubbed(self, error: AgentError) -> AgentError:
        """An error of the loop without the answers that nobody has checked."""
        if self.holding("output"):
            details = error.details or {}
            error.details = {k: v for k, v in details.items() if k not in _UNCHECKED}
            if error.code == "agent.output_invalid":
                error.message = f"the answer of {self.agent} does not fit response_format"
                error.args = (error.message,)
        return error


_UNCHECKED = ("errors", "messages", "text")


def withhold(outcome: Outcome, why: str) -> None:
    """Put the reason in the place of a result."""
    text = f"failed: the result was withheld: {why}"
    outcome.message.content = text
    outcome.call.result = None
    outcome.call.error = {"message": text, "code": "agent.guardrail_retry", "retryable": True}


def refused_call(call: ToolCall, text: str) -> Outcome:
    """How a call ends that a guardrail has sent back."""
    from llmspell_agents.tool_calls import Outcome

    call.error = {"message": text, "code": "agent.guardrail_retry", "retryable": True}
    return Outcome(call, Message(role="tool", content=f"error: {text}", tool_call_id=call.id))


def _untrusted_head(text: str) -> tuple[str, str]:
    """The line that marks untrusted content, and the content."""
    if text.startswith(_UNTRUSTED):
        head, line, rest = text.partition("\n")
        return head + line, rest
    return "", text

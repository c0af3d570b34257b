"""`Transfers`: the hand-offs that a model asks for in one run, and what it is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_agents.chain import work_of
from llmspell_agents.handoffs import Handoff, Peers
from llmspell_agents.tool_calls import UNTRUSTED, Outcome
from llmspell_core.errors import AgentError, LLMSpellError, did_you_mean
from llmspell_core.messages import AgentInput, HandoffRequest, Message, ToolCall
from llmspell_core.schema import mistakes_text, schema_mistakes

if TYPE_CHECKING:
    from llmspell_agents.chain import Leg
    from llmspell_core.context import ExecutionContext


@dataclass(slots=True)
class Transfers:
    """Takes the calls of one agent's run that ask for a hand-off.

    One that must not happen becomes a message to the model; more than `retries` of them end the
    run with `agent.handoff_limit`. `request` is the hand-off that ends the run, once there is one.
    """

    peers: Peers
    leg: Leg
    ctx: ExecutionContext
    retries: int
    request: HandoffRequest | None = None
    _refused: int = 0

    def takes(self, call: ToolCall) -> bool:
        """Whether this call asks for a hand-off."""
        return self.peers.is_transfer(call.name)

    async def take(
        self, call: ToolCall, records: list[ToolCall], text: str, messages: list[Message]
    ) -> Outcome:
        """Do what a call asks for, or say why not.

        Args:
            call: the call
            records: the tool calls of the run so far
            text: what the agent has said
            messages: what the model was shown and has answered
        """
        if self.request is not None:
            return _ended(call, "not done: one hand-off at a time", failed=True)
        handoff, why_not = self._asked(call)
        if handoff is None or why_not:
            return self._refuse(call, why_not)
        request = _request(handoff, call)
        try:
            target = self.leg.chain.runtime.target(self.leg.component, request, self.ctx)
        except LLMSpellError as error:
            return self._refuse(call, f"{error.message}{f', {error.hint}' if error.hint else ''}")
        why_not = self.leg.refusal(target, request, work_of(records, text))
        if why_not:
            return self._refuse(call, why_not)
        if handoff.returns:
            return await self._visit(call, request, messages)
        self.request = request
        return _ended(call, f"handed over to {request.target}")

    def _asked(self, call: ToolCall) -> tuple[Handoff | None, str]:
        """The peer that a call means, and what is wrong with the call."""
        handoff = self.peers.find(call.name)
        if handoff is None:
            return None, self._unknown(call.name)
        return handoff, _wrong_arguments(handoff, call)

    async def _visit(
        self, call: ToolCall, request: HandoffRequest, messages: list[Message]
    ) -> Outcome:
        """Let the other agent answer, and go on with its answer."""
        try:
            output = await self.leg.chain.runtime.visit(self.leg, request, messages, self.ctx)
        except LLMSpellError as error:
            text = self.ctx.runtime.redactor.text(error.message)
            return _ended(call, f"failed: {text}", failed=True)
        call.result = output.text if output.data is None else output.data
        text = f"{UNTRUSTED.format(output.agent)}\n{output.text}"
        return Outcome(call, Message(role="tool", content=text, tool_call_id=call.id))

    def _unknown(self, name: str) -> str:
        names = self.peers.names()
        near = did_you_mean(name, names)
        text = f'there is no agent to hand over to by "{name}"' + (f", {near}" if near else "")
        return f"{text}; the hand-offs are: {', '.join(names)}"

    def _refuse(self, call: ToolCall, why: str) -> Outcome:
        self._refused += 1
        if self._refused > self.retries:
            raise AgentError(
                f"{self.leg.component.name} goes on asking for hand-offs that cannot be: {why}",
                code="agent.handoff_limit",
                hint="raise max_handoffs, or let one of these agents answer",
                details={"agents": [self.leg.component.name, *self.leg.chain.names]},
            )
        return _ended(call, f"error: {why}", failed=True)


def _wrong_arguments(handoff: Handoff, call: ToolCall) -> str:
    """What is wrong with the arguments of a call, for the model; "" when nothing."""
    if call.raw_arguments is not None:
        return f"the arguments of {call.name} are no JSON object: {call.raw_arguments[:200]}"
    schema = handoff.schema_of_input
    if schema is None:
        return ""
    if "input" not in call.arguments:
        return f"{call.name}: input is required"
    mistakes = schema_mistakes(schema, call.arguments["input"])
    return f"{call.name}: input: {mistakes_text(mistakes)}" if mistakes else ""


def _request(handoff: Handoff, call: ToolCall) -> HandoffRequest:
    given: Any = call.arguments.get("input")
    if not isinstance(given, (str, type(None))):
        # Data of the model's, not a table of an agent's fields.
        given = AgentInput(value=given)
    agent = None if isinstance(handoff.agent, str) else handoff.agent
    return HandoffRequest(
        target=handoff.name,
        input=given or None,
        reason=str(call.arguments.get("reason") or ""),
        agent=agent,
    )


def _ended(call: ToolCall, text: str, *, failed: bool = False) -> Outcome:
    if failed:
        call.error = {"message": text, "code": "agent.handoff", "retryable": False}
    else:
        call.result = text
    return Outcome(call, Message(role="tool", content=text, tool_call_id=call.id))

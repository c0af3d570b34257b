"""The calls and legs of a journaled run: read where recorded, else done and recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from llmspell_agents.tool_calls import Outcome, ToolCaller
from llmspell_core.errors import AgentError
from llmspell_core.journal.paused import Held, Paused, Pending
from llmspell_core.journal.recording import charge, own_account, spent
from llmspell_core.messages import AgentOutput, Message, ToolCall

if TYPE_CHECKING:
    from llmspell_agents.chain import Leg
    from llmspell_core.account import Account, Booked, LimitHit
    from llmspell_core.context import ExecutionContext
    from llmspell_core.journal.recording import Step
    from llmspell_core.messages import AgentInput


@dataclass(slots=True)
class JournaledTools(ToolCaller):
    """A `ToolCaller` whose calls are recorded, and that stops the run where one must wait."""

    step: Step = field(kw_only=True)
    _places: dict[int, str] = field(default_factory=dict)
    _accounts: dict[int, Account] = field(default_factory=dict)
    _pending: list[Pending] = field(default_factory=list)

    async def run(self, calls: list[ToolCall]) -> list[Outcome]:
        """As of `ToolCaller`; raises `Paused` when all calls that need no approval have ended."""
        turn = self.step.turn()
        self._places = {id(call): f"{turn}.c{number}" for number, call in enumerate(calls)}
        self._accounts.clear()
        self._pending.clear()
        outcomes = await ToolCaller.run(self, calls)
        if self._pending:
            raise Paused([*self._pending])
        return outcomes

    def _count_batch(self, names: list[str]) -> LimitHit | list[Booked]:
        # Each call has an account of its own, of which is recorded what it has spent.
        return self.ctx.account.before_tools(names) or []

    async def _told(self, call: ToolCall) -> Outcome:
        events, place = self.ctx.run_events, self._places[id(call)]
        known = self.step.recording.known("call.finished", place) is not None
        if events is None or known or self._pending:
            # What was recorded has been told, and what is held back does not begin.
            return await self._one(call)
        self.step.recording.go_live()
        events.tool_started(call)
        outcome = await self._one(call)
        if place not in {one.place for one in self._pending}:
            events.tool_ended(outcome.call, outcome.message.text)
        return outcome

    async def _one(self, call: ToolCall) -> Outcome:
        recording, place = self.step.recording, self._places[id(call)]
        known = recording.known("call.finished", place)
        if known is not None:
            charge(self.ctx.account, known["spent"])
            return _outcome_of(call, known)
        account = self._accounts[id(call)] = own_account(self.ctx.account)
        try:
            outcome = await ToolCaller._one(self, call)
            if self.check is not None:
                # What is recorded is what the model is told.
                await self.check(outcome, self.names.real_name(call.name))
        except Paused as paused:
            self._pending.extend(paused.pending)
            return Outcome(call, Message(role="tool", tool_call_id=call.id))
        except Held:
            return Outcome(call, Message(role="tool", tool_call_id=call.id))
        data = {
            "call": plain(outcome.call.model_dump()),
            "message": plain(outcome.message.model_dump()),
            "bad": outcome.bad,
            "spent": spent(account),
        }
        await recording.write("call.finished", place, data)
        return outcome

    def _bounded(self, call: ToolCall) -> ExecutionContext:
        # Once one waits, those after it may be asked about and must not begin.
        step = self.step.call(self._places[id(call)], held=bool(self._pending))
        ctx = ToolCaller._bounded(self, call)
        return ctx.child(step=step, account=self._accounts[id(call)])

    def _count(self, outcome: Outcome) -> None:
        if not self._pending:
            ToolCaller._count(self, outcome)


async def journaled_leg(
    leg: Leg,
    input: AgentInput,
    ctx: ExecutionContext,
    step: Step,
    go: Callable[[ExecutionContext], Awaitable[AgentOutput]],
) -> AgentOutput:
    """The leg of an agent that is made of code, or of agents: one step, done once.

    Raises `agent.interrupted` for one that had begun when the process ended.
    """
    name = leg.component.name
    recording, place = step.recording, step.beneath(name).place
    known = recording.known("leg.finished", place)
    if known is not None:
        charge(ctx.account, known["spent"])
        output = AgentOutput.model_validate(known["output"])
        leg.note([Message.model_validate(one) for one in known["said"]])
        leg.chain.note(output)
        return output
    if not await recording.write("leg.started", place, {"agent": name, "input": input.text}):
        raise AgentError(
            f"agent {name}: interrupted: it had begun when the process ended, and is not run again",
            code="agent.interrupted",
        )
    account, before = own_account(ctx.account), len(leg.chain.said)
    output = await go(ctx.child(step=None, account=account))
    said = [plain(one.model_dump()) for one in leg.chain.said[before:]]
    data = {"output": output_data(output), "said": said, "spent": spent(account)}
    await recording.write("leg.finished", place, data)
    return output


def plain(value: Any) -> Any:
    """A value as JSON data: what JSON has no form for is written out."""
    return to_jsonable_python(value, fallback=str, inf_nan_mode="null")


def output_data(output: AgentOutput) -> dict[str, Any]:
    """An output as it is journaled."""
    found: dict[str, Any] = plain(output.model_dump(exclude_none=True))
    return found


def _outcome_of(call: ToolCall, data: dict[str, Any]) -> Outcome:
    was = ToolCall.model_validate(data["call"])
    call.result, call.error, call.duration_ms = was.result, was.error, was.duration_ms
    return Outcome(call, Message.model_validate(data["message"]), data["bad"])

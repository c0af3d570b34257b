"""Runs that stop for approvals (`on_approval = "pause"`), and how they go on, in any process."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from llmspell_agents.approvers import confirmed
from llmspell_agents.conversation import Conversation, message_of
from llmspell_agents.journaled import output_data, plain
from llmspell_agents.resuming import answers_of, decisions_of
from llmspell_agents.talks import OwnTurn
from llmspell_core.approval import ApprovalAnswer, ApprovalRequest
from llmspell_core.asking import Asking, answer_by
from llmspell_core.errors import JournalError, ValidationError
from llmspell_core.journal.paused import Paused, Pending, check_state, make_state, records_digest
from llmspell_core.journal.recording import Recording, own_account
from llmspell_core.journal.signing import signing_key
from llmspell_core.messages import AgentInput, AgentOutput, PendingCall, RunMetadata
from llmspell_core.telemetry.runs import trace_of_ended

if TYPE_CHECKING:
    from llmspell_core.account import Account
    from llmspell_core.approval import Approver
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.journal import Journal, JournalRecord

#: Runs an agent and whoever it hands over to.
Go = Callable[[AgentInput, "ExecutionContext"], Awaitable[AgentOutput]]

_pruned: WeakSet[Journal] = WeakSet()


@dataclass(slots=True)
class PauseApprover:
    """Answers what a resumed run was given answers to; anything else pauses the run."""

    recording: Recording
    above: Approver

    async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
        """Of a call that is not known: whoever answers for the run around."""
        return await self.above.ask(request)

    async def answer(self, asking: Asking) -> ApprovalAnswer:
        """The decision about a call, or `Paused`."""
        step = asking.ctx.step
        if step is None or not step.is_call:
            answer = await answer_by(self.above, asking)
            if answer.kind == "deny":
                inside = f"inside of {asking.ctx.path[-2]}" if len(asking.ctx.path) > 1 else "here"
                return ApprovalAnswer.deny(f"the run cannot pause {inside}, and {answer.message}")
            return answer
        recording = self.recording
        if recording.always(asking):
            return ApprovalAnswer.approve()
        digest = recording.digest(step.place, asking)
        decision = recording.decisions.get(step.place)
        if decision is None or decision.digest != digest:
            # Not answered, or answered for other arguments or another tool than there is now.
            raise Paused([_pending(step.place, asking, digest)])
        if decision.by_script:
            return await confirmed(decision.answer, asking, self.above)
        return decision.answer


async def begin(
    component: BaseAgent, input: AgentInput, ctx: ExecutionContext, go: Go
) -> AgentOutput:
    """Run an agent so that it may pause."""
    journal = ctx.runtime.journal()
    await _prune(journal, ctx)
    recording = Recording(journal, uuid.uuid4().hex, signing_key(ctx.runtime))
    run = _Run(component, ctx, recording, go)
    async with journal.hold(recording.run_id):
        data = {
            "agent": component.name,
            "agent_id": component.id,
            **_beginning(component, input, ctx),
        }
        await recording.write("run.started", "run", data)
        return await run.through(input, 0)


async def resume(
    component: BaseAgent, input: AgentInput, ctx: ExecutionContext, go: Go
) -> AgentOutput:
    """Let a paused run go on with answers to its pending calls.

    The same state and answers again give what the run came to, without doing anything twice;
    after a process was killed they let it go on where it was.

    Raises `input.invalid`, `approval.version`, `approval.forged`, `approval.expired`,
    `approval.other_agent`, `approval.unknown_run`, `approval.answered`, `journal.held`,
    `journal.diverged`.
    """
    if ctx.step is not None:
        raise ValidationError("resume: a run cannot be resumed inside of one that may pause")
    journal, key = ctx.runtime.journal(), signing_key(ctx.runtime)
    state = check_state(key, input.resume, component.name)
    run_id, number = state["run_id"], state["pause"]
    async with journal.hold(run_id):
        records = await journal.records(run_id)
        pause = _pause_of(records, number)
        if records_digest(records[: pause.sequence]) != state["records"]:
            raise JournalError(
                f"the journal of run {run_id} was changed since it paused",
                code="approval.forged",
            )
        given = {
            "answers": answers_of(input.approvals, pause.data["pending"]),
            "by": "host" if ctx.language == "python" else "script",
        }
        recording = Recording(journal, run_id, key, records)
        run = _Run(component, ctx, recording, go)
        before = recording.known("resumed", str(number))
        if before is None:
            await recording.write("resumed", str(number), given)
            records = await journal.records(run_id)
        elif before != given:
            raise JournalError(
                "the paused run was resumed before, with other answers",
                code="approval.answered",
                hint="an answer is given once; use the state of its next pause",
            )
        elif (end := run.outcome(records, number)) is not None:
            return end
        recording.decisions = decisions_of(records)
        run.tell("agent.resumed")
        return await run.again(records[0], number)


@dataclass(slots=True)
class _Run:
    component: BaseAgent
    ctx: ExecutionContext
    recording: Recording
    go: Go

    async def through(self, input: AgentInput, number: int) -> AgentOutput:
        """Run it up to its end, or to its next pause."""
        account = own_account(self.ctx.account)
        approver = PauseApprover(self.recording, self.ctx.approver)
        ctx = self.ctx.child(step=self.recording.root(), approver=approver, account=account)
        try:
            output = await self.go(input, ctx)
        except Paused as paused:
            return await self._pause(paused.pending, number + 1, account)
        finally:
            self.recording.go_live()
        await self.recording.write("ended", "run", {"output": output_data(output)})
        return output

    async def again(self, started: JournalRecord, number: int) -> AgentOutput:
        """Do it again: what was recorded is read, the rest is done."""
        data = started.data
        kind = OwnTurn if data["own"] else AgentInput
        given = kind.model_validate({**data["input"], "session": data["session"]})
        self._restore_conversation(given, data)
        events = self.ctx.run_events
        self.recording.replay(events.stream if events is not None else None)
        first = self.recording.known("paused", "1") or {}
        self.ctx = self.ctx.child(follows=first.get("trace"))
        return await self.through(given, number)

    def outcome(self, records: list[JournalRecord], number: int) -> AgentOutput | None:
        """What a pause that was answered has come to; None when a process ended before."""
        for record in records:
            if record.kind == "ended":
                return AgentOutput.model_validate(record.data["output"])
            if record.kind == "paused" and int(record.key) == number + 1:
                return self._paused(record, records[: record.sequence])
        return None

    async def _pause(self, pending: list[Pending], number: int, account: Account) -> AgentOutput:
        data = {
            "pending": _named(pending),
            "usage": account.usage.model_dump(exclude_none=True),
            "requests": account.requests,
            **trace_of_ended(),
        }
        journal, run_id = self.recording.journal, self.recording.run_id
        await self.recording.write("paused", str(number), data)
        records = await journal.records(run_id)
        output = self._paused(_pause_of(records, number), records)
        self.tell("agent.paused", pending=[one.model_dump() for one in output.pending])
        return output

    def tell(self, type_: str, **data: Any) -> None:
        """Tell the bus of the run; `journal` is the name that the journal has it by."""
        ctx, component = self.ctx, self.component
        data |= {"name": component.name, "id": component.id, "run_id": ctx.run_id}
        data["journal"] = self.recording.run_id
        ctx.events.emit(type_, data, correlation_id=ctx.correlation_id, language=ctx.language)

    def _paused(self, pause: JournalRecord, records: list[JournalRecord]) -> AgentOutput:
        runtime, name = self.ctx.runtime, self.component.name
        days = runtime.settings.journal.paused_days
        key = signing_key(runtime)
        shown = PendingCall.model_fields
        metadata = RunMetadata.model_validate(
            {
                "finish_reason": "paused",
                "usage": pause.data["usage"],
                "iterations": pause.data["requests"],
                "correlation_id": self.ctx.correlation_id,
            }
        )
        return AgentOutput(
            success=False,
            status="paused",
            agent=name,
            pending=[
                PendingCall.model_validate({field: one[field] for field in shown})
                for one in pause.data["pending"]
            ],
            state=make_state(key, name, records[: pause.sequence], days),
            metadata=metadata,
        )

    def _restore_conversation(self, input: AgentInput, data: dict[str, Any]) -> None:
        """What a conversation that ended with its process had; a session has it by itself."""
        found = _own_conversation(self.component, input, self.ctx)
        if found is None or found.messages:
            return
        found.messages.extend(message_of(one) for one in data["before"])
        if data["holder"]:
            found.holder = self.ctx.overlay.agents.get(data["holder"])


def _beginning(component: BaseAgent, input: AgentInput, ctx: ExecutionContext) -> dict[str, Any]:
    """What the run is begun with, so that it can be begun again anywhere."""
    own = isinstance(input, OwnTurn)
    found = _own_conversation(component, input, ctx)
    holder = found.holder if found is not None else None
    return {
        "input": plain(input.model_dump(exclude={"session"})),
        "own": own,
        "session": input.session or (ctx.session_id if own else None),
        "before": [plain(one.model_dump()) for one in found.messages] if found else [],
        "holder": holder.name if holder is not None and holder is not component else "",
    }


def _own_conversation(
    component: BaseAgent, input: AgentInput, ctx: ExecutionContext
) -> Conversation | None:
    """The conversation of an input, where it lives as long as the process."""
    find = getattr(component, "conversation", None)
    found = find(input, ctx) if find is not None else None
    return found if isinstance(found, Conversation) else None


def _pending(place: str, asking: Asking, digest: str) -> Pending:
    request = asking.request
    return Pending(
        place,
        request.id,
        request.tool,
        plain(request.arguments),
        request.reason,
        request.description,
        request.path,
        request.asked_by,
        digest,
    )


def _named(pending: list[Pending]) -> list[dict[str, Any]]:
    """The pending calls with ids that are different: models number theirs per answer."""
    seen: dict[str, int] = {}
    rows = []
    for one in pending:
        row = one.to_dict()
        name = one.id or one.tool
        number = seen[name] = seen.get(name, 0) + 1
        row["id"] = name if number == 1 else f"{name}#{number}"
        rows.append(row)
    return rows


def _pause_of(records: list[JournalRecord], number: int) -> JournalRecord:
    for one in records:
        if one.kind == "paused" and one.key == str(number):
            return one
    raise JournalError(
        "the journal does not have the paused run",
        code="approval.unknown_run",
        hint="resume it where the same data_dir is used, within [journal] keep_days",
    )


async def _prune(journal: Journal, ctx: ExecutionContext) -> None:
    """Forget old runs, once a process."""
    if journal not in _pruned:
        _pruned.add(journal)
        days = ctx.runtime.settings.journal.keep_days
        await journal.prune(time.time() - days * 86_400)

"""`SessionTalk`: an agent's conversation in a session, which outlives the process.

Each step of a turn is a record, so that what was done is known after a kill. A turn that came
to its end is shown whole. Of one that did not, only what its tools did is shown: without a
finished call nothing has happened that a model must know of.
"""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError as PydanticError

from llmspell_agents.conversation import _talking, talking_in
from llmspell_agents.history.repair import INTERRUPTED
from llmspell_core.errors import LLMSpellError, StateError
from llmspell_core.messages import Message

if TYPE_CHECKING:
    from llmspell_agents.conversation import Turn
    from llmspell_agents.history.view import ViewState
    from llmspell_core.component import BaseAgent
    from llmspell_core.context import ExecutionContext
    from llmspell_core.sessions import Record, SessionLog
    from llmspell_core.sessions.sessions import Hold

log = logging.getLogger("llmspell.agents")

#: How long the end of a failed turn may take to be written.
_END_S = 5
#: Of a call only what is sent again; how it ended stands in the message after it.
_LEFT_OUT = {"tool_calls": {"__all__": {"result", "error", "duration_ms"}}}


class SessionTalk:
    """The conversation of one agent, named `key`, in one session."""

    def __init__(self, session: SessionLog, key: str) -> None:
        self.holder: BaseAgent | None = None
        self.views: dict[str, ViewState] = {}
        #: The name of who answers the next turn; "" for the agent itself.
        self.holder_name = ""
        #: Those that he has the conversation from.
        self.passed: list[BaseAgent] = []
        self.passed_names: list[str] = []
        self.key = key
        self.id = session.id
        self._messages: list[Message] = []
        self._records: list[Record] = []
        self._seen = 0
        self._open: tuple[str, list[Message]] | None = None

    @asynccontextmanager
    async def turn(self, ctx: ExecutionContext) -> AsyncIterator[Turn]:
        """One turn; a second one, in this process or another, waits or is `session.busy`."""
        with_this = talking_in(self, f'the conversation in session "{self.id}"')
        sessions = ctx.runtime.sessions
        await sessions.open(self.id, ctx)
        async with sessions.hold(self.id, ctx) as hold:
            lock = hold.locks.setdefault(self.key, asyncio.Lock())
            async with lock:
                hold.log.check_room(ctx.settings.sessions.max_mb)
                self.catch_up(hold.log)
                self._settle()
                made = SessionTurn(self, hold, ctx.child(session_id=self.id))
                token = _talking.set(with_this)
                try:
                    yield made
                except BaseException as error:
                    await made.failed(error)
                    raise
                finally:
                    _talking.reset(token)

    def messages(self, session: SessionLog) -> list[Message]:
        """What was said in the turns that are over."""
        self.catch_up(session)
        return [*self._messages]

    async def reset(self, ctx: ExecutionContext) -> None:
        """Forget what was said; the records stay."""
        sessions = ctx.runtime.sessions
        await sessions.open(self.id, ctx)
        async with sessions.hold(self.id, ctx) as hold:
            await hold.append({"kind": "reset", "agent": self.key})
            self.catch_up(hold.log)

    def catch_up(self, session: SessionLog) -> None:
        """Read the records that were not read yet."""
        if self._records is not session.records:
            self._records, self._seen = session.records, 0
            self._messages, self._open, self.holder, self.holder_name = [], None, None, ""
        while self._seen < len(self._records):
            record = self._records[self._seen]
            self._seen += 1
            if record.get("agent") == self.key:
                self._apply(record)

    def _apply(self, record: Record) -> None:
        kind, turn = record.get("kind"), record.get("turn", "")
        if kind == "reset":
            self.views.clear()
            self._messages, self._open, self.holder, self.holder_name = [], None, None, ""
        if kind not in ("step", "end"):
            return
        if self._open is not None and self._open[0] != turn:
            self._settle()
        said = self._open[1] if self._open is not None else []
        said = [*said, *(_read(one, self.id) for one in record.get("messages", ()))]
        if kind == "step":
            self._open = (turn, said)
        elif record.get("status") == "completed":
            self._open = None
            self._messages.extend(said)
            if record.get("holder", "") != self.holder_name:
                self.holder, self.holder_name = None, record.get("holder", "")
                self.passed_names = [*record.get("passed", ())]
        else:
            self._open = (turn, said)
            self._settle()

    def _settle(self) -> None:
        """Show what a turn without an end has done."""
        if self._open is not None:
            self._messages.extend(done_of(self._open[1]))
            self._open = None


class SessionTurn:
    """A turn whose steps are records of a session."""

    def __init__(self, talk: SessionTalk, hold: Hold, ctx: ExecutionContext) -> None:
        self.before = [*talk._messages]
        self.ctx = ctx
        self._talk = talk
        self._hold = hold
        self._id = uuid.uuid4().hex[:16]
        self._kept = 0
        self._over = False

    async def keep(self, said: list[Message]) -> None:
        """Write the steps that were not written yet."""
        new = said[self._kept :]
        if new:
            await self._write("step", new)
            self._kept = len(said)

    async def done(self, said: list[Message]) -> None:
        """Write the rest and that the turn is over: from now on it is part of the conversation."""
        talk = self._talk
        holder = talk.holder.name if talk.holder is not None else talk.holder_name
        passed = [one.name for one in talk.passed] if talk.holder else talk.passed_names
        changes = {"status": "completed", "holder": holder, "passed": passed}
        await self._write("end", said[self._kept :], **changes)
        self._over = True
        talk.holder_name, talk.passed_names = holder, passed
        talk.catch_up(self._hold.log)
        asked = next((one.text for one in said if one.role == "user"), "")
        await self.ctx.runtime.sessions.turn_done(talk.id, asked)

    async def failed(self, error: BaseException) -> None:
        """Write that the turn ended without an answer; that must not hide why."""
        if self._over:
            return
        cancelled = isinstance(error, (asyncio.CancelledError, GeneratorExit))
        status = "cancelled" if cancelled else "failed"
        code = error.code if isinstance(error, LLMSpellError) else type(error).__name__
        write = self._write("end", [], status=status, error=code)
        try:
            async with asyncio.timeout(_END_S):
                await asyncio.shield(asyncio.ensure_future(write))
        except (StateError, TimeoutError) as unwritten:
            log.warning("session %s: its last turn has no end: %s", self._talk.id, unwritten)

    async def _write(self, kind: str, messages: list[Message], **fields: Any) -> None:
        record = {"kind": kind, "turn": self._id, "agent": self._talk.key, **fields}
        record["messages"] = [_data(one) for one in messages]
        await self._hold.append(record)


def done_of(said: list[Message]) -> list[Message]:
    """What to show of a turn that was cut off: its finished calls, and nothing without one."""
    last = next((n for n in range(len(said) - 1, -1, -1) if said[n].role == "tool"), None)
    if last is None:
        return []
    kept = said[: last + 1]
    calls = next(one.tool_calls for one in reversed(kept) if one.role == "assistant")
    answered = {one.tool_call_id for one in kept if one.role == "tool"}
    missing = [call for call in calls if call.id not in answered]
    return [
        *kept,
        *(
            Message(role="tool", content=INTERRUPTED, tool_call_id=call.id, name=call.name)
            for call in missing
        ),
    ]


def _data(message: Message) -> dict[str, Any]:
    data: dict[str, Any] = message.model_dump(
        mode="json", exclude_defaults=True, exclude=_LEFT_OUT, fallback=str
    )
    return _finite({**data, "role": message.role})  # type: ignore[no-any-return]


def _finite(value: Any) -> Any:
    """Without numbers that JSON has not; models may write them into arguments."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value


def _read(data: Any, id: str) -> Message:
    try:
        return Message.model_validate(data)
    except PydanticError as error:
        raise StateError(
            f'a message of the session "{id}" is damaged: {error.errors()[0]["msg"]}',
            code="session.damaged",
            hint="delete the session, or restore a copy of the state",
        ) from None

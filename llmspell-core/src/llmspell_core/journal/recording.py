"""`Recording` and `Step`: a run that is journaled, and a place in it.

A run goes on by being done again: what the journal has is not done but read from it. So each
turn and each call has a place that is the same whenever the run is done: the agents and calls
it is nested in, and its number among its like (``/triage#1:t2.c0/billing#1:t1``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_core.account import Account
from llmspell_core.errors import ToolError
from llmspell_core.journal.paused import Held, digest_of
from llmspell_core.journal.signing import sign
from llmspell_core.messages import Usage
from llmspell_core.run_limits import Limits

if TYPE_CHECKING:
    from llmspell_core.approval import ApprovalAnswer
    from llmspell_core.asking import Asking
    from llmspell_core.context import ExecutionContext
    from llmspell_core.journal.journal import Journal
    from llmspell_core.journal.record import JournalRecord, Kind
    from llmspell_core.run_events import RunEventStream
    from llmspell_core.tool import Tool


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer to a pending call, what it is bound to, and whether a script gave it."""

    answer: ApprovalAnswer
    digest: str
    by_script: bool
    asked_by: str
    tool: str


class Recording:
    """One journaled run: what was recorded before, and what is from now on."""

    def __init__(
        self, journal: Journal, run_id: str, key: bytes, records: list[JournalRecord] | None = None
    ) -> None:
        self.journal = journal
        self.run_id = run_id
        self._key = key
        self._known = {(one.kind, one.key): one.data for one in records or []}
        self._next: list[tuple[Kind, str, dict[str, Any]]] = []
        #: The answers to pending calls, by place.
        self.decisions: dict[str, Decision] = {}
        #: The events of the run: nothing is told of what was recorded, since it was told before.
        self.stream: RunEventStream | None = None

    def known(self, kind: Kind, place: str) -> dict[str, Any] | None:
        """What was recorded of a place before."""
        return self._known.get((kind, place))

    async def write(self, kind: Kind, place: str, data: dict[str, Any]) -> bool:
        """Record something; False when it was before."""
        first, self._next = self._next, []
        for one, where, what in first:
            await self.journal.append(self.run_id, one, what, key=where)
        return await self.journal.append(self.run_id, kind, data, key=place) is not None

    def write_next(self, kind: Kind, place: str, data: dict[str, Any]) -> None:
        """Record something ahead of what is recorded next, or never when nothing is."""
        self._next.append((kind, place, data))

    def replay(self, stream: RunEventStream | None) -> None:
        """What follows was recorded, up to `go_live`."""
        self.stream = stream
        if stream is not None:
            stream.muted = True

    def go_live(self) -> None:
        """From now on it does more than to read what was recorded."""
        if self.stream is not None:
            self.stream.muted = False

    def digest(self, place: str, asking: Asking) -> str:
        """What an answer about this call is bound to."""
        return digest_of(self._key, self.run_id, place, asking)

    def mark(self, place: str, text: str) -> str:
        """16 hexadecimal digits that nobody can foresee, the same whenever the run is done."""
        return sign(self._key, ["mark", self.run_id, place, text])[:16]

    def always(self, asking: Asking) -> bool:
        """Whether somebody answered "always" about the tool, in whatever process."""
        return any(
            one.answer.kind == "always"
            and one.tool == asking.tool.name
            and one.asked_by == asking.request.asked_by
            and not (one.by_script and one.asked_by == "policy")
            for one in self.decisions.values()
        )

    def root(self) -> Step:
        """The beginning of the run."""
        return Step(self, "")


@dataclass(slots=True)
class Step:
    """A place in a journaled run; a context has it as `step`."""

    recording: Recording
    place: str
    #: Whether it is a call that a model has made.
    is_call: bool = False
    #: Whether nothing may begin here, since a call before it waits.
    held: bool = False
    _begun: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many agents it is nested in, those that took over beside each other."""
        return self.place.count("/")

    def beneath(self, name: str) -> Step:
        """The place of an agent that runs here; each time another one."""
        number = self._numbers[name] = self._numbers.get(name, 0) + 1
        return Step(self.recording, f"{self.place}/{name}#{number}")

    def next_turn(self) -> str:
        """The place of the agent's next request to its model."""
        number = self._numbers[""] = self._numbers.get("", 0) + 1
        return f"{self.place}:t{number}"

    def turn(self) -> str:
        """The place of its last one."""
        return f"{self.place}:t{self._numbers.get('', 0)}"

    def call(self, place: str, *, held: bool) -> Step:
        """A call of a tool."""
        return Step(self.recording, place, is_call=True, held=held)

    async def enter(self, tool: Tool, ctx: ExecutionContext) -> ExecutionContext:
        """The context of a call that begins now, which is written down first.

        An agent as a tool is done again like the run itself; any other tool is one step: what
        runs inside of it is not journaled and cannot pause.

        Raises `tool.interrupted` for one that had begun before.
        """
        if self.held:
            raise Held
        if getattr(getattr(tool, "wrapped", None), "resumable", False):
            return ctx
        if not self._begun:
            if not await self.recording.write("call.started", self.place, {"tool": tool.name}):
                raise ToolError(
                    f"{tool.name}: interrupted: it had begun when the process ended; it may have "
                    "been done or not, and was not called again",
                    code="tool.interrupted",
                    hint="look whether it was done before it is called anew",
                )
            self._begun = True
        return ctx.child(step=None)


def own_account(above: Account) -> Account:
    """An account that counts one step by itself, and charges the one above."""
    return Account(Limits(), parent=above)


def spent(account: Account) -> dict[str, Any]:
    """What such an account has counted, as data."""
    return {
        "requests": account.requests,
        "per_tool": dict(account.per_tool),
        "usage": account.usage.model_dump(exclude_none=True),
    }


def charge(account: Account, was: dict[str, Any]) -> None:
    """Count a step that was done before: limits go on where they were."""
    for _ in range(was["requests"]):
        account.charge_request()
    for name, times in was["per_tool"].items():
        for _ in range(times):
            account.charge_tool(name)
    account.charge_usage(Usage.model_validate(was["usage"]))

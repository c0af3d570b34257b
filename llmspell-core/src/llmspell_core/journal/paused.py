"""A run that waits for approvals: what it stops with, and the state that lets it go on."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import JournalError, PolicyError, ValidationError
from llmspell_core.journal.signing import canonical, is_signed, sign

if TYPE_CHECKING:
    from llmspell_core.asking import Asking
    from llmspell_core.journal.record import JournalRecord

FORMAT = "llmspell.paused"
STATE_VERSION = 1
#: Bytes of a state; it is handed around, and what comes back is read before it is trusted.
MAX_STATE = 256 * 1024
#: Characters of arguments in it.
_SHOWN = 2000

_FIELDS = {
    "format": str,
    "version": int,
    "run_id": str,
    "agent": str,
    "pause": int,
    "created_at": int,
    "expires_at": int,
    "pending": list,
    "records": str,
    "signature": str,
}
_PENDING_FIELDS = ("id", "tool", "arguments", "digest")


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that waits: where in the run, and what is asked about it."""

    place: str
    id: str
    tool: str
    #: Secrets taken out.
    arguments: dict[str, Any]
    reason: str
    description: str
    path: tuple[str, ...]
    asked_by: str
    #: Of the real arguments, the tool and its schema: an answer holds for these and no others.
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """As it is journaled."""
        return {name: getattr(self, name) for name in self.__slots__} | {"path": [*self.path]}


class Paused(BaseException):
    """Ends a run up to where it began. No error: what handles failures must let it pass."""

    def __init__(self, pending: list[Pending]) -> None:
        super().__init__(f"{len(pending)} calls wait for an approval")
        self.pending = pending


class Held(BaseException):
    """A call that must not begin: one before it in the same answer waits for an approval."""


def digest_of(key: bytes, run_id: str, place: str, asking: Asking) -> str:
    """What an answer is bound to."""
    tool = asking.tool
    about = [run_id, place, tool.name, tool.schema(), asking.arguments]
    return sign(key, about)


def records_digest(records: list[JournalRecord]) -> str:
    """The journal of a run up to a pause: nothing of it may change behind a state."""
    found = hashlib.sha256()
    for one in records:
        found.update(canonical([one.sequence, one.kind, one.key, one.version, one.data]))
    return found.hexdigest()


def make_state(key: bytes, agent: str, records: list[JournalRecord], days: int) -> dict[str, Any]:
    """The signed state of a pause: only whole numbers and texts, which any language keeps.

    Args:
        key: signs it
        agent: the agent that the run began with
        records: all records of the run up to the one of the pause
        days: how long it is good for
    """
    pause = records[-1]
    created = int(pause.time)
    state: dict[str, Any] = {
        "format": FORMAT,
        "version": STATE_VERSION,
        "run_id": pause.run_id,
        "agent": agent,
        "pause": int(pause.key),
        "created_at": created,
        "expires_at": created + days * 86_400,
        "pending": [
            {
                "id": one["id"],
                "tool": one["tool"],
                "arguments": _shown(one["arguments"]),
                "digest": one["digest"],
            }
            for one in pause.data["pending"]
        ],
        "records": records_digest(records),
    }
    return {**state, "signature": sign(key, state)}


def check_state(key: bytes, state: Any, agent: str) -> dict[str, Any]:
    """A state that came back, unless it is none, was changed, is too old or another agent's.

    Raises `input.invalid`, `approval.version`, `approval.forged`, `approval.expired`,
    `approval.other_agent`.
    """
    found = _read(state)
    unsigned = {name: value for name, value in found.items() if name != "signature"}
    if not is_signed(key, unsigned, found["signature"]):
        raise PolicyError(
            "the state of the paused run was changed, or was not signed here",
            code="approval.forged",
            hint="hand back what the pause gave, where the same data_dir is used",
        )
    if found["agent"] != agent:
        raise JournalError(
            f'the paused run began with agent "{found["agent"]}", and this is "{agent}"',
            code="approval.other_agent",
            hint="resume it with that agent; one that may pause needs a name",
        )
    if found["expires_at"] < time.time():
        raise JournalError(
            "the paused run can no longer be resumed: nobody answered in time",
            code="approval.expired",
            hint="start it anew; [journal] paused_days says how long one waits",
        )
    return found


def _read(state: Any) -> dict[str, Any]:
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValidationError("resume: state: is no state of a paused run (output.state)")
    version = state.get("version")
    if version != STATE_VERSION:
        raise JournalError(
            f"the state is of version {version!r}, and this llmspell reads {STATE_VERSION}",
            code="approval.version",
            hint="resume it with the llmspell that paused it, or update",
        )
    if set(state) != set(_FIELDS):
        odd = sorted(set(state) ^ set(_FIELDS))
        raise ValidationError(f"resume: state: {', '.join(map(str, odd))}: missing or unknown")
    made: dict[str, Any] = {}
    for name, kind in _FIELDS.items():
        value = state[name]
        if kind is int and isinstance(value, float) and value.is_integer():
            # A language without whole numbers had it.
            value = int(value)
        if type(value) is not kind:
            raise ValidationError(f"resume: state: {name} is of the wrong type")
        made[name] = value
    made["pending"] = [_pending(one) for one in made["pending"]]
    if len(canonical(made)) > MAX_STATE:
        raise ValidationError(f"resume: state: is larger than {MAX_STATE // 1024} KiB")
    return made


def _pending(one: Any) -> dict[str, str]:
    if not isinstance(one, dict) or set(one) != set(_PENDING_FIELDS):
        raise ValidationError("resume: state: pending has a wrong entry")
    if not all(isinstance(value, str) for value in one.values()):
        raise ValidationError("resume: state: pending has a wrong entry")
    return {name: one[name] for name in _PENDING_FIELDS}


def _shown(arguments: dict[str, Any]) -> str:
    text = json.dumps(arguments, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"

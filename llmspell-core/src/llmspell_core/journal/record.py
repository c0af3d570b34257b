"""`JournalRecord`: one thing that a run has done, and its form in a store."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from llmspell_core.errors import JournalError
from llmspell_core.records import Record
from llmspell_core.records import key as value

#: The version of the records that this llmspell writes; older ones are read.
VERSION = 1

Kind = Literal[
    "run.started",
    "turn",
    "call.started",
    "call.finished",
    "leg.started",
    "leg.finished",
    "paused",
    "resumed",
    "ended",
    "approved",
]
#: What records tell of:
#:
#: - ``run.started``: the agent, its id and its input
#: - ``turn``: a model's whole answer
#: - ``call.started``, ``call.finished``: a tool call that begins; how it ended
#: - ``leg.started``, ``leg.finished``: the same of an agent that is made of code
#: - ``paused``: the calls that wait for an approval
#: - ``resumed``: the answers to a pause
#: - ``ended``: the output, or the error
#: - ``approved``: a tool that is not asked about again in a session
KINDS: tuple[str, ...] = get_args(Kind)

_dumps = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class JournalRecord(Record):
    """One record. `sequence` counts from 1 within a run; `time` is seconds since 1970."""

    run_id: str
    sequence: int
    kind: str
    #: What it is about: a place in the run, such as ``/triage#1:t2.c1``.
    key: str = ""
    data: dict[str, Any] = value({}, "what is told")
    time: float = 0.0
    version: int = VERSION


def encode(data: dict[str, Any], what: str) -> str:
    """Data of a record as JSON text in ASCII; ``journal.not_json`` names what it belongs to."""
    try:
        return _dumps(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(
            f"{what} cannot be journaled: {error}",
            code="journal.not_json",
            hint="inputs and results of a run that may pause must be JSON data",
        ) from None


def decode(text: str, version: int) -> dict[str, Any]:
    """The data of a stored record; ``journal.version`` for one of a newer llmspell."""
    if version > VERSION:
        raise JournalError(
            f"the journal has records of version {version}, and this llmspell reads {VERSION}",
            code="journal.version",
            hint="update llmspell",
        )
    found: dict[str, Any] = json.loads(text)
    return found

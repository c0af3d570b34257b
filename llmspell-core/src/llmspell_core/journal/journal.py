"""`Journal`: what a place for records of runs must offer.

A distribution adds one through the entry-point group ``llmspell.journals``: a function that is
called with the loaded settings. `llmspell_core.testing.journal_suite` has the tests that every
journal passes.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from llmspell_core.journal.record import JournalRecord, Kind
from llmspell_core.records import Record


class RunSummary(Record):
    """One run of a journal: its name, how much is recorded, and what last."""

    run_id: str
    records: int
    last: str
    #: Seconds since 1970.
    started: float
    changed: float


class Journal(Protocol):
    """Records of runs: appended, never changed. Each method is atomic.

    What `append` has answered is there when the process is killed right after. All raise
    `JournalError`: ``journal.not_json``, ``journal.busy`` (try again), ``journal.damaged``,
    ``journal.version``, ``journal.closed``, ``journal.failed``.
    """

    #: Whether another process finds what this one has written.
    persistent: bool

    async def append(
        self, run_id: str, kind: Kind, data: dict[str, Any], *, key: str = ""
    ) -> JournalRecord | None:
        """Add a record; None, and nothing added, when the run has one of this kind and key.

        Of two who append the same, one gets the record. Records without a key are always added.
        """
        ...

    async def records(self, run_id: str) -> list[JournalRecord]:
        """All records of a run in their order; empty for one that is not known."""
        ...

    async def runs(self) -> list[RunSummary]:
        """All runs, the last changed one first."""
        ...

    async def delete(self, run_id: str) -> bool:
        """Forget a run; whether it was there."""
        ...

    async def prune(self, before: float) -> int:
        """Forget runs that have not changed since `before` (s since 1970); how many they were."""
        ...

    def hold(self, run_id: str) -> AbstractAsyncContextManager[None]:
        """Have a run for oneself; ``journal.held`` while another task or process has it.

        A process that is killed lets go.
        """
        ...

    async def close(self) -> None:
        """Write everything and let go of files; may be called twice."""
        ...

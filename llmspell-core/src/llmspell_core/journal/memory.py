"""`MemoryJournal`: records that live as long as the process."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import JournalError
from llmspell_core.journal.holding import held
from llmspell_core.journal.journal import RunSummary
from llmspell_core.journal.record import VERSION, JournalRecord, Kind, decode, encode

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded


class MemoryJournal:
    """Records in lists. No method waits for anything, which makes each one atomic."""

    persistent = False

    def __init__(self) -> None:
        self._runs: dict[str, list[tuple[str, str, str, float]]] = {}
        self._keys: set[tuple[str, str, str]] = set()
        self._held: set[str] = set()
        self._closed = False

    async def append(
        self, run_id: str, kind: Kind, data: dict[str, Any], *, key: str = ""
    ) -> JournalRecord | None:
        rows = self._open().setdefault(run_id, [])
        text = encode(data, f"{kind} of run {run_id}")
        if key:
            if (run_id, kind, key) in self._keys:
                return None
            self._keys.add((run_id, kind, key))
        rows.append((kind, key, text, time.time()))
        return _record(run_id, len(rows), rows[-1])

    async def records(self, run_id: str) -> list[JournalRecord]:
        rows = self._open().get(run_id, [])
        return [_record(run_id, number, row) for number, row in enumerate(rows, 1)]

    async def runs(self) -> list[RunSummary]:
        found = [
            RunSummary(run_id, len(rows), rows[-1][0], rows[0][3], rows[-1][3])
            for run_id, rows in self._open().items()
            if rows
        ]
        return sorted(found, key=lambda one: one.changed, reverse=True)

    async def delete(self, run_id: str) -> bool:
        self._keys = {one for one in self._keys if one[0] != run_id}
        return bool(self._open().pop(run_id, []))

    async def prune(self, before: float) -> int:
        old = [one.run_id for one in await self.runs() if one.changed < before]
        for run_id in old:
            await self.delete(run_id)
        return len(old)

    @asynccontextmanager
    async def hold(self, run_id: str) -> AsyncIterator[None]:
        self._open()
        if run_id in self._held:
            raise held(run_id)
        self._held.add(run_id)
        try:
            yield
        finally:
            self._held.discard(run_id)

    async def close(self) -> None:
        self._closed = True

    def _open(self) -> dict[str, list[tuple[str, str, str, float]]]:
        if self._closed:
            raise JournalError("the journal is closed", code="journal.closed")
        return self._runs


def _record(run_id: str, sequence: int, row: tuple[str, str, str, float]) -> JournalRecord:
    kind, key, text, moment = row
    return JournalRecord(run_id, sequence, kind, key, decode(text, VERSION), moment, VERSION)


def from_settings(loaded: Loaded) -> MemoryJournal:
    """The journal of ``[journal] backend = "memory"``."""
    return MemoryJournal()

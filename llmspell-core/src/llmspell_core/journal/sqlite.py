"""`SqliteJournal`: records in one file, shared by processes, whole whenever one is killed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.config.directories import data_dir
from llmspell_core.errors import JournalError
from llmspell_core.journal.holding import holding
from llmspell_core.journal.journal import RunSummary
from llmspell_core.journal.record import VERSION, JournalRecord, Kind, decode, encode
from llmspell_core.storage.sqlite_file import Contents, SqliteFile, transaction

if TYPE_CHECKING:
    import sqlite3

    from llmspell_core.config.sources import Loaded

_SCHEMA = (
    """
    CREATE TABLE records (
        run_id TEXT NOT NULL, sequence INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
        version INTEGER NOT NULL, time REAL NOT NULL, data TEXT NOT NULL,
        UNIQUE (run_id, sequence)
    )
    """,
    "CREATE UNIQUE INDEX once ON records (run_id, kind, key) WHERE key <> ''",
)
_APPEND = """
    INSERT INTO records (run_id, sequence, kind, key, version, time, data)
    SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM records WHERE run_id = ?1
    ON CONFLICT DO NOTHING
"""
_APPENDED = "SELECT sequence FROM records WHERE rowid = last_insert_rowid()"
_RECORDS = """
    SELECT sequence, kind, key, data, time, version FROM records
    WHERE run_id = ? ORDER BY sequence
"""
_RUNS = """
    SELECT run_id, count(*), min(time), max(time),
        (SELECT kind FROM records last WHERE last.run_id = records.run_id
         ORDER BY sequence DESC LIMIT 1)
    FROM records GROUP BY run_id ORDER BY max(time) DESC, run_id
"""
_DELETE = "DELETE FROM records WHERE run_id = ?"
_OLD = "SELECT run_id FROM records GROUP BY run_id HAVING max(time) < ?"
# A call that is not known to have begun would be made twice: each record reaches the disk.
_CONTENTS = Contents("journal", JournalError, "[journal] file", _SCHEMA, synced=True)


class SqliteJournal:
    """Records in an SQLite file, opened at the first call, used on one thread of its own.

    Each record is a transaction in the write-ahead log that is on the disk when `append`
    answers: neither a killed process nor a power failure loses it.
    """

    persistent = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SqliteFile(path, _CONTENTS)

    async def append(
        self, run_id: str, kind: Kind, data: dict[str, Any], *, key: str = ""
    ) -> JournalRecord | None:
        text = encode(data, f"{kind} of run {run_id}")
        moment = time.time()
        row = (_plain(run_id), kind, _plain(key), VERSION, moment, text)
        sequence = await self._file.call(lambda db: _append(db, row))
        if sequence is None:
            return None
        return JournalRecord(run_id, sequence, kind, key, decode(text, VERSION), moment, VERSION)

    async def records(self, run_id: str) -> list[JournalRecord]:
        where = (_plain(run_id),)
        rows = await self._file.call(lambda db: db.execute(_RECORDS, where).fetchall())
        return [
            JournalRecord(run_id, sequence, kind, key, decode(text, version), moment, version)
            for sequence, kind, key, text, moment, version in rows
        ]

    async def runs(self) -> list[RunSummary]:
        rows = await self._file.call(lambda db: db.execute(_RUNS).fetchall())
        return [
            RunSummary(run_id, count, last, first, end) for run_id, count, first, end, last in rows
        ]

    async def delete(self, run_id: str) -> bool:
        where = (_plain(run_id),)
        return await self._file.call(lambda db: db.execute(_DELETE, where).rowcount > 0)

    async def prune(self, before: float) -> int:
        return await self._file.call(lambda db: _prune(db, before))

    @asynccontextmanager
    async def hold(self, run_id: str) -> AsyncIterator[None]:
        folder = self.path.parent / f"{self.path.stem}.locks"
        with holding(folder, run_id):
            yield

    async def close(self) -> None:
        await self._file.close()


def _append(db: sqlite3.Connection, row: tuple[Any, ...]) -> int | None:
    # The number is found and used under one lock.
    with transaction(db):
        if db.execute(_APPEND, row).rowcount <= 0:
            return None
        return int(db.execute(_APPENDED).fetchone()[0])


def _prune(db: sqlite3.Connection, before: float) -> int:
    with transaction(db):
        old = db.execute(_OLD, (before,)).fetchall()
        db.executemany(_DELETE, old)
    return len(old)


def _plain(text: str) -> str:
    # SQLite keeps text in UTF-8, which has no halves of characters.
    return text.encode("utf-8", "backslashreplace").decode()


def from_settings(loaded: Loaded) -> SqliteJournal:
    """The journal of ``[journal] backend = "sqlite"``: `file`, else one in the data folder."""
    folder = data_dir(loaded.settings)
    named = loaded.settings.journal.file
    return SqliteJournal(folder / Path(named).expanduser() if named else folder / "journal.db")

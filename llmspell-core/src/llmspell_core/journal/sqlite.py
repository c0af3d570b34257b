"""`SqliteJournal`: records in one file, shared by processes, whole whenever one is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from llmspell_core.config.directories import data_dir, private_dir
from llmspell_core.errors import JournalError
from llmspell_core.journal.holding import holding
from llmspell_core.journal.journal import RunSummary
from llmspell_core.journal.record import VERSION, JournalRecord, Kind, decode, encode

if TYPE_CHECKING:
    import sqlite3

    from llmspell_core.config.sources import Loaded

T = TypeVar("T")

#: How long to wait for another process that is writing.
BUSY_S = 10.0
_SCHEMA_VERSION = 1
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


class SqliteJournal:
    """Records in an SQLite file, opened at the first call, used on one thread of its own.

    Each record is a transaction in the write-ahead log that is on the disk when `append`
    answers: neither a killed process nor a power failure loses it.
    """

    persistent = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._executor: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def append(
        self, run_id: str, kind: Kind, data: dict[str, Any], *, key: str = ""
    ) -> JournalRecord | None:
        text = encode(data, f"{kind} of run {run_id}")
        moment = time.time()
        row = (_plain(run_id), kind, _plain(key), VERSION, moment, text)
        sequence = await self._call(lambda db: _append(db, row))
        if sequence is None:
            return None
        return JournalRecord(run_id, sequence, kind, key, decode(text, VERSION), moment, VERSION)

    async def records(self, run_id: str) -> list[JournalRecord]:
        where = (_plain(run_id),)
        rows = await self._call(lambda db: db.execute(_RECORDS, where).fetchall())
        return [
            JournalRecord(run_id, sequence, kind, key, decode(text, version), moment, version)
            for sequence, kind, key, text, moment, version in rows
        ]

    async def runs(self) -> list[RunSummary]:
        rows = await self._call(lambda db: db.execute(_RUNS).fetchall())
        return [
            RunSummary(run_id, count, last, first, end) for run_id, count, first, end, last in rows
        ]

    async def delete(self, run_id: str) -> bool:
        where = (_plain(run_id),)
        return await self._call(lambda db: db.execute(_DELETE, where).rowcount > 0)

    async def prune(self, before: float) -> int:
        return await self._call(lambda db: _prune(db, before))

    @asynccontextmanager
    async def hold(self, run_id: str) -> AsyncIterator[None]:
        folder = self.path.parent / f"{self.path.stem}.locks"
        with holding(folder, run_id):
            yield

    async def close(self) -> None:
        self._closed = True
        executor, self._executor = self._executor, None
        if executor is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(executor, self._disconnect)
            executor.shutdown(wait=False)

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise JournalError("the journal is closed", code="journal.closed")
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="llmspell-journal")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        import sqlite3

        try:
            if self._connection is None:
                self._connection = _connect(self.path)
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise _journal_error(self.path, error) from error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _append(db: sqlite3.Connection, row: tuple[Any, ...]) -> int | None:
    # IMMEDIATE: the number is found and used under one lock.
    db.execute("BEGIN IMMEDIATE")
    try:
        added = db.execute(_APPEND, row).rowcount > 0
        sequence = int(db.execute(_APPENDED).fetchone()[0]) if added else None
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return sequence


def _prune(db: sqlite3.Connection, before: float) -> int:
    db.execute("BEGIN IMMEDIATE")
    try:
        old = [row[0] for row in db.execute(_OLD, (before,)).fetchall()]
        db.executemany(_DELETE, [(run_id,) for run_id in old])
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return len(old)


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    private_dir(path.parent)
    # SQLite would make the file readable for everybody, and its companions like the file.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _use_wal(db)
        # A call that is not known to have begun would be made twice: each record reaches the disk.
        db.execute("PRAGMA synchronous = FULL")
        _prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _use_wal(db: sqlite3.Connection) -> None:
    import sqlite3

    end = time.monotonic() + BUSY_S
    while db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        # SQLite does not wait by itself when two processes switch at the same time.
        with contextlib.suppress(sqlite3.OperationalError):
            if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
        if time.monotonic() > end:
            return
        time.sleep(0.01)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    if _schema_version(db) == 0:
        db.execute("BEGIN IMMEDIATE")
        # Another process may have been first.
        if _schema_version(db) == 0:
            for statement in _SCHEMA:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        db.execute("COMMIT")
    if _schema_version(db) != _SCHEMA_VERSION:
        raise JournalError(
            f"{path} was written by a newer llmspell",
            code="journal.version",
            hint="update llmspell, or set [journal] file to another one",
        )


def _schema_version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _journal_error(path: Path, error: Exception) -> JournalError:
    import sqlite3

    text = str(error)
    if "locked" in text or "busy" in text:
        return JournalError(
            f"{path} is in use by another process",
            code="journal.busy",
            hint="try again",
            retryable=True,
        )
    damaged = "malformed" in text or "not a database" in text
    if isinstance(error, sqlite3.DatabaseError) and damaged:
        return JournalError(
            f"{path} is damaged or no journal: {text}",
            code="journal.damaged",
            hint="move it away (a new one is made), or restore a copy",
        )
    return JournalError(f"the journal in {path} cannot be used: {text}", code="journal.failed")


def _plain(text: str) -> str:
    # SQLite keeps text in UTF-8, which has no halves of characters.
    return text.encode("utf-8", "backslashreplace").decode()


def from_settings(loaded: Loaded) -> SqliteJournal:
    """The journal of ``[journal] backend = "sqlite"``: `file`, else one in the data folder."""
    folder = data_dir(loaded.settings)
    named = loaded.settings.journal.file
    return SqliteJournal(folder / Path(named).expanduser() if named else folder / "journal.db")

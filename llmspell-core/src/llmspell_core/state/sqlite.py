"""`SqliteStore`: state in one file, safe to share between processes and to kill at any time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from llmspell_core.config.directories import data_dir, private_dir
from llmspell_core.errors import StateError
from llmspell_core.state.store import BENEATH, DELETE, KEEP, MISSING, Change
from llmspell_core.state.values import decode, encode

if TYPE_CHECKING:
    import sqlite3

    from llmspell_core.config.sources import Loaded

T = TypeVar("T")

#: How long to wait for another process that is writing.
BUSY_S = 10.0
_SCHEMA_VERSION = 1
# Keys and scopes are bytes, so that any text is kept exactly and compares in one way only.
_SCHEMA = """
    CREATE TABLE state (
        scope BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL,
        UNIQUE (scope, key)
    )
"""
_GET = "SELECT value, version FROM state WHERE scope = ? AND key = ?"
_SET = """
    INSERT INTO state (scope, key, value, version) VALUES (?, ?, ?, ?)
    ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, version = excluded.version
"""
_DELETE = "DELETE FROM state WHERE scope = ? AND key = ?"
_KEYS = "SELECT key FROM state WHERE scope = ? AND key >= ? AND (? = 0 OR key < ?) ORDER BY key"
_ALL = "SELECT key, value FROM state WHERE scope = ? ORDER BY key"
_CLEAR = "DELETE FROM state WHERE scope = ?"
_SIZE = """
    SELECT coalesce(sum(length(key) + length(value)), 0) FROM state
    WHERE scope = ? OR (scope >= ? AND scope < ?)
"""


class SqliteStore:
    """State in an SQLite file, opened at the first call, used on one thread of its own.

    Every change is a transaction in the write-ahead log: when the process is killed, what was
    answered is there. After a power failure the last changes since `flush` may be missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._executor: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def get(self, scope: str, key: str) -> tuple[Any, int]:
        row = await self._call(lambda db: db.execute(_GET, (_bytes(scope), _bytes(key))).fetchone())
        return (MISSING, 0) if row is None else (decode(row[0]), row[1])

    async def set(self, scope: str, key: str, value: Any) -> None:
        row = (_bytes(scope), _bytes(key), encode(value).encode(), _new_version())
        await self._call(lambda db: db.execute(_SET, row))

    async def delete(self, scope: str, key: str) -> bool:
        where = (_bytes(scope), _bytes(key))
        return await self._call(lambda db: db.execute(_DELETE, where).rowcount > 0)

    async def keys(self, scope: str, prefix: str = "") -> list[str]:
        start = _bytes(prefix)
        # UTF-8 has no byte 0xFF: the next greater last byte ends the keys with this prefix.
        end = start[:-1] + bytes([start[-1] + 1]) if start else b""
        where = (_bytes(scope), start, len(start), end)
        rows = await self._call(lambda db: db.execute(_KEYS, where).fetchall())
        return [_text(row[0]) for row in rows]

    async def all(self, scope: str) -> dict[str, Any]:
        rows = await self._call(lambda db: db.execute(_ALL, (_bytes(scope),)).fetchall())
        return {_text(key): decode(value) for key, value in rows}

    async def compare_and_set(self, scope: str, changes: Mapping[str, Change]) -> bool:
        rows: list[tuple[bytes, int | None, Any]] = [
            (
                _bytes(key),
                expected,
                value if value is DELETE or value is KEEP else encode(value).encode(),
            )
            for key, (expected, value) in changes.items()
        ]
        return await self._call(lambda db: _compare_and_set(db, _bytes(scope), rows))

    async def clear(self, scope: str) -> int:
        return await self._call(lambda db: db.execute(_CLEAR, (_bytes(scope),)).rowcount)

    async def size(self, scope: str) -> int:
        start = _bytes(scope + BENEATH)
        where = (_bytes(scope), start, start[:-1] + bytes([start[-1] + 1]))
        row = await self._call(lambda db: db.execute(_SIZE, where).fetchone())
        return int(row[0])

    async def flush(self) -> None:
        if self._connection is not None:
            await self._call(lambda db: db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())

    async def close(self) -> None:
        self._closed = True
        executor, self._executor = self._executor, None
        if executor is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(executor, self._disconnect)
            executor.shutdown(wait=False)

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StateError("the state store is closed", code="state.closed")
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="llmspell-state")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        import sqlite3

        try:
            if self._connection is None:
                self._connection = _connect(self.path)
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise _state_error(self.path, error) from error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _compare_and_set(
    db: sqlite3.Connection, scope: bytes, rows: list[tuple[bytes, int | None, Any]]
) -> bool:
    # IMMEDIATE: a transaction that begins by reading may not get to write afterwards.
    db.execute("BEGIN IMMEDIATE")
    try:
        for key, expected, _ in rows:
            if expected is not None:
                found = db.execute(_GET, (scope, key)).fetchone()
                if (found[1] if found else 0) != expected:
                    db.execute("ROLLBACK")
                    return False
        for key, _, value in rows:
            if value is DELETE:
                db.execute(_DELETE, (scope, key))
            elif value is not KEEP:
                db.execute(_SET, (scope, key, value, _new_version()))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return True


def _connect(path: Path) -> sqlite3.Connection:
    import sqlite3

    private_dir(path.parent)
    # SQLite would make the file readable for everybody, and its companions like the file.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _use_wal(db)
        db.execute("PRAGMA synchronous = NORMAL")
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
            db.execute(_SCHEMA)
            db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        db.execute("COMMIT")
    if _schema_version(db) != _SCHEMA_VERSION:
        raise StateError(
            f"{path} was written by a newer llmspell",
            code="state.version",
            hint="update llmspell, or set [state] url to another file",
        )


def _schema_version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _state_error(path: Path, error: Exception) -> StateError:
    import sqlite3

    text = str(error)
    if "locked" in text or "busy" in text:
        return StateError(
            f"{path} is in use by another process",
            code="state.busy",
            hint="try again",
            retryable=True,
        )
    damaged = "malformed" in text or "not a database" in text
    if isinstance(error, sqlite3.DatabaseError) and damaged:
        return StateError(
            f"{path} is damaged or no state file: {text}",
            code="state.damaged",
            hint="move it away (a new one is made), or restore a copy",
        )
    return StateError(f"state in {path} cannot be used: {text}", code="state.failed")


def _new_version() -> int:
    # Random instead of counted: no second row to write, and no way to meet an old one again.
    return random.getrandbits(62) + 1


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def from_settings(loaded: Loaded) -> SqliteStore:
    """The store of ``[state] backend = "sqlite"``: the file `url`, else one in the data folder."""
    url = loaded.settings.state.url.removeprefix("sqlite:///")
    folder = data_dir(loaded.settings)
    return SqliteStore(folder / Path(url).expanduser() if url else folder / "state.db")

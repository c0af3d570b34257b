"""`SqliteStore`: state in one file, safe to share between processes and to kill at any time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.config.directories import data_dir
from llmspell_core.errors import StateError
from llmspell_core.state.keys import as_bytes, as_text, end_of, new_version
from llmspell_core.state.store import BENEATH, DELETE, KEEP, MISSING, Change
from llmspell_core.state.values import decode, encode
from llmspell_core.storage.sqlite_file import Contents, SqliteFile, transaction

if TYPE_CHECKING:
    import sqlite3

    from llmspell_core.config.sources import Loaded

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
_CONTENTS = Contents("state", StateError, "[state] url", (_SCHEMA,))


class SqliteStore:
    """State in an SQLite file, opened at the first call, used on one thread of its own.

    Every change is a transaction in the write-ahead log: when the process is killed, what was
    answered is there. After a power failure the last changes since `flush` may be missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SqliteFile(path, _CONTENTS)

    async def get(self, scope: str, key: str) -> tuple[Any, int]:
        row = await self._file.call(
            lambda db: db.execute(_GET, (as_bytes(scope), as_bytes(key))).fetchone()
        )
        return (MISSING, 0) if row is None else (decode(row[0]), row[1])

    async def set(self, scope: str, key: str, value: Any) -> None:
        row = (as_bytes(scope), as_bytes(key), encode(value).encode(), new_version())
        await self._file.call(lambda db: db.execute(_SET, row))

    async def delete(self, scope: str, key: str) -> bool:
        where = (as_bytes(scope), as_bytes(key))
        return await self._file.call(lambda db: db.execute(_DELETE, where).rowcount > 0)

    async def keys(self, scope: str, prefix: str = "") -> list[str]:
        start = as_bytes(prefix)
        end = end_of(start) if start else b""
        where = (as_bytes(scope), start, len(start), end)
        rows = await self._file.call(lambda db: db.execute(_KEYS, where).fetchall())
        return [as_text(row[0]) for row in rows]

    async def all(self, scope: str) -> dict[str, Any]:
        rows = await self._file.call(lambda db: db.execute(_ALL, (as_bytes(scope),)).fetchall())
        return {as_text(key): decode(value) for key, value in rows}

    async def compare_and_set(self, scope: str, changes: Mapping[str, Change]) -> bool:
        rows: list[tuple[bytes, int | None, Any]] = [
            (
                as_bytes(key),
                expected,
                value if value is DELETE or value is KEEP else encode(value).encode(),
            )
            for key, (expected, value) in changes.items()
        ]
        return await self._file.call(lambda db: _compare_and_set(db, as_bytes(scope), rows))

    async def clear(self, scope: str) -> int:
        return await self._file.call(lambda db: db.execute(_CLEAR, (as_bytes(scope),)).rowcount)

    async def size(self, scope: str) -> int:
        start = as_bytes(scope + BENEATH)
        where = (as_bytes(scope), start, end_of(start))
        row = await self._file.call(lambda db: db.execute(_SIZE, where).fetchone())
        return int(row[0])

    async def flush(self) -> None:
        if self._file.used:
            await self._file.call(
                lambda db: db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            )

    async def close(self) -> None:
        await self._file.close()


def _compare_and_set(
    db: sqlite3.Connection, scope: bytes, rows: list[tuple[bytes, int | None, Any]]
) -> bool:
    with transaction(db):
        for key, expected, _ in rows:
            if expected is not None:
                found = db.execute(_GET, (scope, key)).fetchone()
                if (found[1] if found else 0) != expected:
                    return False
        for key, _, value in rows:
            if value is DELETE:
                db.execute(_DELETE, (scope, key))
            elif value is not KEEP:
                db.execute(_SET, (scope, key, value, new_version()))
    return True


def from_settings(loaded: Loaded) -> SqliteStore:
    """The store of ``[state] backend = "sqlite"``: the file `url`, else one in the data folder."""
    url = loaded.settings.state.url.removeprefix("sqlite:///")
    folder = data_dir(loaded.settings)
    return SqliteStore(folder / Path(url).expanduser() if url else folder / "state.db")

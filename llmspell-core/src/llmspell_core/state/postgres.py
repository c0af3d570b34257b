"""`PostgresStore`: state in a PostgreSQL database, shared by any number of machines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from llmspell_core.errors import ConfigError, ExtensionError, StateError
from llmspell_core.state.keys import as_bytes, as_text, end_of, new_version
from llmspell_core.state.store import BENEATH, DELETE, KEEP, MISSING, Change
from llmspell_core.state.values import decode, encode
from llmspell_core.storage.own_thread import OwnThread

if TYPE_CHECKING:
    import psycopg

    from llmspell_core.config.sources import Loaded

T = TypeVar("T")

CONNECT_S = 5
#: How long to wait for another process that is writing in the same scope.
BUSY_S = 10
#: A connection that rested longer is tried before it is used: servers close idle ones.
_IDLE_S = 10.0
_SCHEMA_VERSION = 1
_TABLES_LOCK = 0x11535E11
# Values are JSON in ASCII.
_TABLES = """
    CREATE TABLE IF NOT EXISTS llmspell_state (
        scope bytea NOT NULL, key bytea NOT NULL, value text NOT NULL, version bigint NOT NULL,
        PRIMARY KEY (scope, key)
    );
    CREATE TABLE IF NOT EXISTS llmspell_state_schema (version integer NOT NULL);
    INSERT INTO llmspell_state_schema
        SELECT %d WHERE NOT EXISTS (SELECT 1 FROM llmspell_state_schema);
"""
_GET = "SELECT value, version FROM llmspell_state WHERE scope = %s AND key = %s"
_VERSIONS = "SELECT key, version FROM llmspell_state WHERE scope = %s AND key = ANY(%s)"
_LOCK = "SELECT pg_advisory_xact_lock(%s)"
# Whoever writes holds the lock of the scope: a key that is not there cannot be locked itself.
_SET = """
    WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s))
    INSERT INTO llmspell_state (scope, key, value, version) SELECT %s, %s, %s, %s FROM held
    ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, version = excluded.version
"""
_DELETE = """
    WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s))
    DELETE FROM llmspell_state USING held WHERE scope = %s AND key = %s
"""
_CLEAR = """
    WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s))
    DELETE FROM llmspell_state USING held WHERE scope = %s
"""
_KEYS = "SELECT key FROM llmspell_state WHERE scope = %s AND key >= %s ORDER BY key"
_KEYS_TO = "SELECT key FROM llmspell_state WHERE scope = %s AND key >= %s AND key < %s ORDER BY key"
_ALL = "SELECT key, value FROM llmspell_state WHERE scope = %s ORDER BY key"
_SIZE = """
    SELECT coalesce(sum(length(key) + length(value)), 0) FROM llmspell_state
    WHERE scope = %s OR (scope >= %s AND scope < %s)
"""

#: psycopg's own type is generic in its rows.
Connection = Any


class PostgresStore:
    """State in the table `llmspell_state`, made at the first call, over one connection.

    The connection is used on a thread of its own, and made anew after it was lost. Each change
    is one transaction: what was answered is in the database.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = OwnThread("llmspell-state", _closed)
        self._connection: psycopg.Connection[Any] | None = None
        self._used = 0.0

    async def get(self, scope: str, key: str) -> tuple[Any, int]:
        where = (as_bytes(scope), as_bytes(key))
        row = await self._call(lambda db: db.execute(_GET, where).fetchone())
        return (MISSING, 0) if row is None else (decode(row[0]), row[1])

    async def set(self, scope: str, key: str, value: Any) -> None:
        row = (_lock(scope), as_bytes(scope), as_bytes(key), encode(value), new_version())
        await self._call(lambda db: db.execute(_SET, row))

    async def delete(self, scope: str, key: str) -> bool:
        where = (_lock(scope), as_bytes(scope), as_bytes(key))
        return await self._call(lambda db: bool(db.execute(_DELETE, where).rowcount > 0))

    async def keys(self, scope: str, prefix: str = "") -> list[str]:
        start = as_bytes(prefix)
        query, where = _KEYS, [as_bytes(scope), start]
        if start:
            query, where = _KEYS_TO, [*where, end_of(start)]
        rows = await self._call(lambda db: db.execute(query, where).fetchall())
        return [as_text(row[0]) for row in rows]

    async def all(self, scope: str) -> dict[str, Any]:
        rows = await self._call(lambda db: db.execute(_ALL, (as_bytes(scope),)).fetchall())
        return {as_text(key): decode(value) for key, value in rows}

    async def compare_and_set(self, scope: str, changes: Mapping[str, Change]) -> bool:
        rows = [
            (as_bytes(key), expected, value if value is DELETE or value is KEEP else encode(value))
            for key, (expected, value) in changes.items()
        ]
        return await self._call(lambda db: _compare_and_set(db, scope, rows))

    async def clear(self, scope: str) -> int:
        where = (_lock(scope), as_bytes(scope))
        return await self._call(lambda db: int(db.execute(_CLEAR, where).rowcount))

    async def size(self, scope: str) -> int:
        start = as_bytes(scope + BENEATH)
        where = (as_bytes(scope), start, end_of(start))
        row = await self._call(lambda db: db.execute(_SIZE, where).fetchone())
        return int(row[0])

    async def flush(self) -> None:
        """Nothing to write: the server has it."""

    async def close(self) -> None:
        await self._thread.close(self._disconnect)

    async def _call(self, work: Callable[[Connection], T]) -> T:
        return await self._thread.call(lambda: self._work(work))

    def _work(self, work: Callable[[Connection], T]) -> T:
        import psycopg

        try:
            return work(self._connected())
        except psycopg.Error as error:
            lost = self._connection is None or self._connection.closed
            if lost:
                self._disconnect()
            raise _state_error(self._url, error, lost=lost) from None

    def _connected(self) -> Connection:
        import psycopg

        now = time.monotonic()
        if self._connection is not None and now - self._used > _IDLE_S:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                self._disconnect()
        self._used = now
        if self._connection is None:
            self._connection = _connect(self._url)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _compare_and_set(db: Connection, scope: str, rows: list[tuple[bytes, int | None, Any]]) -> bool:
    where = as_bytes(scope)
    with db.transaction():
        db.execute(_LOCK, (_lock(scope),))
        keys = [key for key, expected, _ in rows if expected is not None]
        found = dict(db.execute(_VERSIONS, (where, keys)).fetchall()) if keys else {}
        if any(expected is not None and found.get(key, 0) != expected for key, expected, _ in rows):
            return False
        for key, _, value in rows:
            if value is DELETE:
                db.execute(_DELETE, (_lock(scope), where, key))
            elif value is not KEEP:
                db.execute(_SET, (_lock(scope), where, key, value, new_version()))
    return True


def _connect(url: str) -> psycopg.Connection[Any]:
    import psycopg

    db = psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_S, application_name="llmspell"
    )
    try:
        db.execute(f"SET lock_timeout = '{BUSY_S}s'".encode())
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: Connection) -> None:
    there = db.execute("SELECT to_regclass('llmspell_state_schema')").fetchone()[0]
    if there is None:
        with db.transaction():
            # CREATE ... IF NOT EXISTS fails when two do it at the same time.
            db.execute(_LOCK, (_TABLES_LOCK,))
            db.execute((_TABLES % _SCHEMA_VERSION).encode())
    version = db.execute("SELECT max(version) FROM llmspell_state_schema").fetchone()[0]
    if version != _SCHEMA_VERSION:
        raise StateError(
            "the state in this database was written by a newer llmspell",
            code="state.version",
            hint="update llmspell, or set [state] url to another database",
        )


def _closed() -> StateError:
    return StateError("the state store is closed", code="state.closed")


def _state_error(url: str, error: psycopg.Error, *, lost: bool) -> StateError:
    import psycopg

    where = _address(url)
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return StateError(
            f"{where} is in use by another process",
            code="state.busy",
            hint="try again",
            retryable=True,
        )
    if lost:
        return StateError(
            f"{where} cannot be reached: {text}",
            code="state.unreachable",
            hint="see that the server runs, and that [state] url names its host, user and database",
            retryable=True,
        )
    return StateError(f"state in {where} cannot be used: {text}", code="state.failed")


def _address(url: str) -> str:
    """The database of an address, without user and password."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    host, port = parts.get("host") or "the local server", parts.get("port")
    return f"PostgreSQL on {host}{f':{port}' if port else ''}"


def _lock(scope: str) -> int:
    digest = hashlib.sha256(b"llmspell state " + as_bytes(scope)).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def from_settings(loaded: Loaded) -> PostgresStore:
    """The store of ``[state] backend = "postgresql"``: the database that `url` names."""
    url = loaded.settings.state.url
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError as error:
        raise ExtensionError(
            'state in PostgreSQL needs the library "psycopg"',
            hint="install it with:  pip install 'llmspell[postgres]'",
        ) from error
    if not url:
        raise ConfigError(
            '[state] url is required with backend = "postgresql"',
            hint='such as url = "postgresql://user:${PASSWORD}@127.0.0.1:5432/llmspell"',
        )
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigError(
            "[state] url is no address of a PostgreSQL database",
            hint='such as "postgresql://user@127.0.0.1:5432/llmspell"',
        ) from None
    return PostgresStore(url)

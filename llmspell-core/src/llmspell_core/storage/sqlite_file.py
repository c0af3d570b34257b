"""`SqliteFile`: an SQLite database that processes share, and that may be killed at any time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmspell_core.config.directories import private_dir
from llmspell_core.errors import LLMSpellError
from llmspell_core.storage.own_thread import OwnThread

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

#: How long to wait for another process that is writing.
BUSY_S = 10.0


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, and what is said of one that cannot be used.

    `name` is the word for people and before the codes of errors (`state`: `state.busy`),
    `setting` the key that names another file. `synced` writes each change to the disk before it
    is answered: a power failure then loses nothing either.
    """

    name: str
    error: type[LLMSpellError]
    setting: str
    schema: tuple[str, ...]
    version: int = 1
    synced: bool = False


class SqliteFile:
    """A file, opened at the first call with its tables, used on one thread of its own.

    Every change is a transaction in the write-ahead log: when the process is killed, what was
    answered is there. Raises the contents' error: `NAME.closed`, `.busy`, `.damaged`, `.version`,
    `.failed`.
    """

    def __init__(self, path: Path, contents: Contents) -> None:
        self.path = path
        self._contents = contents
        self._thread = OwnThread(f"llmspell-{contents.name}", self._closed)
        self._connection: sqlite3.Connection | None = None

    @property
    def used(self) -> bool:
        """Whether it has been opened."""
        return self._connection is not None

    async def call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` gives for the open database."""
        return await self._thread.call(lambda: self._work(work))

    async def close(self) -> None:
        """Close it after all that was asked of it."""
        await self._thread.close(self._disconnect)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        import sqlite3

        try:
            if self._connection is None:
                self._connection = self._connect()
            return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        import sqlite3

        private_dir(self.path.parent)
        # SQLite would make the file readable for everybody, and its companions like the file.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(
            self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _use_wal(db)
            db.execute(f"PRAGMA synchronous = {'FULL' if self._contents.synced else 'NORMAL'}")
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        contents = self._contents
        if _version(db) == 0:
            with transaction(db):
                # Another process may have been first.
                if _version(db) == 0:
                    for statement in contents.schema:
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version = {contents.version}")
        if _version(db) != contents.version:
            raise self._error(
                "version",
                f"{self.path} was written by a newer llmspell",
                f"install a newer llmspell, or set {contents.setting} to another file",
            )

    def _failed(self, error: Exception) -> LLMSpellError:
        import sqlite3

        name, text = self._contents.name, str(error)
        if "locked" in text or "busy" in text:
            busy = self._error("busy", f"{self.path} is in use by another process", "try again")
            busy.retryable = True
            return busy
        damaged = "malformed" in text or "not a database" in text
        if isinstance(error, sqlite3.DatabaseError) and damaged:
            return self._error(
                "damaged",
                f"{self.path} is damaged or no {name} file: {text}",
                "move it away (a new one is made), or restore a copy",
            )
        return self._error("failed", f"the {name} file {self.path} cannot be used: {text}")

    def _closed(self) -> LLMSpellError:
        return self._error("closed", f"the {self._contents.name} file is closed")

    def _error(self, code: str, message: str, hint: str | None = None) -> LLMSpellError:
        return self._contents.error(message, code=f"{self._contents.name}.{code}", hint=hint)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing.

    IMMEDIATE: a transaction that begins by reading may not get to write afterwards.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


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


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])

"""`SessionLog`: the records of one session, only ever appended to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError
from llmspell_core.security.limits import LimitsPolicy, check_value
from llmspell_core.sessions.info import VERSION, check_version, now
from llmspell_core.state.store import MISSING

if TYPE_CHECKING:
    from llmspell_core.sessions.lease import Lease
    from llmspell_core.state import StateStore

_HEAD = "head"
_MIB = 1024 * 1024
_NO_LIMITS = LimitsPolicy()
#: More records than this are read in one query instead of one each.
_FEW = 8

#: One record: `version`, `at` (ISO 8601), `kind` and the fields of its kind.
Record = dict[str, Any]


class SessionLog:
    """The records of a session, as far as they were read; `refresh` reads the newer ones.

    Beside the records lie `head` (how many there are, and their size in bytes) and the lease.
    A record is written together with `head`, as the holder of the lease: all of it or nothing.
    """

    def __init__(self, store: StateStore, scope: str, id: str) -> None:
        self.id = id
        self.records: list[Record] = []
        self._store = store
        self._scope = scope
        self._bytes = 0
        #: When the first record was written: tells a session from a later one of the same id.
        self._log: str | None = None
        self._reading = asyncio.Lock()

    async def refresh(self) -> list[Record]:
        """All records, oldest first. Raises `session.version`, `session.damaged`."""
        async with self._reading:
            head, _ = await self._store.get(self._scope, _HEAD)
            if head is MISSING:
                # Deleted, and perhaps begun anew.
                self.records, self._bytes, self._log = [], 0, None
                return self.records
            check_version(head)
            count, have = int(head.get("count", 0)), len(self.records)
            if count < have or (have and head.get("log") != self._log):
                have, self.records = 0, []
            self._bytes = int(head.get("bytes", 0))
            self._log = head.get("log")
            if count > have:
                found = await self._read(have, count)
                for record in found:
                    check_version(record)
                self.records.extend(found)
            return self.records

    async def append(self, lease: Lease, record: Record, *, release: bool = False) -> None:
        """Write a record; when this returns it survives the end of the process.

        Raises `session.lost`, `state.*`.
        """
        async with self._reading:
            made = {"version": VERSION, "at": now(), **record}
            count = len(self.records) + 1
            self._log = self._log or made["at"]
            size = self._bytes + check_value(made, _NO_LIMITS)
            head = {"version": VERSION, "count": count, "bytes": size, "log": self._log}
            changes = {_key(count): (0, made), _HEAD: (None, head)}
            await lease.write(changes, release=release)
            self._bytes = size
            self.records.append(made)

    def check_room(self, max_mb: int) -> None:
        """Raise `session.full` when the records have reached their limit."""
        if max_mb and self._bytes >= max_mb * _MIB:
            raise LimitError(
                f'the records of session "{self.id}" have reached {max_mb} MiB',
                code="session.full",
                hint="begin a new session, or raise [sessions] max_mb",
                details={"session": self.id, "bytes": self._bytes},
            )

    async def _read(self, have: int, count: int) -> list[Record]:
        if count - have <= _FEW:
            return [
                (await self._store.get(self._scope, _key(number)))[0]
                for number in range(have + 1, count + 1)
            ]
        found = await self._store.all(self._scope)
        return [found.get(_key(number), {}) for number in range(have + 1, count + 1)]


def _key(number: int) -> str:
    return f"{number:010d}"

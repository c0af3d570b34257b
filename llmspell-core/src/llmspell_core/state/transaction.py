"""`Transaction`: several keys read and changed together, in the hands of a function."""

from __future__ import annotations

import uuid
from typing import Any

from llmspell_core.errors import StateError
from llmspell_core.script.api import ScriptObject, script_method
from llmspell_core.state.changes import Changes
from llmspell_core.state.store import DELETE, KEEP, MISSING, Change, StateStore
from llmspell_core.state.values import check_key, copied


class Transaction(ScriptObject):
    """Reads see one state and the transaction's own writes; all writes happen at its end."""

    type_name = "transaction"

    def __init__(self, store: StateStore, scope: str) -> None:
        self._id = uuid.uuid4().hex
        self._store = store
        self._scope = scope
        self._read: dict[str, tuple[Any, int]] = {}
        self._written: dict[str, Any] = {}
        self._over = False

    def script_fields(self) -> dict[str, Any]:
        return {"id": self._id, "name": self._scope}

    @script_method
    async def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default.

        Args:
            key: the key
            default: what to return when the key is not there
        """
        value = await self._value(key)
        return default if value is MISSING else copied(value)

    @script_method
    def set(self, key: str, value: Any = None) -> None:
        """Set a key at the end of the transaction; nil deletes it.

        Args:
            key: the key
            value: what to store
        """
        self._open()
        self._written[check_key(key)] = DELETE if value is None else copied(value)

    @script_method
    async def delete(self, key: str) -> bool:
        """Delete a key at the end of the transaction; whether it is there now.

        Args:
            key: the key
        """
        there = await self.exists(key)
        self._written[key] = DELETE
        return there

    @script_method
    async def exists(self, key: str) -> bool:
        """Whether a key is there.

        Args:
            key: the key
        """
        return await self._value(key) is not MISSING

    @script_method
    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with a prefix, sorted.

        Args:
            prefix: what they begin with
        """
        self._open()
        found = set(await self._store.keys(self._scope, prefix))
        for key in list(found):
            # Read, so that the transaction notices when one of them changes.
            if await self._value(key) is MISSING:
                found.discard(key)
        found.update(
            key
            for key, value in self._written.items()
            if value is not DELETE and key.startswith(prefix)
        )
        return sorted(found)

    async def commit(self, changes: Changes) -> bool:
        """Make the writes unless something that was read has changed; whether they were made."""
        self._over = True
        made: dict[str, Any] = {}
        for key, value in self._written.items():
            if changes.watched and key not in self._read:
                self._read[key] = await self._store.get(self._scope, key)
            old = self._read[key][0] if key in self._read else MISSING
            made[key] = await changes.approve(key, old, value)
        wanted: dict[str, Change] = {
            key: (version, KEEP) for key, (_, version) in self._read.items()
        }
        for key, value in made.items():
            wanted[key] = (self._read[key][1] if key in self._read else None, value)
        if wanted and not await self._store.compare_and_set(self._scope, wanted):
            return False
        for key, value in made.items():
            changes.announce(key, value)
        return True

    def end(self) -> None:
        """Nothing more may be done with it."""
        self._over = True

    async def _value(self, key: str) -> Any:
        self._open()
        check_key(key)
        if key in self._written:
            written = self._written[key]
            return MISSING if written is DELETE else written
        if key not in self._read:
            self._read[key] = await self._store.get(self._scope, key)
        return self._read[key][0]

    def _open(self) -> None:
        if self._over:
            raise StateError(
                "the transaction has ended",
                code="state.transaction_ended",
                hint="use it only inside the function that was given it",
            )

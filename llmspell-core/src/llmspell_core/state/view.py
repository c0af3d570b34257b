"""`StateView`: the keys of one scope, as scripts and components use them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import StateError
from llmspell_core.state.changes import Changes
from llmspell_core.state.store import DELETE, KEEP, MISSING, Mark, StateStore
from llmspell_core.state.transaction import Transaction
from llmspell_core.state.values import check_key, copied

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: How often `update` and `transaction` try before ``state.conflict``.
MAX_TRIES = 16
#: `increment` runs no foreign code, so that repeating it is cheap.
_MAX_INCREMENTS = 1000
_MAX_WAIT_MS = 64


class StateView:
    """Keys and JSON values of one scope. Values are copies; None deletes.

    With a context, changes go through its limits, its `state_change` hooks and its events.
    """

    def __init__(self, store: StateStore, scope: str, ctx: ExecutionContext | None = None) -> None:
        self.store = store
        self.scope = scope
        self._changes = Changes(store, scope, ctx)

    async def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default."""
        value, _ = await self.store.get(self.scope, check_key(key))
        return default if value is MISSING else value

    async def set(self, key: str, value: Any) -> None:
        """Store a value; None deletes the key. Raises ``state.not_json`` and ``limit.*``."""
        if value is None:
            await self.delete(key)
            return
        value = await self._changes.approve(check_key(key), await self._old(key), value)
        if value is DELETE:
            await self.store.delete(self.scope, key)
        elif _stored(value):
            await self.store.set(self.scope, key, value)
        self._changes.announce(key, value)

    async def delete(self, key: str) -> bool:
        """Take a key away; whether it was there."""
        value = await self._changes.approve(check_key(key), await self._old(key), DELETE)
        if value is DELETE:
            there = await self.store.delete(self.scope, key)
            if there:
                self._changes.announce(key, DELETE)
            return there
        if _stored(value):
            await self.store.set(self.scope, key, value)
            self._changes.announce(key, value)
        return False

    async def exists(self, key: str) -> bool:
        """Whether a key is there."""
        value, _ = await self.store.get(self.scope, check_key(key))
        return value is not MISSING

    async def keys(self, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, sorted."""
        return await self.store.keys(self.scope, prefix)

    async def all(self) -> dict[str, Any]:
        """Every key with its value."""
        return await self.store.all(self.scope)

    async def clear(self) -> int:
        """Delete every key; how many there were."""
        keys = await self.keys()
        return sum([await self.delete(key) for key in keys])

    async def update(self, key: str, change: Callable[[Any], Any]) -> Any:
        """Set a key to what `change` (sync or async) makes of its value, None when missing.

        Nothing is locked meanwhile: when the key changed, it is done again, 16 times at most,
        then ``state.conflict``. Gives the new value.
        """
        return await self._update(key, change, MAX_TRIES)

    async def increment(self, key: str, by: float = 1) -> float:
        """Add to a number, 0 when missing; the new value. Raises ``state.not_a_number``."""

        def add(value: Any) -> Any:
            number = 0 if value is None else value
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                raise StateError(
                    f'"{key}" is no number and cannot be incremented', code="state.not_a_number"
                )
            return number + by

        value: float = await self._update(key, add, _MAX_INCREMENTS)
        return value

    async def transaction(self, work: Callable[[Transaction], Any]) -> Any:
        """Call `work` (sync or async) with a `Transaction` and make its writes together.

        When something it read has changed, it is called again, 16 times at most, then
        ``state.conflict``. When it raises, nothing is written. Gives what it returned.
        """
        for attempt in range(MAX_TRIES):
            tx = Transaction(self.store, self.scope)
            try:
                result = await _called(work, tx)
                if await tx.commit(self._changes):
                    return result
            finally:
                tx.end()
            await _wait(attempt)
        raise self._conflict("a transaction", MAX_TRIES)

    async def _update(self, key: str, change: Callable[[Any], Any], tries: int) -> Any:
        check_key(key)
        for attempt in range(tries):
            old, version = await self.store.get(self.scope, key)
            made = await _called(change, None if old is MISSING else copied(old))
            new = await self._changes.approve(key, old, DELETE if made is None else made)
            if await self.store.compare_and_set(self.scope, {key: (version, new)}):
                if not (new is DELETE and old is MISSING):
                    self._changes.announce(key, new)
                return old if new is KEEP else (new if _stored(new) else None)
            await _wait(attempt)
        raise self._conflict(f'"{key}"', tries)

    async def _old(self, key: str) -> Any:
        """The value before a change, read only when somebody wants to see it."""
        return (await self.store.get(self.scope, key))[0] if self._changes.watched else MISSING

    def _conflict(self, what: str, tries: int) -> StateError:
        return StateError(
            f"{what} was changed by others {tries} times while it was being updated",
            code="state.conflict",
            hint="change it less often, or in one place",
            details={"scope": self.scope, "attempts": tries},
            retryable=True,
        )


def _stored(value: Any) -> bool:
    return not isinstance(value, Mark)


async def _called(function: Callable[..., Any], argument: Any) -> Any:
    answer = function(argument)
    return await answer if hasattr(answer, "__await__") else answer


async def _wait(attempt: int) -> None:
    """Let the others go first; at random, so that they do not meet again."""
    most = min(2**attempt, _MAX_WAIT_MS) / 1000
    await asyncio.sleep(random.random() * most)  # noqa: S311 - only spreads them

"""`StateStore`: what a place for state must offer. Values are JSON, keys are opaque text.

A distribution adds one through the entry-point group ``llmspell.stores``: a function that is
called with the loaded settings. `llmspell_core.testing.store_suite` has the tests that every
store passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Protocol


class Mark(Enum):
    """Values that are no values."""

    MISSING = "missing"
    DELETE = "delete"
    KEEP = "keep"


#: What `get` gives for a key that is not there; its version is 0.
MISSING: Final = Mark.MISSING
#: In `compare_and_set`: take the key away.
DELETE: Final = Mark.DELETE
#: In `compare_and_set`: only see to it that the version is still the expected one.
KEEP: Final = Mark.KEEP

#: Expected version (0: not there; None: whatever it is), and the new value, DELETE or KEEP.
Change = tuple[int | None, Any]

#: Divides a scope from those beneath it: ``script:a.lua#agent:writer``.
BENEATH: Final = "#"


class StateStore(Protocol):
    """Keys with JSON values in scopes. Each method is atomic; values go in and out as copies.

    All raise `StateError`: ``state.not_json`` for a value that is no JSON, ``state.busy`` (try
    again), ``state.damaged``, ``state.closed``, ``state.failed``.
    """

    async def get(self, scope: str, key: str) -> tuple[Any, int]:
        """The value and its version, which changes with every change; (MISSING, 0) without."""
        ...

    async def set(self, scope: str, key: str, value: Any) -> None:
        """Store a value, null included."""
        ...

    async def delete(self, scope: str, key: str) -> bool:
        """Take a key away; whether it was there."""
        ...

    async def keys(self, scope: str, prefix: str = "") -> list[str]:
        """The keys that begin with `prefix`, sorted by their UTF-8 bytes."""
        ...

    async def all(self, scope: str) -> dict[str, Any]:
        """Every key with its value, sorted as `keys`."""
        ...

    async def compare_and_set(self, scope: str, changes: Mapping[str, Change]) -> bool:
        """Make all changes if every expected version is still right, else none; whether made."""
        ...

    async def clear(self, scope: str) -> int:
        """Take all keys of a scope away; how many there were. Scopes beneath it stay."""
        ...

    async def size(self, scope: str) -> int:
        """About how many bytes a scope and those beneath it take."""
        ...

    async def flush(self) -> None:
        """Make what was stored so far survive a power failure."""
        ...

    async def close(self) -> None:
        """Write everything and let go of files; may be called twice."""
        ...

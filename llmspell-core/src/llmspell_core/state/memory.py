"""`MemoryStore`: state that lives as long as the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmspell_core.state.store import BENEATH, DELETE, KEEP, MISSING, Change
from llmspell_core.state.values import decode, encode

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded


class MemoryStore:
    """State in dictionaries. No method waits for anything, which makes each one atomic."""

    def __init__(self) -> None:
        self._scopes: dict[str, dict[str, tuple[str, int]]] = {}
        self._version = 0

    async def get(self, scope: str, key: str) -> tuple[Any, int]:
        text, version = self._scopes.get(scope, {}).get(key, (None, 0))
        return (MISSING, 0) if text is None else (decode(text), version)

    async def set(self, scope: str, key: str, value: Any) -> None:
        self._put(scope, key, encode(value))

    async def delete(self, scope: str, key: str) -> bool:
        return self._scopes.get(scope, {}).pop(key, None) is not None

    async def keys(self, scope: str, prefix: str = "") -> list[str]:
        found = (key for key in self._scopes.get(scope, {}) if key.startswith(prefix))
        return sorted(found, key=_utf8)

    async def all(self, scope: str) -> dict[str, Any]:
        stored = self._scopes.get(scope, {})
        return {key: decode(stored[key][0]) for key in sorted(stored, key=_utf8)}

    async def compare_and_set(self, scope: str, changes: Mapping[str, Change]) -> bool:
        texts = {
            key: encode(value)
            for key, (_, value) in changes.items()
            if value is not DELETE and value is not KEEP
        }
        stored = self._scopes.get(scope, {})
        for key, (expected, _) in changes.items():
            if expected is not None and stored.get(key, ("", 0))[1] != expected:
                return False
        for key, (_, value) in changes.items():
            if key in texts:
                self._put(scope, key, texts[key])
            elif value is DELETE:
                stored.pop(key, None)
        return True

    async def clear(self, scope: str) -> int:
        return len(self._scopes.pop(scope, {}))

    async def size(self, scope: str) -> int:
        return sum(
            len(key) + len(text)
            for name, stored in self._scopes.items()
            if name == scope or name.startswith(scope + BENEATH)
            for key, (text, _) in stored.items()
        )

    async def flush(self) -> None:
        """Nothing to write."""

    async def close(self) -> None:
        self._scopes.clear()

    def _put(self, scope: str, key: str, text: str) -> None:
        self._version += 1
        self._scopes.setdefault(scope, {})[key] = (text, self._version)


def _utf8(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def from_settings(loaded: Loaded) -> MemoryStore:
    """The store of ``[state] backend = "memory"``."""
    return MemoryStore()

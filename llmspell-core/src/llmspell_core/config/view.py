"""Settings as people and scripts may see them: secrets masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llmspell_core.config.schema import find
from llmspell_core.config.settings import SECTIONS
from llmspell_core.security.env import MASK, looks_secret

if TYPE_CHECKING:
    from llmspell_core.config.settings import Settings

_ABSENT: Any = object()


def value_at(settings: Settings, path: Sequence[str], default: Any = None) -> Any:
    """The value at a path as plain data, secrets masked; the default where there is none."""
    if not path:
        return default
    if path[0] not in SECTIONS:
        return settings.version if tuple(path) == ("version",) else default
    value: Any = getattr(settings, path[0])
    for part in path[1:]:
        value = _inner(value, part)
        if value is _ABSENT:
            return default
    return default if value is None else masked(_plain(value), tuple(path))


def masked(value: Any, path: tuple[str, ...]) -> Any:
    """A value with `***` for what a secret key holds."""
    if isinstance(value, Mapping):
        return {name: masked(inner, (*path, str(name))) for name, inner in value.items()}
    if not value or not is_secret(path):
        return value
    return [MASK] * len(value) if isinstance(value, list) else MASK


def is_secret(path: tuple[str, ...]) -> bool:
    """Whether the value of this key is secret: declared so, or named like one in a free table."""
    found = find(path)
    if found is None:
        return looks_secret(path[-1])
    return found[0].secret


def _inner(value: Any, part: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part, _ABSENT)
    fields = getattr(type(value), "declared", {})
    if part in fields:
        return getattr(value, part)
    return (getattr(value, "model_extra", None) or {}).get(part, _ABSENT)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value

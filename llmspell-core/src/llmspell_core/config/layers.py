"""Layers of configuration: merging them key by key, and knowing who set what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from llmspell_core.records import Record

Keys = tuple[str, ...]
Kind = Literal["system", "user", "project", "named", "override", "env", "set", "data"]


class Layer(Record):
    """What one place set. `base` is the folder that its relative paths start from."""

    kind: Kind
    label: str
    data: Mapping[str, Any]
    base: Path
    path: Path | None = None
    text: str = ""
    #: Whether it may widen what is allowed: its owner is whoever runs the command.
    trusted: bool = True
    #: Where single keys were set, for layers that are no file (`LLMSPELL_SYSTEM__LOG_LEVEL`).
    names: Mapping[Keys, str] = MappingProxyType({})

    def where(self, path: Keys) -> str:
        """`llmspell.toml:3`, the name of a variable, or the layer's label."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.names:
                return self.names[path[:length]]
        if self.path is None:
            below = (name for key, name in self.names.items() if key[: len(path)] == path)
            return next(below, self.label)
        from llmspell_core.config.locate import line_of

        line = line_of(self.text, path, self.path.suffix)
        return f"{self.label}:{line}" if line else self.label


class Merged:
    """The result of laying layers over each other: tables merge, everything else replaces."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.origin: dict[Keys, Layer] = {}

    def add(self, layer: Layer) -> None:
        """Lay one more layer over what is there."""
        for path, value in leaves(layer.data):
            self._put(path, value, layer)

    def get(self, path: Keys, default: Any = None) -> Any:
        """The value at a path, or the default."""
        inner: Any = self.data
        for part in path:
            if not isinstance(inner, dict) or part not in inner:
                return default
            inner = inner[part]
        return inner

    def where(self, path: Keys) -> str:
        """Where the value at this path, or the nearest one around or below it, was set."""
        layer = self.layer(path)
        return layer.where(path) if layer else "default"

    def layer(self, path: Keys) -> Layer | None:
        """The layer that set the value at this path, around it or below it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origin:
                return self.origin[path[:length]]
        below = [one for key, one in self.origin.items() if key[: len(path)] == path]
        return below[-1] if below else None

    def rewrite(self, change: Callable[[Keys, Any, Layer], Any]) -> None:
        """Replace each value by what `change` makes of it."""
        for path, layer in self.origin.items():
            inner = self.data
            for part in path[:-1]:
                inner = inner[part]
            inner[path[-1]] = change(path, inner[path[-1]], layer)

    def drop(self, path: Keys) -> None:
        """Forget one value."""
        self.origin.pop(path, None)
        inner: Any = self.data
        for part in path[:-1]:
            inner = inner.get(part, {})
        inner.pop(path[-1], None)

    def _put(self, path: Keys, value: Any, layer: Layer) -> None:
        inner = self.data
        for depth, part in enumerate(path[:-1], start=1):
            if not isinstance(inner.get(part), dict):
                self.origin.pop(path[:depth], None)
                inner[part] = {}
            inner = inner[part]
        old = inner.get(path[-1])
        if isinstance(value, dict) and not value and isinstance(old, dict):
            return
        if isinstance(old, dict):
            for key in [key for key in self.origin if key[: len(path)] == path]:
                del self.origin[key]
        else:
            # An empty table that is filled now: it is no value of its own any more.
            self.origin.pop(path, None)
        for depth in range(1, len(path)):
            self.origin.pop(path[:depth], None)
        inner[path[-1]] = value
        self.origin[path] = layer


def leaves(data: Mapping[str, Any], at: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value that is no table, with its path; empty tables count as values."""
    for name, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*at, name))
        else:
            yield (*at, name), dict(value) if isinstance(value, Mapping) else value


def nested(values: Mapping[Keys, Any]) -> dict[str, Any]:
    """Values by path as nested tables."""
    merged = Merged()
    data = merged.data
    for path, value in values.items():
        inner = data
        for part in path[:-1]:
            found = inner.get(part)
            if not isinstance(found, dict):
                found = inner[part] = {}
            inner = found
        inner[path[-1]] = value
    return data

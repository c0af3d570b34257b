"""`Registry`: things with a name, loaded when somebody asks for them, in layers.

A layer looks names up in itself and then in its parent; what a run registers lies in the run's
own layer and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from llmspell_core.errors import ExtensionError, LLMSpellError, NotFoundError, did_you_mean

T = TypeVar("T")

#: Sources that are no distribution: what they register may be replaced by a layer above.
OPEN_SOURCES = frozenset({"python", "script", "config"})


class Entry(Generic[T]):
    """One name: what is known of it without loading it, and `load()`.

    `source` is the distribution it comes from, or `python`, `script` or `config`.
    """

    __slots__ = ("_category", "_load", "_summary", "_value", "aliases", "loaded", "name", "source")

    def __init__(
        self,
        name: str,
        load: Callable[[], T],
        *,
        source: str,
        aliases: tuple[str, ...] = (),
        summary: str = "",
        category: str = "",
    ) -> None:
        self.name = name
        self.source = source
        self.aliases = aliases
        self.loaded = False
        self._load = load
        self._value: Any = None
        self._summary = summary
        self._category = category

    def load(self) -> T:
        """The thing itself: made at the first call, the same one afterwards."""
        if not self.loaded:
            self._value = self._load()
            self.loaded = True
        value: T = self._value
        return value

    @property
    def summary(self) -> str:
        """One line on what it is; "" when nobody said and it is not loaded."""
        return self._summary or str(getattr(self._value, "description", "") or "")

    @property
    def category(self) -> str:
        """Its category; "" when nobody said and it is not loaded."""
        return self._category or str(getattr(self._value, "category", "") or "")

    def __repr__(self) -> str:
        return f"Entry({self.name!r}, source={self.source!r}, loaded={self.loaded})"


class Registry(Generic[T]):
    """Named things of one kind: ``Registry("tool")`` raises ``tool.not_found``.

    `normalise` makes one spelling of many (`json_processor`, `json-processor`). With `protect`
    a name that a distribution registered in a parent cannot be taken or removed here.
    """

    def __init__(
        self,
        kind: str,
        parent: Registry[T] | None = None,
        *,
        normalise: Callable[[str], str] = str,
        protect: bool = False,
    ) -> None:
        self.kind = kind
        self.parent = parent
        self._normalise = normalise
        self._protect = protect
        self._entries: dict[str, Entry[T]] = {}
        self._aliases: dict[str, str] = {}
        self._fill: Callable[[Registry[T]], None] | None = None

    def fill_on_first_use(self, fill: Callable[[Registry[T]], None]) -> None:
        """Let `fill` register lazy entries here, once, when a name is first looked for."""
        self._fill = fill

    def register(
        self,
        name: str,
        value: T,
        *,
        aliases: tuple[str, ...] = (),
        source: str = "python",
        replace: bool = False,
    ) -> None:
        """Register a thing that exists.

        Raises ``<kind>.exists`` for a name of this layer unless `replace`, and
        ``<kind>.reserved`` for one that is protected.
        """
        entry = Entry(self._normalise(name), lambda: value, source=source, aliases=aliases)
        entry.load()
        self._refuse(entry, replace=replace)
        self._put(entry)

    def add_lazy(
        self,
        name: str,
        load: Callable[[], T],
        *,
        source: str,
        aliases: tuple[str, ...] = (),
        summary: str = "",
        category: str = "",
    ) -> None:
        """Register a thing that `load` makes at first use.

        When another distribution has the name already, using it is an error that names both.
        """
        key = self._normalise(name)
        before = self._entries.get(key)
        if before is not None and before.source != source:
            load = self._conflict(key, before.source, source)
        self._put(
            Entry(key, load, source=source, aliases=aliases, summary=summary, category=category)
        )

    def get(self, name: str) -> T:
        """The thing of this name or alias; ``<kind>.not_found`` names the nearest one."""
        entry = self.entry(name)
        if entry is None:
            raise NotFoundError(
                f'unknown {self.kind} "{name}"',
                code=f"{self.kind}.not_found",
                hint=did_you_mean(name, self._all_names()),
            )
        return entry.load()

    def find(self, name: str) -> T | None:
        """The thing of this name or alias, or None."""
        entry = self.entry(name)
        return None if entry is None else entry.load()

    def entry(self, name: str) -> Entry[T] | None:
        """What is known of a name, without loading it; None when it is unknown."""
        key = self._normalise(name)
        for layer in self._layers():
            found = layer._own(key)
            if found is not None:
                return found
        return None

    def has(self, name: str) -> bool:
        """Whether a name or alias is known in any layer."""
        return self.entry(name) is not None

    def remove(self, name: str) -> bool:
        """Forget a name of this layer; whether it was there. ``<kind>.reserved`` as above."""
        self._filled()
        key = self._normalise(name)
        entry = self._own(key)
        if entry is None:
            self._refuse_reserved(key)
            return False
        self._drop(entry.name)
        return True

    def names(self) -> list[str]:
        """All names, sorted, without aliases."""
        return sorted({name for layer in self._layers() for name in layer._entries})

    def entries(self) -> list[Entry[T]]:
        """All entries by name; the upper layer's where two have the same."""
        found: dict[str, Entry[T]] = {}
        for layer in self._layers():
            for name, entry in layer._entries.items():
                found.setdefault(name, entry)
        return [found[name] for name in sorted(found)]

    def search(self, query: str) -> list[Entry[T]]:
        """Entries that have every word of `query` in name, aliases, category or summary."""
        words = query.lower().split()
        return [entry for entry in self.entries() if _matches(entry, words)]

    def by_category(self, category: str) -> list[Entry[T]]:
        """Entries of one category."""
        return [entry for entry in self.entries() if entry.category == category]

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has(name)

    def _layers(self) -> Iterator[Registry[T]]:
        layer: Registry[T] | None = self
        while layer is not None:
            layer._filled()
            yield layer
            layer = layer.parent

    def _filled(self) -> None:
        fill = self._fill
        if fill is not None:
            self._fill = None
            fill(self)

    def _own(self, key: str) -> Entry[T] | None:
        found = self._entries.get(key)
        if found is None and key in self._aliases:
            found = self._entries.get(self._aliases[key])
        return found

    def _all_names(self) -> list[str]:
        found = {name for entry in self.entries() for name in (entry.name, *entry.aliases)}
        return sorted(found)

    def _put(self, entry: Entry[T]) -> None:
        self._drop(entry.name)
        self._entries[entry.name] = entry
        for alias in entry.aliases:
            self._aliases[self._normalise(alias)] = entry.name

    def _drop(self, key: str) -> None:
        if self._entries.pop(key, None) is not None:
            self._aliases = {a: name for a, name in self._aliases.items() if name != key}

    def _refuse(self, entry: Entry[T], *, replace: bool) -> None:
        self._filled()
        taken = [entry.name, *(self._normalise(alias) for alias in entry.aliases)]
        for key in taken:
            self._refuse_reserved(key)
            own = self._own(key)
            if own is not None and not replace:
                raise LLMSpellError(
                    f'{self.kind} "{key}" exists already', code=f"{self.kind}.exists"
                )

    def _refuse_reserved(self, key: str) -> None:
        if not self._protect or self.parent is None:
            return
        above = self.parent.entry(key)
        if above is not None and above.source not in OPEN_SOURCES:
            raise LLMSpellError(
                f'{self.kind} "{key}" belongs to {above.source} and cannot be changed here',
                code=f"{self.kind}.reserved",
                hint="take another name",
            )

    def _conflict(self, key: str, first: str, second: str) -> Callable[[], T]:
        def refuse() -> T:
            raise ExtensionError(
                f'two distributions offer the {self.kind} "{key}": {first} and {second}',
                code="plugin.conflict",
                hint="uninstall one of them",
            )

        return refuse


def _matches(entry: Entry[Any], words: list[str]) -> bool:
    text = " ".join((entry.name, *entry.aliases, entry.category, entry.summary)).lower()
    return all(word in text for word in words)

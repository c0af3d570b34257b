"""What installed distributions add to llmspell, found without importing them.

A distribution's entry points are its manifest: the *group* says what kind of thing it adds, the
*name* is what scripts and users call it, and the *value* is imported only when somebody asks
for that one thing by name::

    [project.entry-points."llmspell.tools"]
    stock = "acme_tools.stock:StockTool"
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from llmspell_core.entry_points import EntryPoint, entry_points
from llmspell_core.errors import ExtensionError, did_you_mean
from llmspell_core.records import Record

GROUP_PREFIX = "llmspell."

#: The distributions of this project. What they name is theirs: a stranger's of the same name is
#: not used, and costs only itself.
BUILT_IN = frozenset(
    {
        "llmspell",
        "llmspell-a2a",
        "llmspell-agents",
        "llmspell-bridge",
        "llmspell-cli",
        "llmspell-core",
        "llmspell-duktape",
        "llmspell-durable",
        "llmspell-js",
        "llmspell-library",
        "llmspell-litellm",
        "llmspell-local",
        "llmspell-lua",
        "llmspell-mcp",
        "llmspell-serve",
        "llmspell-tools",
        "llmspell-workflows",
    }
)
#: How long a stranger's module may take to import, in seconds.
LOAD_S = 15.0

#: Engine, provider or global -> the extra of `llmspell` that brings it.
MISSING_EXTRAS: dict[str, str] = {
    "lua": "lua",
    "js": "js",
    "duktape": "duktape",
    "local": "local",
    "litellm": "litellm",
}

#: Globals of packages that every installation of `llmspell` has.
_CORE_PACKAGES = {
    "Agent": "llmspell-agents",
    "Provider": "llmspell-agents",
    "Models": "llmspell-agents",
    "Tool": "llmspell-tools",
    "Tools": "llmspell-tools",
    "Workflow": "llmspell-workflows",
}


def install_hint(name: str) -> str | None:
    """The command that installs what brings an engine, provider or global, or None."""
    if name in MISSING_EXTRAS:
        return f"install it with:  pip install 'llmspell[{MISSING_EXTRAS[name]}]'"
    if name in _CORE_PACKAGES:
        return f"install it with:  pip install {_CORE_PACKAGES[name]}"
    return None


class Extension(Record):
    """One named thing that a distribution adds; importing it waits for `load`.

    `others` are distributions that offer the same name: then it cannot be loaded. `hidden` are
    those that offer the name of a built-in one, which stays what it is.
    """

    kind: str
    name: str
    target: str
    distribution: str
    version: str
    entry_point: EntryPoint
    others: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The distribution's one-line description, read from its metadata."""
        return self.entry_point.dist.summary

    def load(self) -> Any:
        """Import it.

        Raises `ExtensionError`: ``plugin.broken`` says whose it is and why it does not load,
        ``plugin.conflict`` names the distributions that offer the same name.
        """
        if self.others:
            both = " and ".join((self.distribution, *self.others))
            raise ExtensionError(
                f'two distributions offer the {self.kind.removesuffix("s")} "{self.name}": {both}',
                code="plugin.conflict",
                hint="uninstall one of them",
                details={"distributions": [self.distribution, *self.others]},
            )
        try:
            if self.distribution in BUILT_IN:
                return self.entry_point.load()
            from llmspell_core.loading import load_within

            return load_within(self.entry_point, LOAD_S)
        # SystemExit too: importing a plugin must not be able to end the process.
        except (Exception, SystemExit) as error:
            raise self.broken(f"failed to load {self.target}", error) from error

    def broken(self, what: str, error: BaseException) -> ExtensionError:
        """The error for a plugin that failed: whose it is, in what, and why."""
        return ExtensionError(
            f"plugin {self.distribution} {what}: {type(error).__name__}: {error}",
            code="plugin.broken",
            hint=f"update {self.distribution}, or uninstall it",
            details={"distribution": self.distribution, "target": self.target},
        )


class PluginFailure(Record):
    """A plugin that was skipped, and why."""

    extension: Extension
    error: ExtensionError


class Extensions(Mapping[str, Extension]):
    """The extensions of one kind (`tools`, `engines`, ...) by name. Iterating imports nothing."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._by_name = _scan().get(kind, {})

    def __getitem__(self, name: str) -> Extension:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._by_name))

    def __len__(self) -> int:
        return len(self._by_name)

    def load(self, name: str) -> Any:
        """Import one by name; ``<kind>.not_found`` says what is installed and how to get it."""
        if name not in self._by_name:
            raise self.missing(name)
        return self._by_name[name].load()

    def load_all(self) -> tuple[dict[str, Any], list[PluginFailure]]:
        """Import every one. A broken plugin costs only itself."""
        loaded: dict[str, Any] = {}
        failures: list[PluginFailure] = []
        for name in self:
            try:
                loaded[name] = self._by_name[name].load()
            except ExtensionError as error:
                failures.append(PluginFailure(self._by_name[name], error))
        return loaded, failures

    def missing(self, name: str) -> ExtensionError:
        """The error for a name that no installed distribution offers."""
        one = self.kind.removesuffix("s")
        known = ", ".join(self) or "none"
        return ExtensionError(
            f"no {'script engine' if one == 'engine' else one} named '{name}' (installed: {known})",
            code=f"{one}.not_found",
            hint=install_hint(name) or did_you_mean(name, list(self)),
        )


def extension_names(kind: str) -> list[str]:
    """The names of one kind, sorted, without importing anything of the plugins."""
    return list(Extensions(kind))


@functools.cache
def _scan() -> dict[str, dict[str, Extension]]:
    found: dict[str, dict[str, Extension]] = {}
    for point in entry_points(GROUP_PREFIX):
        kind = point.group.removeprefix(GROUP_PREFIX)
        same_kind = found.setdefault(kind, {})
        same_kind[point.name] = _extension(kind, point, same_kind.get(point.name))
    return found


def _extension(kind: str, point: EntryPoint, before: Extension | None) -> Extension:
    owner = point.dist.name
    others: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    if before is not None and before.distribution != owner:
        if before.distribution in BUILT_IN and owner not in BUILT_IN:
            return before.model_copy(update={"hidden": (owner, *before.hidden)})
        others = (before.distribution, *before.others)
        if owner in BUILT_IN and before.distribution not in BUILT_IN:
            others, hidden = (), others
    return Extension(
        kind=kind,
        name=point.name,
        target=point.value,
        distribution=owner,
        version=point.dist.version,
        entry_point=point,
        others=others,
        hidden=hidden,
    )

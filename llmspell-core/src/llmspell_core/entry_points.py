"""The entry points of installed distributions, read from the folders that Python imports from.

What `importlib.metadata` does, at a tenth of its cost: every start of the command lists plugins,
and that module reads the metadata of every installed distribution for it, as e-mail messages.
"""

# Hundreds of files are looked for in every start: pathlib would double what that costs.
# ruff: noqa: PTH118, PTH119, PTH123

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from functools import reduce
from typing import Any

from llmspell_core.records import Record

_SUFFIXES = (".dist-info", ".egg-info")


class Distribution(Record):
    """An installed distribution, by the head of its metadata."""

    name: str
    version: str
    summary: str


class EntryPoint(Record):
    """One line of a distribution's ``entry_points.txt``."""

    group: str
    name: str
    value: str
    dist: Distribution

    def load(self) -> Any:
        """Import what it names."""
        target = self.value.partition("[")[0].strip()
        module, _, attributes = (part.strip() for part in target.partition(":"))
        loaded = importlib.import_module(module)
        return reduce(getattr, filter(None, attributes.split(".")), loaded)


def entry_points(prefix: str) -> Iterator[EntryPoint]:
    """All entry points whose group begins with `prefix`, in the order of the import path.

    As with `import`, the first distribution of a name hides the others.
    """
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        for place in _distributions(folder or "."):
            name = _normal(place)
            if name not in seen:
                seen.add(name)
                yield from _of(place, prefix)


def _distributions(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(one.path for one in entries if one.name.endswith(_SUFFIXES))
    except OSError:
        # No folder, or an archive: plugins are not looked for in those.
        return []


def _normal(place: str) -> str:
    """``.../Acme_Things-1.0.dist-info`` -> ``acme-things``."""
    name = os.path.basename(place).rpartition(".")[0].partition("-")[0]
    return "-".join(filter(None, name.replace("_", "-").replace(".", "-").split("-"))).lower()


def _of(place: str, prefix: str) -> Iterator[EntryPoint]:
    text = _read(place, "entry_points.txt")
    if f"[{prefix}" not in text:
        return
    dist = _metadata(place)
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif group.startswith(prefix) and "=" in line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield EntryPoint(group, name.strip(), value.strip(), dist)


def _metadata(place: str) -> Distribution:
    text = _read(place, "METADATA") or _read(place, "PKG-INFO")
    rows = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    fields = {name: value.strip() for name, _, value in rows}
    return Distribution(
        fields.get("Name", _normal(place)),
        fields.get("Version", "unknown"),
        fields.get("Summary", ""),
    )


def _read(place: str, name: str) -> str:
    try:
        with open(os.path.join(place, name), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""

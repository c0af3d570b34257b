"""What lists show of a tool, without importing it.

A distribution may ship ``tool_cards.json`` beside its top package: a list of fifty tools would
else import all their modules, in the event loop that other spells wait for. Ours is written by
``scripts/manifests.py``. Tools without a card are loaded.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.extensions import Extensions
from llmspell_core.records import Record

if TYPE_CHECKING:
    from llmspell_core.registry import Registry
    from llmspell_core.tool import Level, Tool

FILE = "tool_cards.json"
FORMAT = 1

log = logging.getLogger("llmspell.tools")


class ToolCard(Record):
    """A tool as lists show it; the names are those of `Tool`."""

    name: str
    description: str
    category: str
    version: str
    security_level: Level
    aliases: tuple[str, ...] = ()
    extra: str = ""


def card_data(tool: Tool) -> dict[str, Any]:
    """The fields of a tool's card."""
    return {
        "name": tool.name,
        "description": tool.description,
        "category": tool.category,
        "version": tool.version,
        "security_level": tool.security_level,
        "aliases": list(tool.aliases),
        "extra": tool.extra,
    }


def cards(
    registry: Registry[Tool], broken: Callable[[str, Exception], None] | None = None
) -> Iterator[tuple[ToolCard | Tool, str]]:
    """Each tool of a registry, or its card, with the distribution it comes from.

    One that cannot be loaded is left out: `broken` is told, else the log.
    """
    shipped = _shipped()
    for entry in registry.entries():
        card = None if entry.loaded else shipped.get((entry.source, entry.name))
        if card is not None:
            yield card, entry.source
            continue
        try:
            yield entry.load(), entry.source
        except Exception as error:  # noqa: BLE001 - a broken plugin costs only itself
            if broken is not None:
                broken(entry.name, error)
            else:
                log.warning("the tool %s of %s is broken: %s", entry.name, entry.source, error)


@functools.cache
def _shipped() -> dict[tuple[str, str], ToolCard]:
    """(distribution, name) -> card."""
    found: dict[tuple[str, str], ToolCard] = {}
    read: dict[str, dict[str, Any]] = {}
    for extension in Extensions("tools").values():
        if extension.others:
            continue
        package = extension.target.partition(":")[0].partition(".")[0]
        if package not in read:
            read[package] = _read(package)
        data = read[package].get(extension.name)
        if data is not None:
            fields = {**data, "aliases": tuple(data["aliases"])}
            found[extension.distribution, extension.name] = ToolCard(**fields)
    return found


def _read(package: str) -> dict[str, Any]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return {}
    try:
        path = Path(next(iter(spec.submodule_search_locations))) / FILE
        data = json.loads(path.read_bytes())
        tools: dict[str, Any] = data["tools"] if data["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return tools

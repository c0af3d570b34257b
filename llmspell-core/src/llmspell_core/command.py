"""`@command`: a plugin's command as a typed function that returns data.

The cli makes options from the signature and prints the data as a table or as JSON, so that no
plugin imports a command-line library. Entry-point group ``llmspell.commands``::

    @command
    async def moon(phase: str = "full", days: int = 7) -> list[dict[str, str]]:
        '''When the moon has this PHASE in the next DAYS.'''
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from llmspell_core.script.manifest import split_doc


@dataclass(frozen=True, slots=True)
class Option:
    """One parameter of a command: required ones are arguments, the others `--options`."""

    name: str
    type: Any
    required: bool
    default: Any
    doc: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command made by `@command`. `run` may be sync or async and returns plain data."""

    name: str
    doc: str
    options: tuple[Option, ...]
    run: Callable[..., Any]


def command(function: Callable[..., Any]) -> Command:
    """Make a command of a typed function."""
    doc, notes = split_doc(inspect.getdoc(function) or "")
    hints = get_type_hints(function)
    options = tuple(
        Option(
            one.name,
            hints.get(one.name, str),
            one.default is one.empty,
            None if one.default is one.empty else one.default,
            notes.get(one.name, ""),
        )
        for one in inspect.signature(function).parameters.values()
    )
    return Command(function.__name__.strip("_").replace("_", "-"), doc, options, function)

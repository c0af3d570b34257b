"""The trait of a script engine: what it runs, and where its guest module is."""

from __future__ import annotations

from typing import Protocol

from llmspell_core.records import Record


class EngineInfo(Record):
    """What `llmspell engines` prints, and what the bridge needs to start a session.

    `guest` is the import name of the engine's guest module (`GuestModule`), `requires` the
    top-level modules it imports beyond the standard library (the worker gets the folders they
    lie in and no others). `preference` decides between engines of one extension: higher wins.
    `module_table`: its module loader cannot wait, so that a session gets the sources of all that
    the script imports when it starts (`GuestModule.create`, option ``modules``).
    """

    name: str
    language: str
    level: str
    extensions: tuple[str, ...]
    guest: str
    requires: tuple[str, ...]
    async_style: str
    limits: tuple[str, ...]
    in_process: bool = True
    preference: int = 0
    module_table: bool = False


class ScriptEngine(Protocol):
    """An engine plugin (entry-point group ``llmspell.engines``). Importing it is cheap."""

    info: EngineInfo

    def available(self) -> str | None:
        """None when the engine can run here, else why not and what to install."""
        ...

    def complete(self, source: str) -> bool:
        """Whether a REPL should run this text now rather than ask for more lines."""
        ...

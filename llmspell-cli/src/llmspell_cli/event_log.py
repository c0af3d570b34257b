"""`--trace-events FILE` and `--jsonl`: every event of a run as a JSON line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

import click

from llmspell_core.script.api import Result

if TYPE_CHECKING:
    from llmspell_core.events import EventBus

#: How long the last events may take to arrive.
LAST_MS = 1000


class EventLog:
    """Subscribes to every event while it is open."""

    def __init__(self, bus: EventBus, path: Path | None, *, jsonl: bool) -> None:
        self._bus = bus
        self._path = path
        self._jsonl = jsonl
        self._file: TextIO | None = None
        self._id = ""

    async def __aenter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = self._path.open("w", encoding="utf-8")
            except OSError as error:
                raise click.UsageError(f"--trace-events {self._path}: {error.strerror}") from None
        if self._file or self._jsonl:
            self._id = self._bus.subscribe("**", self._write)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._id:
            # Handlers are tasks: the last events are still on their way.
            await self._bus.drain(LAST_MS)
            self._bus.unsubscribe(self._id)
        if self._file:
            self._file.close()

    def _write(self, event: Any) -> None:
        line = json.dumps(event.to_script().data, ensure_ascii=False, default=_plain)
        if self._file:
            self._file.write(line + "\n")
        if self._jsonl:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


def _plain(value: Any) -> Any:
    """What an event holds beside JSON: records, else anything by its name."""
    return value.data if isinstance(value, Result) else str(value)

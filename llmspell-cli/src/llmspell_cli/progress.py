"""A progress bar on stderr while a model file is fetched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from llmspell_cli.look import use_colour

if TYPE_CHECKING:
    from llmspell_core.events import EventBus


class Bar:
    """One bar, drawn on a terminal only; in a pipe a line at the start and at the end."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None

    def update(self, done: int, total: int, text: str) -> None:
        """How far it is, in bytes; `total` 0 when unknown."""
        if not sys.stderr.isatty():
            if self._task is None:
                self._task = text
                sys.stderr.write(f"fetching {text} ...\n")
            return
        if self._progress is None:
            self._open(text, total)
        self._progress.update(self._task, completed=done, total=total or None)

    def _open(self, text: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        self._progress = Progress(
            "{task.description}",
            DownloadColumn(),
            BarColumn(),
            "{task.percentage:>3.0f}%",
            TransferSpeedColumn(),
            console=Console(stderr=True, no_color=not use_colour()),
        )
        self._progress.start()
        self._task = self._progress.add_task(text, total=total or None)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


class ModelProgress:
    """Draws the bar for `model.progress` events while it is open."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._bar = Bar()
        self._id = ""

    def __enter__(self) -> Self:
        self._id = self._bus.subscribe("model.progress", self._show)
        return self

    def __exit__(self, *_: object) -> None:
        self._bus.unsubscribe(self._id)
        self._bar.close()

    def _show(self, event: Any) -> None:
        data = event.data or {}
        done, total = int(data.get("done", 0)), int(data.get("total", 0))
        self._bar.update(done, total, str(data.get("text", "")))
        if total and done >= total:
            self._bar.close()

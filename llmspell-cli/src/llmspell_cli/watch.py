"""`--watch`: run again whenever a file changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

POLL_S = 0.3


def run_again(path: Path, run: Callable[[], int]) -> int:
    """Run, and again after each change of the file, until interrupted."""
    while True:
        seen = _stamp(path)
        code = run()
        if code == 130:  # noqa: PLR2004 - interrupted: so are we
            return code
        click.echo(f"exit code {code}; watching {path}", err=True)
        try:
            while _stamp(path) == seen:
                # Nothing else runs here: this loop is the whole program until the next change.
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            return 130


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size

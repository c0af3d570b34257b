"""`--watch`: run again whenever the script or a module beside it changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from llmspell_cli.look import say

POLL_S = 0.3
INTERRUPTED = (130, 143)


def run_again(path: Path, run: Callable[[], int]) -> int:
    """Run, and again after each change, until interrupted."""
    try:
        while True:
            seen = stamps(path)
            code = run()
            if code in INTERRUPTED:
                return code
            say(f"exit code {code}; watching {path} and what lies beside it")
            while stamps(path) == seen:
                # Nothing else runs here: this loop is the whole program until the next change.
                time.sleep(POLL_S)
    except KeyboardInterrupt:
        return INTERRUPTED[0]


def stamps(path: Path) -> dict[str, tuple[int, int]]:
    """When the script and its neighbours of the same kind, and the settings, were written."""
    found: dict[str, tuple[int, int]] = {}
    for one in {path, *path.parent.glob(f"*{path.suffix}"), *path.parent.glob("llmspell*.toml")}:
        try:
            status = one.stat()
        except OSError:
            # Editors replace a file: for a moment it is not there.
            continue
        found[one.name] = (status.st_mtime_ns, status.st_size)
    return found

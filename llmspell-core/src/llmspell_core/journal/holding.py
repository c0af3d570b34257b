"""Having a run for oneself: a lock on a file, which the system frees when its process dies."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmspell_core.config.directories import private_dir
from llmspell_core.errors import JournalError

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        # Of the open file, not of the process: two tasks of one process exclude each other.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def held(run_id: str) -> JournalError:
    """What is raised to whoever wants a run that another one has."""
    return JournalError(
        f"run {run_id} is going on already, here or in another process",
        code="journal.held",
        hint="wait for its end, then ask for its result",
        retryable=True,
    )


@contextmanager
def holding(folder: Path, run_id: str) -> Iterator[None]:
    """Hold the lock of a run, or raise ``journal.held`` at once."""
    private_dir(folder)
    # A run's name may come from outside: as a file's it is a hash.
    path = folder / f"{hashlib.sha256(run_id.encode('utf-8', 'replace')).hexdigest()[:32]}.lock"
    descriptor = _locked(path, run_id)
    try:
        yield
    finally:
        # Taken away while it is held: whoever opened it meanwhile sees that it is not the one.
        if sys.platform == "win32":
            os.close(descriptor)
        with contextlib.suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(descriptor)


def _locked(path: Path, run_id: str) -> int:
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _take(descriptor)
            if sys.platform == "win32" or _is_still(descriptor, path):
                return descriptor
        except OSError:
            os.close(descriptor)
            raise held(run_id) from None
        os.close(descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether the locked file is the one that others would open."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

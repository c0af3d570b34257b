"""The process of a compute helper, from the host's side: start, ask within a time, kill."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llmspell_core import _helper


class HelperProcess:
    """One helper."""

    def __init__(self) -> None:
        # Isolated, without site: nothing but the paths in the requests, no secrets around it.
        keep = ("SYSTEMROOT", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP")
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", "-S", "-X", "utf8", str(Path(_helper.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in keep if name in os.environ},
            start_new_session=os.name == "posix",
        )
        self.loaded: set[str] = set()
        #: Where it may read, which the first function decides; None before.
        self.paths: frozenset[str] | None = None
        self.uses = 0

    def may_read(self, paths: frozenset[str]) -> bool:
        """Whether it may read in all of these folders."""
        return self.paths is None or paths <= self.paths

    def ask(self, request: bytes, seconds: float, too_late: Callable[[], None]) -> Any:
        """Send a frame; its answer, or None when the process ended or was killed.

        After the time it is killed and `too_late` is called; 0 waits for ever.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        try:
            stdin.write(request)
            stdin.flush()
            with _deadline(stdout.fileno(), seconds, functools.partial(self._end, too_late)):
                return _helper.read_frame(stdout)  # type: ignore[arg-type]
        except (OSError, ValueError):
            return None

    def _end(self, too_late: Callable[[], None]) -> None:
        too_late()
        self.kill()

    def kill(self) -> None:
        """End it at once; a read that waits for it returns."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self) -> None:
        """Kill and collect it."""
        self.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


@contextlib.contextmanager
def _deadline(fd: int, seconds: float, too_late: Callable[[], None]) -> Iterator[None]:
    """Call `too_late` when nothing can be read within the time; 0 waits for ever."""
    if seconds and hasattr(select, "poll"):
        # Waiting in this thread is cheaper than a timer's thread for each call.
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if not poll.poll(seconds * 1000):
            too_late()
        yield
        return
    timer = threading.Timer(seconds, too_late)
    timer.daemon = True
    if seconds:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()

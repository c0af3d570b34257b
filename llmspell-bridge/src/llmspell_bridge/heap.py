"""Gives memory that runs have freed back to the system.

glibc keeps what is freed between blocks in use: after scripts that filled their limits a host
would stay as large as the largest of them made it. `malloc_trim(3)` gives whole pages back; other
allocators do so by themselves.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

#: How much larger the process has to be than after the last time: this, and at least a part in 32.
SLACK_BYTES = 2 << 20
#: When after the end of a run: its results are then mostly freed too, and many runs share one look.
SOON_S = 0.1


class Heap:
    """The memory of this process, for its event loops; a look that is lost does no harm."""

    def __init__(self) -> None:
        self._least: int | None = None
        self._due: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look in a moment, once for all who ask until then."""
        if self._due is None or self._loop is not loop:
            self._loop, self._due = loop, loop.call_later(SOON_S, self._now)

    def _now(self) -> None:
        self._loop = self._due = None
        self.give_back()

    def give_back(self, *, collect: bool = False) -> None:
        """Trim the heap when the process has grown since it was last small.

        The first time only remembers the size: most programs run one script and end. With
        `collect`, what is held in cycles is freed before, which takes a moment.
        """
        size = resident()
        if size is None:
            return
        if self._least is None:
            self._least = size
        elif size > self._least + max(SLACK_BYTES, self._least // 32):
            if collect:
                gc.collect()
            _trim()
            left = resident() or size
            # Not all the way up: what runs just now may use the rest, and free it in a moment.
            self._least += (left - self._least) // 4
        else:
            self._least = min(self._least, size)


def resident() -> int | None:
    """The bytes of this process in memory; None where the heap cannot be trimmed."""
    if sys.platform != "linux":
        return None
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - on the way out of every run
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _trim() -> None:
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


#: There is one heap in a process.
HEAP = Heap()

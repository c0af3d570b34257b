"""How much a process has grown: memory, objects of Python, open files and child processes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: Growth that is noise: the allocator's arenas, caches that fill slowly.
NOISE_KIB = 2048


@dataclass(frozen=True, slots=True)
class Growth:
    """What one kind of work came to."""

    name: str
    times: int
    seconds: float
    rss_kib: int
    objects: int
    handles: int

    @property
    def grew(self) -> bool:
        """Whether this is more than noise."""
        return self.rss_kib > NOISE_KIB or self.handles > 0

    def line(self, verdict: str = "") -> str:
        """One line of the table; the verdict is about growth when none is given."""
        each = self.seconds / max(1, self.times) * 1000
        verdict = verdict or ("GREW" if self.grew else "ok")
        return (
            f"{self.name:<34}{self.times:>8}{each:>12.2f} ms{self.rss_kib:>+10} KiB"
            f"{self.objects:>+9}{self.handles:>+9}  {verdict}"
        )


def rss_kib() -> int:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def handles() -> int:
    """Open files and sockets of this process, and its children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return len(os.listdir("/proc/self/fd")) + len(children)  # noqa: PTH208 - no dir entries needed

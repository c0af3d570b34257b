"""The most memory that a worker has ever had (Linux): what came and went unseen shows there.

The file is opened before the sandbox holds, and read afterwards. `getrusage` will not do: its
peak begins with that of the process that started this one.
"""

from __future__ import annotations

import sys

_HEAD = b"VmHWM:"
_LONGEST = 4096
_status = -1


def watch() -> None:
    """Open what tells the peak; nothing happens where there is no such file."""
    global _status  # noqa: PLW0603 - a process has one peak
    if sys.platform != "linux":
        return
    # Not `os`, which workers do without: it would be a tenth of their start.
    import posix

    try:
        _status = posix.open("/proc/self/status", posix.O_RDONLY)
    except OSError:
        return


def peak() -> int:
    """Bytes that were in memory at most; 0 where nobody watches."""
    if _status < 0 or sys.platform != "linux":
        return 0
    import posix

    posix.lseek(_status, 0, 0)
    _, found, rest = posix.read(_status, _LONGEST).partition(_HEAD)
    return int(rest.split(None, 1)[0]) << 10 if found else 0

"""The limits of the engine's process, since Duktape has none: memory and CPU time of a worker.

Standard library only: the worker imports it. What is set here is narrower than what the worker
sets itself for engines that also count on their own.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: For what the guest's Python needs beside the script: text on its way in and out.
SLACK_MB = 24

_CPU_TIME_OF_PROCESS = 2
#: The system calls that make a timer and start it, by machine.
_TIMER_CALLS = {"x86_64": (222, 223), "aarch64": (107, 110)}


def hold(options: dict[str, Any]) -> None:
    """Bound this process, for ever, by a session's limits.

    CPU time only where the process serves a single run: a timer cannot be set again once the
    worker has given its system calls away.
    """
    limits = options.get("limits") or {}
    if memory := limits.get("memory_mb"):
        _limit_memory(float(memory))
    if (seconds := limits.get("cpu_s")) and not options.get("long_lived"):
        _limit_cpu(float(seconds))


def _limit_memory(memory_mb: float) -> None:
    """As much address space as there is now and what the script may have."""
    now = _address_space()
    if not now:
        return
    import resource

    size = now + int((memory_mb + SLACK_MB) * (1 << 20))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or size < hard:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system does not say (only Linux does)."""
    if not sys.platform.startswith("linux"):
        return 0
    import resource

    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            pages = int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * resource.getpagesize()


def _limit_cpu(seconds: float) -> None:
    """The signal of a used-up CPU limit when this process has computed so long.

    A timer rather than RLIMIT_CPU, which the worker sets as well: that counts whole seconds.
    """
    if not sys.platform.startswith("linux") or sys.maxsize <= 1 << 32:
        return
    import posix

    calls = _TIMER_CALLS.get(posix.uname().machine)
    if calls is None:
        return
    try:
        import _ctypes
        import _signal  # type: ignore[import-not-found]

        libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
        syscall = _ctypes.dlsym(libc, "syscall")
    except (ImportError, AttributeError, OSError):
        return
    event = bytes(8) + int(_signal.SIGXCPU).to_bytes(4, sys.byteorder) + bytes(52)
    # The kernel writes the timer's number into these bytes, which nobody else has.
    number = bytes(8)
    if _ctypes.call_function(syscall, (calls[0], _CPU_TIME_OF_PROCESS, event, number)) != 0:
        return
    timer = int.from_bytes(number[:4], sys.byteorder)
    whole, rest = divmod(int(seconds * 1e9), 10**9)
    times = (0, 0, whole, rest)
    value = b"".join(part.to_bytes(8, sys.byteorder) for part in times)
    _ctypes.call_function(syscall, (calls[1], timer, 0, value, None))

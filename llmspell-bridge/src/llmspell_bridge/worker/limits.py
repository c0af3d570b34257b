"""What a worker gives away before the first line of script: memory, time, files, system calls.

Standard library only, and nothing that is slow to import. Where a limit does not exist (macOS
has no useful address-space limit, Windows has none of these) the host's own limits remain.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Address space beside the script's own memory: the interpreter, its libraries, buffers.
BASE_MB = 320


def die_with_parent() -> None:
    """Have the system kill this process when the thread that started it ends (Linux)."""
    import sys

    if sys.platform != "linux":
        return
    pr_set_pdeathsig, sigkill = 1, 9
    try:
        # The bare accelerator: the `ctypes` package takes 4 ms to import.
        import _ctypes

        libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
        _ctypes.call_function(_ctypes.dlsym(libc, "prctl"), (pr_set_pdeathsig, sigkill, 0, 0, 0))
    except (ImportError, AttributeError, OSError):
        return


def block_interrupts() -> None:
    """Ctrl-C is for the host, which then ends the script in order."""
    try:
        import _signal  # type: ignore[import-not-found]

        _signal.pthread_sigmask(_signal.SIG_BLOCK, [2])
    except (ImportError, AttributeError):
        return


def worker_memory_mb(options: dict[str, Any]) -> float:
    """How much memory the process may have; 0 is no limit.

    The engine's own limit comes first and says so; this holds what it does not count.
    """
    memory = (options.get("limits") or {}).get("memory_mb") or 0
    return BASE_MB + 2 * memory if memory else 0


def keep_time_zone() -> None:
    """Read the time zone now: the C library would look at its file at each use."""
    import sys

    if sys.platform != "linux":
        return
    import posix
    import time

    if b"TZ" not in posix.environ:
        # A zone that is named is read once; the default is looked at again and again.
        posix.putenv(b"TZ", b":/etc/localtime")
    time.tzset()


def give_up_powers(options: dict[str, Any]) -> list[str]:
    """Apply what a session's options ask for, for ever; the names of the layers that hold now.

    `options["isolation"]` is ``worker`` (the default), ``sandbox`` (what is not allowed ends the
    worker), or ``process``: its limits and nothing else.
    """
    import sys

    isolation = options.get("isolation") or "worker"
    if isolation == "process":
        return _limit(options)
    if sys.platform == "linux":
        from llmspell_bridge.worker.sandbox_linux import give_up

        # The limits first: setting them is a call that the filter refuses.
        return _limit(options) + give_up(kill=isolation == "sandbox")
    if sys.platform == "darwin":
        from llmspell_bridge.worker.sandbox_macos import in_force

        return _limit(options) + in_force()
    return _limit(options)


def _limit(options: dict[str, Any]) -> list[str]:
    """Resource limits; what cannot be set stays as it is."""
    try:
        import resource
    except ImportError:
        return []
    limits = options.get("limits") or {}
    wanted = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_FSIZE": (0, 0),
        "RLIMIT_NOFILE": (16, 16),
        "RLIMIT_NPROC": (0, 0),
    }
    if memory := worker_memory_mb(options):
        size = int(memory * (1 << 20))
        wanted["RLIMIT_AS"] = (size, size)
    if (seconds := limits.get("cpu_s")) and not options.get("long_lived"):
        # Soft below hard: the signal of the soft one says what happened. Above the engine's own.
        wanted["RLIMIT_CPU"] = (int(seconds) + 2, int(seconds) + 5)
    for name, pair in wanted.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            _lower(resource, kind, pair)
    return ["rlimits"]


def _lower(resource: Any, kind: int, pair: tuple[int, int]) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        pair = (min(pair[0], hard), min(pair[1], hard))
    try:
        resource.setrlimit(kind, pair)
    except (ValueError, OSError):
        return

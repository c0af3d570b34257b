"""What a compute helper takes from itself before it imports its first function (Linux).

A pure function needs what it imports and no more: files can be read where Python and shared
libraries lie, and nothing else of the machine can be reached. Standard library only; loaded by
its path, as `_helper` is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

#: Calls that a function and its imports make.
ALLOWED = (
    "exit", "exit_group", "rt_sigreturn", "sigaltstack", "rt_sigaction", "rt_sigprocmask",
    "restart_syscall", "rseq", "membarrier", "set_robust_list", "sched_yield",
    "sched_getaffinity", "getrusage", "times", "gettimeofday", "time", "clock_getres",
    "clock_gettime", "clock_nanosleep", "nanosleep", "getpid", "getppid", "gettid", "getuid",
    "geteuid", "getgid", "getegid", "uname", "sysinfo", "getrandom", "poll", "ppoll", "select",
    "pselect6", "futex", "madvise", "mmap", "mprotect", "mremap", "munmap", "brk", "stat",
    "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getcwd", "getdents64", "lseek", "pread64", "fstat", "close", "read", "write",
)  # fmt: skip
#: To write, create, truncate, append.
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CLONE_THREAD = 0x10000
#: Where shared libraries and what the C library reads lie.
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    "/etc/localtime", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom",
)  # fmt: skip


def enter(paths: Iterable[str]) -> list[str]:
    """Give everything else up, for ever; the names of the layers that hold now."""
    if sys.platform != "linux":
        return []
    linux = _linux()
    readable = (*sys.path, *paths, sys.base_prefix, *_SYSTEM)
    held = []
    if linux.no_new_privs():
        held.append("no_new_privs")
    if linux.landlock(dict.fromkeys(readable)):
        held.append("landlock")
    wanted = linux.Filter(
        ALLOWED,
        refused={
            "open": (1, _WRITING),
            "openat": (2, _WRITING),
            # Limits of this process only.
            "prlimit64": (0, 0xFFFFFFFF),
        },
        # Threads, which some libraries start when they are imported, but no processes.
        demanded={"clone": (0, _CLONE_THREAD)},
        unknown=("clone3",),
    )
    if wanted.apply(kill=False):
        held.append("seccomp")
    return held


def _linux() -> Any:
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "security", "linux.py")  # noqa: PTH100, PTH118, PTH120 - pathlib is slow to import
    spec = spec_from_file_location("_llmspell_linux", place)
    if spec is None or spec.loader is None:
        raise ImportError(place)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

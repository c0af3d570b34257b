"""What a worker on Linux takes from itself before the first line of script.

Standard library only, and cheap: together less than a millisecond.
"""

from __future__ import annotations

from llmspell_core.security import linux

#: All that an engine needs while it runs: memory, time, its socket, its end. The most frequent
#: ones stand last, where the filter's jumps are short.
ALLOWED = (
    "exit", "rt_sigreturn", "sigaltstack", "rt_sigaction", "rt_sigprocmask", "restart_syscall",
    "rseq", "membarrier", "sched_yield", "getrusage", "times", "gettimeofday", "time",
    "clock_getres", "clock_nanosleep", "nanosleep", "getpid", "gettid", "getrandom", "lseek",
    "fstat", "close", "read", "write", "poll", "ppoll", "select", "pselect6", "exit_group",
    "madvise", "futex", "clock_gettime", "mremap", "munmap", "brk", "sendto", "recvfrom",
)  # fmt: skip
FILTER = linux.Filter(
    ALLOWED,
    # Memory is never made executable.
    refused={"mmap": (2, linux.PROT_EXEC), "mprotect": (2, linux.PROT_EXEC)},
)


def give_up(*, kill: bool) -> list[str]:
    """Apply all layers that there are; the names of those that hold now.

    Args:
        kill: a call that is not allowed ends the worker; else it fails.
    """
    held = []
    if linux.no_new_privs():
        held.append("no_new_privs")
    if linux.drop_capabilities():
        held.append("capabilities")
    if linux.landlock():
        held.append("landlock")
    if FILTER.apply(kill=kill):
        held.append("seccomp")
    return held

"""How a Linux process gives its powers away: no_new_privs, capabilities, Landlock, seccomp.

By bare system calls through `_ctypes`, since the `ctypes` package takes longer to import than
all of this to run. Standard library only and nothing slow: a worker imports it at its start.
Each function answers whether its layer holds now; none can be taken back.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

#: Machine -> (audit architecture, call -> number). Calls that a machine lacks are left out.
TABLES: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6,
            "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
            "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17,
            "access": 21, "select": 23, "sched_yield": 24, "mremap": 25, "madvise": 28,
            "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45, "clone": 56, "exit": 60,
            "uname": 63, "getcwd": 79, "readlink": 89, "gettimeofday": 96, "getrusage": 98,
            "sysinfo": 99, "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107,
            "getegid": 108, "getppid": 110, "capset": 126, "sigaltstack": 131, "prctl": 157,
            "gettid": 186, "time": 201, "futex": 202, "sched_getaffinity": 204, "getdents64": 217,
            "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
            "clock_nanosleep": 230, "exit_group": 231, "openat": 257, "newfstatat": 262,
            "readlinkat": 267, "faccessat": 269, "pselect6": 270, "ppoll": 271,
            "set_robust_list": 273, "prlimit64": 302, "seccomp": 317, "getrandom": 318,
            "membarrier": 324, "statx": 332, "rseq": 334, "clone3": 435, "faccessat2": 439,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "getcwd": 17, "faccessat": 48, "openat": 56, "close": 57, "getdents64": 61,
            "lseek": 62, "read": 63, "write": 64, "pread64": 67, "pselect6": 72, "ppoll": 73,
            "readlinkat": 78, "newfstatat": 79, "fstat": 80, "capset": 91, "exit": 93,
            "exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101,
            "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
            "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128,
            "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139,
            "times": 153, "uname": 160, "getrusage": 165, "prctl": 167, "gettimeofday": 169,
            "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175, "getgid": 176,
            "getegid": 177, "gettid": 178, "sysinfo": 179, "sendto": 206, "recvfrom": 207,
            "brk": 214, "munmap": 215, "mremap": 216, "clone": 220, "mmap": 222, "mprotect": 226,
            "madvise": 233, "prlimit64": 261, "seccomp": 277, "getrandom": 278, "membarrier": 283,
            "statx": 291, "rseq": 293, "clone3": 435, "faccessat2": 439,
        },
    ),
}  # fmt: skip

# The same on every machine.
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PR_SET_NO_NEW_PRIVS = 38
_EPERM, _ENOSYS = 1, 38

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

# Instructions of a filter: load from the call's record, compare, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _END = 0x20, 0x15, 0x35, 0x45, 0x06

#: Of the third argument of mmap and mprotect.
PROT_EXEC = 4


def machine() -> str:
    """The machine whose table applies; "" when there is none."""
    import posix

    name = posix.uname().machine
    return name if name in TABLES and sys.maxsize > 1 << 32 else ""


def landlock_abi() -> int:
    """The version of Landlock that the kernel has; 0 when it has none or keeps it off."""
    return max(0, _syscall(_LANDLOCK_CREATE, None, 0, 1))


def seccomp_available() -> bool:
    """Whether the kernel takes filters, and there is a table for this machine."""
    name = machine()
    if not name:
        return False
    get_action_available = 2
    return _syscall(TABLES[name][1]["seccomp"], get_action_available, 0, _word(_ERRNO)) == 0


def no_new_privs() -> bool:
    """Programs started from here gain nothing by being setuid; Landlock and seccomp need it."""
    return _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0


def drop_capabilities() -> bool:
    """Root without what makes it root."""
    name = machine()
    version_3 = 0x20080522
    header = _word(version_3) + _word(0)
    return bool(name) and _syscall(TABLES[name][1]["capset"], header, bytes(24)) == 0


def landlock(readable: Iterable[str] = ()) -> bool:
    """No files but for reading beneath `readable`, no TCP, no signals or abstract sockets out."""
    abi = landlock_abi()
    if not abi:
        return False
    handled = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15)):
        handled |= (abi >= since) << bit
    net = 3 if abi >= 4 else 0  # noqa: PLR2004 - bind and connect, since ABI 4
    scoped = 3 if abi >= 6 else 0  # noqa: PLR2004 - abstract sockets and signals, since ABI 6
    size = 8 if abi < 4 else 16 if abi < 6 else 24  # noqa: PLR2004
    attributes = b"".join(part.to_bytes(8, sys.byteorder) for part in (handled, net, scoped))
    ruleset = _syscall(_LANDLOCK_CREATE, attributes, size, 0)
    if ruleset < 0:
        return False
    import posix

    try:
        for path in readable:
            _allow_reading(ruleset, path)
        return _syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0
    finally:
        posix.close(ruleset)


def _allow_reading(ruleset: int, path: str) -> None:
    import posix

    read_file, read_dir, beneath = 1 << 2, 1 << 3, 1
    try:
        found = posix.open(path, posix.O_PATH | posix.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no rule
    try:
        kind, directory = posix.fstat(found).st_mode & 0o170000, 0o040000
        access = read_file | (read_dir if kind == directory else 0)
        rule = access.to_bytes(8, sys.byteorder) + _word(found)
        _syscall(_LANDLOCK_ADD, ruleset, beneath, rule, 0)
    finally:
        posix.close(found)


class Filter:
    """A list of the system calls that a process may make from now on.

    Args:
        allowed: names of calls; those that this machine lacks do not count.
        refused: call -> (argument, bits): allowed unless one of the bits is set.
        demanded: call -> (argument, bits): allowed when one of the bits is set.
        unknown: calls that fail with ENOSYS, so that the C library uses older ones.
    """

    def __init__(
        self,
        allowed: Iterable[str],
        *,
        refused: Mapping[str, tuple[int, int]] | None = None,
        demanded: Mapping[str, tuple[int, int]] | None = None,
        unknown: Iterable[str] = (),
    ) -> None:
        self._allowed = allowed
        self._refused = refused or {}
        self._demanded = demanded or {}
        self._unknown = unknown

    def apply(self, *, kill: bool) -> bool:
        """Hold all threads of the process to it; other calls fail with EPERM, or end it."""
        name = machine()
        if not name or sys.byteorder != "little":
            return False
        code = self.program(name, kill=kill)
        import _ctypes

        class Char(_ctypes._SimpleCData):  # type: ignore[type-arg]
            _type_ = "c"

        text: Any = (Char * len(code)).from_buffer_copy(code)
        address = _ctypes.addressof(text)
        program = (len(code) // 8).to_bytes(8, "little") + address.to_bytes(8, "little")
        set_filter, all_threads = 1, 1
        return _syscall(TABLES[name][1]["seccomp"], set_filter, all_threads, program) == 0

    def program(self, name: str, *, kill: bool) -> bytes:
        """The instructions for a machine. Calls of other architectures and x32 end the process."""
        architecture, numbers = TABLES[name]
        deny = _KILL_PROCESS if kill else _ERRNO | _EPERM
        code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_END, 0, 0, _KILL_PROCESS)]
        code.append((_LOAD, 0, 0, 0))
        if name == "x86_64":
            code += [(_AT_LEAST, 0, 1, 0x40000000), (_END, 0, 0, _KILL_PROCESS)]
        code += _either([numbers[call] for call in self._allowed if call in numbers])
        for rules, with_bit, without in (
            (self._refused, deny, _ALLOW),
            (self._demanded, _ALLOW, deny),
        ):
            for call, (argument, bits) in rules.items():
                if call in numbers:
                    code += [(_EQUAL, 0, 4, numbers[call]), (_LOAD, 0, 0, 16 + 8 * argument)]
                    code += [(_ANY_BIT, 0, 1, bits), (_END, 0, 0, with_bit), (_END, 0, 0, without)]
        for call in self._unknown:
            code += [(_EQUAL, 0, 1, numbers[call]), (_END, 0, 0, _ERRNO | _ENOSYS)]
        code.append((_END, 0, 0, deny))
        return b"".join(
            operation.to_bytes(2, "little") + bytes((yes, no)) + value.to_bytes(4, "little")
            for operation, yes, no, value in code
        )


def _either(numbers: list[int]) -> list[tuple[int, int, int, int]]:
    """Allow these calls: each jumps to the end. A jump reaches 255 instructions far."""
    last = len(numbers) - 1
    code = [(_EQUAL, last - i, int(i == last), number) for i, number in enumerate(numbers)]
    return [*code, (_END, 0, 0, _ALLOW)] if code else []


def _word(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder)


def _syscall(number: int, *args: int | bytes | None) -> int:
    return _call("syscall", number, *args)


def _call(function: str, *args: int | bytes | None) -> int:
    """A function of the C library; -1 when there is no calling it."""
    try:
        import _ctypes

        libc = _ctypes.dlopen(None, 0)  # type: ignore[arg-type]
        result = _ctypes.call_function(_ctypes.dlsym(libc, function), args)
    except (ImportError, AttributeError, OSError):
        return -1
    return int(result)

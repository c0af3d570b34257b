"""A hostile guest: tries to break out of its worker, one attempt a run, as machine code could.

The source of a run is JSON: ``{"attempt": name, "folder": a folder of the test's own, "port": a
port of 127.0.0.1 where the test listens, "pid": the host}``. The value is ``[escaped, what
happened]``. Standard library only; what the attempts need is imported before the sandbox is on,
as a hostile engine would have done.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
from ctypes import CDLL, c_void_p, get_errno

from llmspell_core.script.jsontext import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from llmspell_core.script.protocol import HostChannel

MIB = 1 << 20
#: More descriptors than these are an escape; so is more than this many times the CPU limit.
FILES, TIMES = 16, 10
#: Variables that a worker has or makes for itself.
KNOWN = {"TZ", "LC_CTYPE", "SYSTEMROOT"}

Given = dict[str, "Any"]


def _read_file(given: Given) -> str:
    with open(f"{given['folder']}/secret.txt") as file:  # noqa: PTH123 - as little as possible
        return f"read {file.read()!r}"


def _write_file(given: Given) -> str:
    with open(f"{given['folder']}/written.txt", "w") as file:  # noqa: PTH123
        file.write("x")
    return "wrote a file"


def _list_folder(_: Given) -> str:
    return f"listed {len(os.listdir('/'))} names"  # noqa: PTH208


def _look_at_file(given: Given) -> str:
    return f"{os.stat(given['folder']).st_size} bytes"  # noqa: PTH116


def _link(given: Given) -> str:
    os.symlink("/", f"{given['folder']}/link")  # noqa: PTH211
    return "made a link"


def _remove(given: Given) -> str:
    os.unlink(f"{given['folder']}/secret.txt")  # noqa: PTH108
    return "removed a file"


def _proc_self(_: Given) -> str:
    with open("/proc/self/status") as file:  # noqa: PTH123
        return file.readline().strip()


def _proc_host(given: Given) -> str:
    with open(f"/proc/{given['pid']}/environ", "rb") as file:  # noqa: PTH123
        return f"read {len(file.read())} bytes"


def _environment(_: Given) -> str:
    foreign = {*os.environ} - KNOWN
    if foreign:
        return f"found {', '.join(sorted(foreign))}"
    raise PermissionError(0, "nothing of the host's in it")


def _socket_inet(_: Given) -> str:
    import socket

    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    return "made an inet socket"


def _socket_unix(_: Given) -> str:
    import socket

    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()
    return "made a unix socket"


def _connect(given: Given) -> str:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.connect(("127.0.0.1", given["port"]))
    return "connected"


def _listen(_: Given) -> str:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.bind(("127.0.0.1", 0))
    return "listened"


def _exec(_: Given) -> str:
    os.execv("/bin/true", ["true"])  # noqa: S606 - it must fail
    return "ran a program"


def _fork(_: Given) -> str:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return "made a process"


def _thread_start(_: Given) -> str:
    lock = _thread.allocate_lock()
    lock.acquire()
    try:
        _thread.start_new_thread(lock.release, ())
    except RuntimeError as error:  # what Python makes of the refusal
        raise PermissionError(1, str(error)) from None
    lock.acquire(timeout=5)
    return "made a thread"


def _signal_host(given: Given) -> str:
    os.kill(given["pid"], 0)
    return "may send signals to the host"


def _native(name: str, *args: Any) -> Callable[[Given], str]:
    """A call of the C library, given the host's process where an argument is "pid"."""

    def attempt(given: Given) -> str:
        numbers = [given["pid"] if arg == "pid" else arg for arg in args]
        function = getattr(_libc(), name)
        function.restype = c_void_p
        result = function(*numbers)
        if result is not None and result in ((1 << 64) - 1, (1 << 32) - 1):
            raise OSError(get_errno(), os.strerror(get_errno()))
        return f"{name} succeeded"

    return attempt


def _memory(given: Given) -> str:
    most: float = given["memory_mb"]
    held: list[bytearray] = []
    try:
        while len(held) * 16 <= most:
            held.append(bytearray(16 * MIB))
    except MemoryError:
        size = len(held) * 16
        held.clear()
        raise PermissionError(0, f"no more after {size} MiB") from None
    return f"took {len(held) * 16} MiB"


def _cpu(given: Given) -> str:
    most = given["cpu_s"] * TIMES
    while time.process_time() < most:
        pass
    return f"computed for {most:g} s"


def _descriptors(_: Given) -> str:
    for _number in range(FILES * 4):
        os.dup(0)
    return f"opened {FILES * 4} descriptors"


def _raise_limit(_: Given) -> str:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES * 4, FILES * 4))
    except ValueError as error:  # what Python makes of the refusal
        raise PermissionError(1, str(error)) from None
    return "raised a limit"


#: Attempt -> (what it tries, what it does).
ATTEMPTS: dict[str, tuple[str, Callable[[Given], str]]] = {
    "read": ("read a file", _read_file),
    "write": ("write a file", _write_file),
    "list": ("list a folder", _list_folder),
    "stat": ("see whether a file exists", _look_at_file),
    "link": ("make a symbolic link", _link),
    "remove": ("remove a file", _remove),
    "proc-self": ("read /proc/self/status", _proc_self),
    "proc-host": ("read the host's /proc/PID/environ", _proc_host),
    "environment": ("read the host's environment", _environment),
    "inet": ("make a TCP socket", _socket_inet),
    "unix": ("make a unix socket", _socket_unix),
    "connect": ("connect to 127.0.0.1", _connect),
    "listen": ("listen on 127.0.0.1", _listen),
    "exec": ("run a program", _exec),
    "fork": ("make a process", _fork),
    "thread": ("make a thread", _thread_start),
    "signal": ("send the host a signal", _signal_host),
    "ptrace": ("attach to the host as a debugger", _native("ptrace", 0x4206, "pid", 0, 0)),
    "peek": ("read the host's memory", _native("process_vm_readv", "pid", 0, 0, 0, 0, 0)),
    "namespace": ("make a user namespace", _native("unshare", 0x10000000)),
    "code": ("make executable memory", _native("mmap", None, 4096, 7, 0x22, -1, 0)),
    "memory": ("take more memory", _memory),
    "cpu": ("take more CPU time", _cpu),
    "descriptors": ("open more descriptors", _descriptors),
    "limits": ("raise a resource limit", _raise_limit),
}
#: Only Linux has these, and the C library there.
_LINUX = {"proc-self", "proc-host", "ptrace", "peek", "namespace", "code"}
#: Only POSIX has these.
_POSIX = {"unix", "exec", "fork", "limits", "cpu", "signal", "descriptors"}


def attempts() -> list[str]:
    """The attempts that this system has a way for."""
    missing = (set() if sys.platform == "linux" else _LINUX) | (
        set() if os.name == "posix" else _POSIX
    )
    return [name for name in ATTEMPTS if name not in missing]


def _libc() -> Any:
    return _loaded[0]


_loaded: list[Any] = []


def preload() -> None:
    """What the attempts use."""
    import socket  # noqa: F401

    if os.name == "posix":
        import resource  # noqa: F401

        _loaded.append(CDLL(None, use_errno=True))


class _Session:
    def __init__(self, channel: HostChannel) -> None:
        self._channel = channel

    def run(self, call_id: int, source: str, _name: str, _mode: str) -> None:
        given: Any = loads(source)
        try:
            outcome = [True, ATTEMPTS[given["attempt"]][1](given)]
        except OSError as error:
            outcome = [False, error.strerror or str(error)]
        self._channel.done(call_id, True, dumps(outcome))
        self._channel.idle()

    def idle(self) -> bool:
        return True

    def close(self) -> None: ...


def create(channel: HostChannel, _options: dict[str, Any]) -> _Session:
    """A session whose runs are attempts."""
    return _Session(channel)

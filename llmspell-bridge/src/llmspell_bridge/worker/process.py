"""The worker process, from the host's side: start, kill, how it ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from llmspell_bridge.worker.frames import EXIT_MEMORY
from llmspell_core.errors import ExtensionError

if TYPE_CHECKING:
    from llmspell_bridge.worker.sandbox_windows import Job

MAIN = Path(__file__).with_name("main.py")


def folders(requires: Iterable[str]) -> list[str]:
    """The folders that these top-level modules lie in, and our own two that the worker needs."""
    found: dict[str, None] = {}
    for name in ("llmspell_bridge", "llmspell_core", *requires):
        spec = find_spec(name)
        origin = spec.origin if spec else None
        places = list(spec.submodule_search_locations or ()) if spec else []
        place = places[0] if places else origin
        if not place:
            raise ExtensionError(
                f"no module {name}, which the engine needs", code="engine.unavailable"
            )
        found[str(Path(place).parent)] = None
    return list(found)


class Process:
    """A started worker: its process, and the host's end of the socket.

    On Linux it dies with the thread that started it, so start it from a thread that stays.
    """

    def __init__(self, guest: str, requires: Iterable[str]) -> None:
        self.socket, theirs = socket.socketpair()
        try:
            self._process = _spawn(theirs, guest, folders(requires))
        except BaseException:
            self.socket.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self._job = _job(self.pid)

    @property
    def layers(self) -> list[str]:
        """The layers that hold it from outside."""
        return [] if self._job is None else ["job"]

    def limit_memory(self, memory_mb: float) -> None:
        """Bound its memory from outside, where that is the way."""
        if self._job is not None:
            self._job.limit_memory(memory_mb)

    def kill(self) -> None:
        """End it at once and reap it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self.socket.close()
        if self._job is not None:
            self._job.close()

    def ended(self, wait_s: float) -> bool:
        """Whether it ends by itself within this time."""
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def left_by_itself(self) -> bool:
        """Whether it ended without a signal."""
        return self._process.returncode is not None and self._process.returncode >= 0

    def why(self) -> tuple[str, str]:
        """Code and message for the way an ended worker ended by itself."""
        status = self._process.returncode
        if status == EXIT_MEMORY:
            return "script.memory_limit", "the script used up its memory"
        if os.name == "posix" and status is not None and status < 0:
            if -status == signal.SIGXCPU:
                return "script.cpu_limit", "the script used up its CPU time"
            try:
                name = signal.Signals(-status).name
            except ValueError:
                name = str(-status)
            if name == "SIGSYS":
                return "script.crashed", "the script made a system call that its sandbox forbids"
            return "script.crashed", f"the worker was ended by {name}"
        return "script.crashed", f"the worker ended unexpectedly with status {status}"


def _python() -> str:
    """The interpreter. On Windows a virtual environment's is a launcher of the real one."""
    return (getattr(sys, "_base_executable", "") if os.name == "nt" else "") or sys.executable


def _job(pid: int) -> Job | None:
    if sys.platform != "win32":
        return None
    from llmspell_bridge.worker.sandbox_windows import Job

    try:
        return Job(pid)
    except OSError:
        # The host sees that the layer is missing, and decides.
        return None


def _spawn(theirs: socket.socket, guest: str, paths: list[str]) -> subprocess.Popen[bytes]:
    descriptor = theirs.fileno()
    command = [_python(), "-I", "-S", "-E", str(MAIN), str(descriptor), guest, *paths]
    if sys.platform == "darwin":
        from llmspell_bridge.worker.sandbox_macos import wrapped

        command = wrapped(command, paths)
    environment = {key: os.environ[key] for key in ("TZ", "SYSTEMROOT") if key in os.environ}
    if sys.platform == "win32":
        theirs.set_inheritable(True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [descriptor]})
        return subprocess.Popen(  # noqa: S603 - our own program
            command,
            env=environment,
            startupinfo=startup,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
        )
    return subprocess.Popen(  # noqa: S603 - our own program
        command,
        env=environment,
        pass_fds=(descriptor,),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

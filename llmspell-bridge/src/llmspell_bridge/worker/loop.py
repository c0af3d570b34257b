"""The worker's loop: frames in, the engine's turn, frames out. Standard library only."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from nt import _exit, cpu_count
else:
    from posix import _exit, cpu_count

import _socket
from time import perf_counter

from llmspell_bridge.worker.frames import (
    EXIT_FAILED,
    EXIT_MEMORY,
    FrameError,
    Reader,
    encode,
    encode_call,
)
from llmspell_core.script.jsontext import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from llmspell_core.script.protocol import Answer, GuestModule, ScriptSession

#: The host is trusted, but a broken length should not look like a request for memory.
MOST = 1 << 30
BLOCK = 1 << 16
#: How long an answer is looked for before the process sleeps until it comes.
SPIN_S = 0.0002


def quick_receiver(sock: _socket.socket) -> Callable[[], bytes]:
    """`sock.recv`, but while answers come quickly they are looked for before going to sleep.

    A host method that is done at once answers sooner than a sleeping process is woken. As soon as
    an answer takes longer, as on a busy machine or while a model thinks, nobody spins any more.
    """
    flag = getattr(_socket, "MSG_DONTWAIT", 0)
    if not flag or (cpu_count() or 1) == 1:
        return lambda: sock.recv(BLOCK)
    quick = False

    def receive() -> bytes:
        nonlocal quick
        began = perf_counter()
        data: bytes | None = None
        while quick and data is None:
            try:
                data = sock.recv(BLOCK, flag)
            except BlockingIOError:
                quick = perf_counter() - began < SPIN_S
        if data is None:
            data = sock.recv(BLOCK)
        quick = perf_counter() - began < SPIN_S
        return data

    return receive


class SocketChannel:
    """The `HostChannel` of a worker: everything is collected until the turn ends."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._out = bytearray()
        #: Runs and invocations so far: an idle report that crosses a new one is seen as old.
        self.started = 0

    def call(
        self, call_id: int, target: str | int, method: str, args: str, origin: int = 0
    ) -> Answer | None:
        self._out += encode_call(call_id, target, method, args, origin)
        return None

    def cancel(self, call_id: int) -> None:
        self._out += encode("cancel", call_id)

    def done(self, call_id: int, ok: bool, value: str) -> None:
        self._out += encode("done", call_id, ok, value)

    def write(self, stream: str, text: str) -> None:
        self._out += encode("write", stream, text)
        if len(self._out) > 1 << 20:
            self.flush()

    def log(self, records: str) -> None:
        self._out += encode("log", records)

    def drop(self, handles: list[int]) -> None:
        self._out += encode("drop", handles)

    def unhandled(self, error: str) -> None:
        self._out += encode("unhandled", error)

    def busy(self, place: str) -> None:
        """The script computes for long: what it has written must not wait for its end."""
        self._out += encode("busy", place)
        self.flush()

    def idle(self) -> None:
        self._out += encode("idle", self.started)

    def flush(self) -> None:
        """Send what was collected; waits while the host does not read."""
        if self._out:
            out, self._out = self._out, bytearray()
            try:
                self._sock.sendall(out)
            except OSError:
                leave(0)


def leave(status: int) -> NoReturn:
    """End the process: no exit handlers, nothing of the script's is worth finishing."""
    _exit(status)


class _Loop:
    def __init__(self, sock: Any, guest: GuestModule) -> None:
        self._sock = sock
        self._guest = guest
        self._channel = SocketChannel(sock)
        self._session: ScriptSession | None = None

    def forever(self) -> NoReturn:
        reader = Reader(MOST)
        channel = self._channel
        receive = quick_receiver(self._sock)
        while True:
            data = receive()
            if not data:
                leave(0)
            for frame in reader.feed(data):
                self._handle(frame)
            channel.flush()

    def _handle(self, frame: list[Any]) -> None:
        kind, session = frame[0], self._session
        if session is None:
            if kind != "start":
                leave(0)
            self._start(frame[1])
        elif kind == "answer":
            session.answer(frame[1], frame[2], frame[3])
        elif kind == "close":
            leave(0)
        elif kind in ("run", "invoke", "cancel", "release"):
            self._channel.started += kind in ("run", "invoke")
            getattr(session, kind)(*frame[1:])
        else:
            raise FrameError(f"unknown frame {kind!r}")

    def _start(self, text: str) -> None:
        from llmspell_bridge.worker.limits import give_up_powers

        options: Any = loads(text)
        self._session = self._guest.create(self._channel, options)
        self._channel._out += encode("ready", give_up_powers(options))


def _preload(guest: GuestModule) -> None:
    """Import and open what is used later, when no file can be opened any more."""
    from llmspell_bridge.worker.limits import keep_time_zone
    from llmspell_core.script import natives

    keep_time_zone()
    natives.preload()
    own = getattr(guest, "preload", None)
    if own is not None:
        own()


def serve(sock: Any, guest: GuestModule) -> NoReturn:
    """Serve one host over a connected socket until either side ends."""
    try:
        _preload(guest)
        _Loop(sock, guest).forever()
    except MemoryError:
        leave(EXIT_MEMORY)
    except BaseException:  # noqa: BLE001 - whatever it is, the process ends and says that it failed
        leave(EXIT_FAILED)

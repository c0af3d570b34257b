"""A socket under an event loop: bytes in by a callback, bytes out without waiting.

`loop.add_reader` where the loop has it: half the time of asyncio's streams for a small message.
Loops without it (Windows' Proactor) get two threads.
"""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
from collections.abc import Callable
from typing import Protocol

#: Larger ones would be mapped anew for each read: six times the cost of a small message.
BLOCK = 1 << 16


class Stream(Protocol):
    """What both kinds offer. `waiting` is how many bytes the other side has not taken yet."""

    @property
    def waiting(self) -> int: ...

    def send(self, data: bytes | bytearray) -> None:
        """Send in order, now or when there is room."""
        ...

    def pause(self) -> None:
        """Read nothing for now, where that is possible: the other side has to wait."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...

    def close(self) -> None:
        """Stop calling back. The socket is the caller's."""
        ...


def open_stream(
    sock: socket.socket, loop: asyncio.AbstractEventLoop, received: Callable[[bytes], None]
) -> Stream:
    """A stream that calls `received` in the loop; empty bytes mean the other side has closed."""
    try:
        return _Watched(sock, loop, received)
    except NotImplementedError:
        return _Threaded(sock, loop, received)


class _Watched:
    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[bytes], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop = loop
        self._received = received
        self._waiting = bytearray()
        loop.add_reader(sock.fileno(), self._read)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def _read(self) -> None:
        try:
            data = self._sock.recv(BLOCK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
        self._received(data)

    def send(self, data: bytes | bytearray) -> None:
        if self._waiting:
            self._waiting += data
            return
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            return  # the reader learns that the other side is gone
        if sent < len(data):
            self._waiting += data[sent:]
            self._loop.add_writer(self._sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            sent = self._sock.send(self._waiting)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            sent = len(self._waiting)
        del self._waiting[:sent]
        if not self._waiting:
            self._loop.remove_writer(self._sock.fileno())

    def pause(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())

    def resume(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.add_reader(self._sock.fileno(), self._read)

    def close(self) -> None:
        if self._sock.fileno() >= 0 and not self._loop.is_closed():
            self._loop.remove_reader(self._sock.fileno())
            self._loop.remove_writer(self._sock.fileno())
        self._waiting.clear()


class _Threaded:
    def __init__(
        self,
        sock: socket.socket,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[bytes], None],
    ) -> None:
        sock.setblocking(True)
        self._sock = sock
        self._loop = loop
        self._received = received
        self._closed = False
        self.waiting = 0
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        for work in (self._read, self._write):
            threading.Thread(target=work, name="llmspell-worker", daemon=True).start()

    def _read(self) -> None:
        data = b"-"
        while data:
            try:
                data = self._sock.recv(BLOCK)
            except OSError:
                data = b""
            try:
                self._loop.call_soon_threadsafe(self._deliver, data)
            except RuntimeError:
                return  # the loop is closed

    def _deliver(self, data: bytes) -> None:
        if not self._closed:
            self._received(data)

    def send(self, data: bytes | bytearray) -> None:
        self.waiting += len(data)
        self._out.put(bytes(data))

    def _write(self) -> None:
        while (data := self._out.get()) is not None:
            try:
                self._sock.sendall(data)
                self._loop.call_soon_threadsafe(self._sent, len(data))
            except (OSError, RuntimeError):
                return

    def _sent(self, size: int) -> None:
        self.waiting -= size

    def pause(self) -> None:
        """The reading thread goes on: a block at a time, and what it has waits in the loop."""

    def resume(self) -> None:
        """See `pause`."""

    def close(self) -> None:
        self._closed = True
        self._out.put(None)
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

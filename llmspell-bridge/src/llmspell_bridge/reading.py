"""Reading text as Lua's `io` does, and the process's standard input without blocking for it."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import sys
import threading
from collections.abc import Callable
from typing import TextIO

MAX_NUMBER = 200

#: The beginning of a number as Lua writes them.
_BEGUN = r"(?a)[+-]?(0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*([pP][+-]?\d*)?|\d*\.?\d*([eE][+-]?\d*)?)"


class Pushback:
    """A text file that takes back what was read too much."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._kept = ""

    def read(self, size: int = -1, /) -> str:
        kept, self._kept = self._kept, ""
        if size < 0:
            return kept + self._source.read()
        if len(kept) >= size:
            self._kept = kept[size:]
            return kept[:size]
        return kept + self._source.read(size - len(kept))

    def readline(self) -> str:
        kept, self._kept = self._kept, ""
        line, end, rest = kept.partition("\n")
        if end:
            self._kept = rest
            return line + end
        return kept + self._source.readline()

    def unread(self, text: str) -> None:
        """Give text back: it is read next."""
        self._kept = text + self._kept


#: What `read_from` reads: a file that knows its place, or one that takes back.
Readable = TextIO | Pushback


def read_from(source: Readable, how: str | int | float) -> str | None:
    """One read in Lua's terms; see `Streams.read`."""
    text = read_raw(source, how)
    if isinstance(how, str) and how.lstrip("*")[:1] not in ("a", "n", "L"):
        return None if text is None else text.removesuffix("\n")
    return text


def read_raw(source: Readable, how: str | int | float) -> str | None:
    """As `read_from`, with the ends of lines: exactly what was taken from the file."""
    if isinstance(how, (int, float)):
        text = source.read(max(0, int(how)))
        return text if text or how == 0 else None
    how = how.lstrip("*")[:1]
    if how == "a":
        return source.read()
    if how == "n":
        return _number(source)
    return source.readline() or None


def _number(source: Readable) -> str | None:
    taken = ""
    char, put_back = _looked_at(source)
    while char.isspace():
        char, put_back = _looked_at(source)
    while char and len(taken) < MAX_NUMBER and re.fullmatch(_BEGUN, taken + char):
        taken += char
        char, put_back = _looked_at(source)
    if char:
        put_back()
    return taken or None


def _looked_at(source: Readable) -> tuple[str, Callable[[], object]]:
    """The next character, and what gives it back."""
    if isinstance(source, Pushback):
        char = source.read(1)
        return char, lambda: source.unread(char)
    place = source.tell()
    return source.read(1), lambda: source.seek(place)


class StandardInput:
    """The process's standard input, read in a thread that a process may end in spite of.

    Reads happen one after another. What a read found that nobody waited for any more is kept
    for the next one, so that a read under a timeout loses nothing.
    """

    _made: StandardInput | None = None

    def __init__(self, stdin: TextIO) -> None:
        self._for = stdin
        self._source = Pushback(_reopened(stdin))
        self._wanted: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="llmspell-stdin", daemon=True).start()

    @classmethod
    def shared(cls) -> StandardInput:
        """The one of this process, made on first use."""
        if cls._made is None or cls._made._for is not sys.stdin:
            cls._made = cls(sys.stdin)
        return cls._made

    async def read(self, how: str | int | float) -> str | None:
        """One read; see `Streams.read`."""
        request = _Request(how)
        self._wanted.put(request)
        text = await request.future
        if text is not None and isinstance(how, str) and how.lstrip("*")[:1] in ("l", ""):
            return text.removesuffix("\n")
        return text

    def _serve(self) -> None:
        while True:
            request = self._wanted.get()
            if request.future.cancelled():
                continue
            try:
                text = read_raw(self._source, request.how)
            except (OSError, ValueError) as error:
                request.deliver(None, error)
                continue
            if not request.deliver(text) and text:
                self._source.unread(text)


class _Request:
    def __init__(self, how: str | int | float) -> None:
        self.how = how
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[str | None] = self._loop.create_future()

    def deliver(self, text: str | None, error: Exception | None = None) -> bool:
        """Hand the text over, from the reading thread; whether somebody took it."""
        taken = threading.Event()
        seen = threading.Event()

        def hand_over() -> None:
            if not self.future.cancelled():
                taken.set()
                if error is None:
                    self.future.set_result(text)
                else:
                    self.future.set_exception(error)
            seen.set()

        try:
            self._loop.call_soon_threadsafe(hand_over)
        except RuntimeError:
            return False  # the loop is closed
        while not seen.wait(1):
            if self._loop.is_closed():
                return False
        return taken.is_set()


def _reopened(stdin: TextIO) -> TextIO:
    """The same input in a file object of our own.

    A thread may still be reading when the interpreter ends; it must not hold the lock of
    `sys.stdin` then. Bytes that are no UTF-8 stay what they are.
    """
    try:
        descriptor = os.dup(stdin.fileno())
    except (OSError, ValueError, AttributeError):
        return stdin
    newline = None if os.name == "nt" else "\n"
    return os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape", newline=newline)

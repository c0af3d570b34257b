"""Server-sent events: the `data` of each event out of bytes that come in any pieces."""

from __future__ import annotations

import codecs

MAX_EVENT_BYTES = 16 * 1024 * 1024


class EventTooLarge(ValueError):  # noqa: N818 - says what happened, not that it is an error class
    """An event larger than any answer can be."""


class EventStream:
    """Feed it bytes, get the data of the events that are complete.

    Lines are decoded whole, so a character split between two pieces stays one. Comments
    (keep-alive) and fields other than `data` are skipped.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._size = 0
        self._begun = False

    def feed(self, piece: bytes) -> list[str]:
        """The events that this piece completes."""
        self._rest += piece
        if b"\n" not in piece and b"\r" not in piece:
            self._check(len(self._rest))
            return []
        text = self._rest
        # A lone \r at the end may be the first half of \r\n.
        held = b"\r" if text.endswith(b"\r") else b""
        lines = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, rest = lines.split(b"\n")
        self._rest = rest + held
        events: list[str] = []
        for line in whole:
            self._line(line, events)
        return events

    def end(self) -> list[str]:
        """The events that only the end of the stream completes."""
        events: list[str] = []
        self._line(self._rest.rstrip(b"\r"), events)
        self._line(b"", events)
        self._rest = b""
        return events

    def _line(self, line: bytes, events: list[str]) -> None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(codecs.BOM_UTF8)
        if not line:
            if self._data:
                events.append("\n".join(self._data))
                self._data, self._size = [], 0
            return
        name, _, value = line.partition(b":")
        if name != b"data":
            return
        self._check(self._size + len(value))
        self._size += len(value)
        self._data.append(value.removeprefix(b" ").decode("utf-8", errors="replace"))

    @staticmethod
    def _check(size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise EventTooLarge(f"an event of more than {MAX_EVENT_BYTES} bytes")

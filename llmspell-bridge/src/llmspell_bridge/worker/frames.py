"""The frames between a worker and its host: 4 bytes of length (little-endian), then a JSON array.

    to the worker   ["start", options]  ["run", id, source, name, mode]  ["invoke", id, fn, args]
                    ["answer", id, ok, value]  ["cancel", id]  ["release", [fn, ...]]  ["close"]
    to the host     ["ready", layers]  ["call", id, target, method, args, origin]  ["cancel", id]
                    ["done", id, ok, value]  ["write", stream, text]  ["log", records]
                    ["drop", [handle, ...]]  ["unhandled", error]  ["busy", place]
                    ["idle", number of runs and invocations so far]

Values, arguments, options and errors are JSON text inside a string: who passes them on need not
read them. Standard library only: the worker imports this, and neither side trusts the other's
lengths.
"""

from __future__ import annotations

from llmspell_core.script.jsontext import dumps, loads, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: How a worker ends when no memory is left, and when it meets what it does not expect.
EXIT_MEMORY = 86
EXIT_FAILED = 87

#: What the host accepts, by kind: the types of its fields, the kind included.
GUEST_FRAMES: dict[str, frozenset[tuple[type, ...]]] = {
    "ready": frozenset({(str, list)}),
    "call": frozenset({(str, int, str, str, str, int), (str, int, int, str, str, int)}),
    "cancel": frozenset({(str, int)}),
    "done": frozenset({(str, int, bool, str)}),
    "write": frozenset({(str, str, str)}),
    "log": frozenset({(str, str)}),
    "drop": frozenset({(str, list)}),
    "unhandled": frozenset({(str, str)}),
    "busy": frozenset({(str, str)}),
    "idle": frozenset({(str, int)}),
}


class FrameError(ValueError):
    """The other side sent what is no frame."""


def encode(*frame: object) -> bytes:
    """One frame."""
    text = dumps(frame).encode("ascii")
    return len(text).to_bytes(4, "little") + text


def encode_call(call_id: int, target: str | int, method: str, args: str, origin: int) -> bytes:
    """A ``call`` frame, put together by hand: half the time of a round trip's encoding."""
    at = target if type(target) is int else quote(str(target))
    text = f'["call",{call_id},{at},{quote(method)},{quote(args)},{origin}]'.encode("ascii")
    return len(text).to_bytes(4, "little") + text


def encode_answer(call_id: int, ok: bool, value: str) -> bytes:
    """An ``answer`` frame."""
    text = f'["answer",{call_id},{"true" if ok else "false"},{quote(value)}]'.encode("ascii")
    return len(text).to_bytes(4, "little") + text


class Reader:
    """Cuts a stream of bytes into frames."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[list[Any]]:
        """The frames that are complete now. FrameError when one is too long or no array."""
        buffer = self._buffer
        if not buffer and len(data) - 4 == int.from_bytes(data[:4], "little") <= self._most:
            yield parse(data[4:])  # one whole frame, as nearly always
            return
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= 4:  # noqa: PLR2004 - the length
                length = int.from_bytes(buffer[start : start + 4], "little")
                if length > self._most:
                    raise FrameError(f"a frame of {length} bytes")
                end = start + 4 + length
                if len(buffer) < end:
                    break
                text = buffer[start + 4 : end]
                start = end
                yield parse(text)
        finally:
            del buffer[:start]

    @property
    def rest(self) -> int:
        """Bytes of a frame that is not complete."""
        return len(self._buffer)


def parse(text: bytes | bytearray) -> list[Any]:
    """The array of one frame."""
    try:
        frame = loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"no JSON: {type(error).__name__}") from None
    if not isinstance(frame, list) or not frame or not isinstance(frame[0], str):
        raise FrameError("no frame")
    return frame


def check_guest(frame: list[Any]) -> None:
    """FrameError unless this is a frame that a worker may send."""
    known = GUEST_FRAMES.get(frame[0])
    if known is None:
        raise FrameError(f"unknown frame {frame[0][:20]!r}")
    if tuple(map(type, frame)) not in known:
        raise FrameError(f"{frame[0]} with fields of the wrong types")

"""Where a script's standard streams go: to the process's own, or captured in memory."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TextIO

from llmspell_core.errors import ScriptError


class Streams:
    """`write` for ``stdout`` and ``stderr``, `read` for standard input."""

    def write(self, stream: str, text: str) -> None:
        """Write a block of text; called in the order the script wrote."""
        target = sys.stderr if stream == "stderr" else sys.stdout
        # Bytes that a Lua string held as surrogates must reach the pipe as they were.
        raw = getattr(target, "buffer", None)
        if raw is None:
            target.write(text)
        else:
            raw.write(text.encode("utf-8", "surrogateescape"))
            raw.flush()
        target.flush()

    async def read(self, how: str | int | float) -> str | None:
        """Read from standard input; None at its end.

        Args:
            how: "l" a line, "L" with its end, "a" all, "n" a number, or how many characters
        """
        return await asyncio.to_thread(read_from, sys.stdin, how)


class CapturedStreams(Streams):
    """Keeps what is written; standard input is a given text."""

    def __init__(self, stdin: str = "", *, max_bytes: int = 0) -> None:
        import io

        self._in = io.StringIO(stdin)
        self._parts: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._left = max_bytes or None

    def write(self, stream: str, text: str) -> None:
        if self._left is not None:
            self._left -= len(text)
            if self._left < 0:
                raise ScriptError(
                    "the script wrote more than its output limit",
                    code="script.output_limit",
                    hint="raise [security.limits] output_mb, or write to a file",
                )
        self._parts[stream].append(text)

    async def read(self, how: str | int | float) -> str | None:
        return read_from(self._in, how)

    @property
    def stdout(self) -> str:
        """What was written to standard output."""
        return "".join(self._parts["stdout"])

    @property
    def stderr(self) -> str:
        """What was written to standard error."""
        return "".join(self._parts["stderr"])


class EmptyInput(Streams):
    """The process's own output; input at its end (the script itself came from stdin)."""

    async def read(self, how: str | int | float) -> str | None:
        return "" if how == "a" else None


def read_from(source: TextIO, how: str | int | float) -> str | None:
    """One read in Lua's terms; see `Streams.read`."""
    if isinstance(how, (int, float)):
        text = source.read(max(0, int(how)))
        return text if text or how == 0 else None
    how = how.lstrip("*")[:1]
    if how == "a":
        return source.read()
    if how == "n":
        return _number(source)
    line = source.readline()
    if not line:
        return None
    return line if how == "L" else line.removesuffix("\n")


def _number(source: TextIO) -> str | None:
    taken = ""
    while (char := source.read(1)) and char.isspace():
        pass
    while char and (char.isalnum() or char in "+-.") and len(taken) < 200:  # noqa: PLR2004
        taken += char
        char = source.read(1)
    return taken or None


Write = Callable[[str, str], None]

"""Where a script's standard streams go: to the process's own, or captured in memory."""

from __future__ import annotations

import io
import sys

from llmspell_bridge.reading import StandardInput, read_from
from llmspell_core.errors import ScriptError


class Streams:
    """`write` for ``stdout`` and ``stderr``, `read` for standard input."""

    def bound(self, most: int) -> None:
        """Keep at most so many bytes in memory; 0 is no limit."""

    def write(self, stream: str, text: str) -> None:
        """Write a block of text; called in the order the script wrote."""
        target = sys.stderr if stream == "stderr" else sys.stdout
        raw = getattr(target, "buffer", None)
        if raw is None:
            target.write(text)
        else:
            raw.write(_bytes(text))
            raw.flush()
        target.flush()

    async def read(self, how: str | int | float) -> str | None:
        """Read from standard input; None at its end.

        Args:
            how: "l" a line, "L" with its end, "a" all, "n" a number, or how many characters
        """
        return await StandardInput.shared().read(how)


class CapturedStreams(Streams):
    """Keeps what is written; standard input is a given text.

    Args:
        stdin: what the script reads
        max_bytes: how much is kept; the profile's `output_mb` when left out
    """

    def __init__(self, stdin: str = "", *, max_bytes: int = 0) -> None:
        self._in = io.StringIO(stdin, newline="\n")
        self._parts: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._left = max_bytes or None

    def bound(self, most: int) -> None:
        if self._left is None and most:
            self._left = most

    def write(self, stream: str, text: str) -> None:
        if self._left is not None:
            self._left -= len(_bytes(text))
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


def _bytes(text: str) -> bytes:
    """Text as a pipe gets it: bytes that a script held as surrogates as they were."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")

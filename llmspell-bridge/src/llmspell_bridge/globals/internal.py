"""Targets that only an engine's prelude calls: timers, standard input, gated files."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any, TextIO, cast

from llmspell_bridge.reading import read_from
from llmspell_bridge.streams import Streams
from llmspell_core.errors import LimitError, LLMSpellError, PolicyError
from llmspell_core.script.api import ScriptGlobal, script_method

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

MAX_SLEEP_MS = 86_400_000.0
MAX_OPEN_FILES = 64


class Timers(ScriptGlobal):
    """`Async.sleep` of the preludes."""

    name = "Async"

    @script_method
    async def sleep(self, ms: float) -> None:
        """Wait `ms` milliseconds."""
        await asyncio.sleep(max(0.0, min(ms, MAX_SLEEP_MS)) / 1000)


class StandardInput(ScriptGlobal):
    """`io.read` and `stdin` of the preludes."""

    name = "stdin"

    def __init__(self, ctx: ExecutionContext, streams: Streams) -> None:
        super().__init__(ctx)
        self._streams = streams

    @script_method
    async def read(self, how: Any = "l") -> str | None:
        """Read a line ("l", "L"), all ("a"), a number ("n") or that many characters."""
        return await self._streams.read(how)


class GatedFiles(ScriptGlobal):
    """`io.open` of the preludes, through the file gate. Files are handles of this session."""

    name = "io"

    def __init__(self, ctx: ExecutionContext) -> None:
        super().__init__(ctx)
        self._files: dict[int, TextIO] = {}
        self._next = 0
        self._closed = False

    @script_method
    async def open(self, path: str, mode: str = "r") -> int:
        """Open a file of the policy; modes as in C (`r w a`, with `+` and `b`)."""
        if mode.strip("rwab+") or not mode or mode[0] not in "rwa":
            raise LLMSpellError(f'unknown file mode "{mode}"', code="input.invalid")
        if len(self._files) >= MAX_OPEN_FILES:
            raise LimitError(f"more than {MAX_OPEN_FILES} open files", code="limit.open_files")
        binary = mode.replace("b", "") + "b"
        opened = await asyncio.to_thread(self.ctx.policy.files.open, path, binary)
        if self._closed:
            opened.close()  # the run has ended meanwhile
            raise PolicyError("the script has ended", code="io.closed")
        self._next += 1
        self._files[self._next] = _text(opened)
        return self._next

    @script_method
    async def read(self, file: int, how: Any = "l") -> str | None:
        """Read from an open file; see `stdin.read`."""
        return await asyncio.to_thread(read_from, self._file(file), how)

    @script_method
    async def write(self, file: int, text: str) -> None:
        """Write to an open file."""
        await asyncio.to_thread(self._file(file).write, text)

    @script_method
    async def seek(self, file: int, whence: str = "cur", offset: int = 0) -> int:
        """Move in an open file; the new position in bytes."""
        origin = {"set": 0, "cur": 1, "end": 2}.get(whence)
        if origin is None:
            raise LLMSpellError('whence is "set", "cur" or "end"', code="input.invalid")
        opened = self._file(file)
        if origin == 1:
            return opened.seek(opened.tell() + offset)
        if origin == 2:  # noqa: PLR2004 - as in the table above
            return opened.seek(max(0, opened.seek(0, 2) + offset))
        return opened.seek(offset)

    @script_method
    async def flush(self, file: int) -> None:
        """Write out what is buffered."""
        await asyncio.to_thread(self._file(file).flush)

    @script_method
    async def close(self, file: int) -> None:
        """Close an open file."""
        opened = self._files.pop(file, None)
        if opened is not None:
            await asyncio.to_thread(opened.close)

    def close_all(self) -> None:
        """Close what the script left open; nothing can be opened any more."""
        self._closed = True
        for opened in self._files.values():
            opened.close()
        self._files.clear()

    def _file(self, file: int) -> TextIO:
        try:
            return self._files[file]
        except KeyError:
            raise PolicyError("the file is closed", code="io.closed") from None


def _text(opened: Any) -> TextIO:
    if isinstance(opened, io.TextIOBase):
        return cast(TextIO, opened)
    return io.TextIOWrapper(opened, encoding="utf-8", errors="surrogateescape", newline="")

"""Media files on their way to a helper process and back: read and written through the gate."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.tool import ToolParameters
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import needed, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: The largest file that is read, and made.
MOST_BYTES = 64 * 1024 * 1024
#: Decoded pictures and the libraries themselves take more than other work does.
_MEMORY_MB = 2048


class MediaParameters(ToolParameters):
    """The file, what to make of it, and where to put that."""

    aliases: ClassVar[dict[str, str]] = {
        "path": "file_path",
        "file": "file_path",
        "input": "file_path",
        "input_path": "file_path",
        "source": "source_path",
        "output_path": "target_path",
        "target": "target_path",
        "format": "target_format",
        "timestamp": "timestamp_seconds",
    }

    file_path: str | None = Field(None, min_length=1, description="The file")
    source_path: str | None = Field(
        None, min_length=1, description="Another name of file_path, where something is written"
    )
    target_path: str | None = Field(
        None, min_length=1, description="The file to write; an existing one is replaced"
    )
    timeout_ms: float = Field(
        60_000, gt=0, le=600_000, description="How long it may take, in milliseconds"
    )

    @property
    def source(self) -> str | None:
        """The file to read, by either of its names."""
        return self.source_path or self.file_path


def check_paths(tool: str, params: MediaParameters, operation: str, *, writes: bool) -> None:
    """Raise `input.invalid` when the file to read, or the one to write, is not named."""
    if params.source is None:
        needed(tool, operation, **{"source_path" if writes else "file_path": None})
    if writes:
        needed(tool, operation, target_path=params.target_path)


async def worked(
    params: MediaParameters, ctx: ToolContext, function: str, *, writes: bool, **options: Any
) -> dict[str, Any]:
    """What a function of a helper process says about a file, and writes.

    It gets the file in base64 and the options; it gives `info`, and `data` in base64.
    """
    tool = ctx.tool.name
    operation: str = getattr(params, "operation", "")
    if writes:
        # Refused before the work rather than after it.
        ctx.files.resolve(params.target_path or "", "write")
    data = await asyncio.to_thread(_read, ctx, params.source or "")
    options = {"operation": operation, "tool": tool, **options}
    reply: dict[str, Any] = await bounded(
        ctx, "the file", function, data, options, timeout_ms=params.timeout_ms, memory_mb=_MEMORY_MB
    )
    info: dict[str, Any] = reply["info"]
    if writes:
        made = base64.b64decode(reply["data"])
        size = await asyncio.to_thread(ctx.files.write_bytes, params.target_path or "", made)
        info = {"path": params.target_path, **info, "size": size}
    return info


def _read(ctx: ToolContext, path: str) -> str:
    return base64.b64encode(ctx.files.read_bytes(path, MOST_BYTES)).decode("ascii")


def target_format(
    tool: str, given: str | None, path: str | None, formats: dict[str, str], fallback: str = ""
) -> str:
    """The format to write: the one named, else what the target's extension means.

    Args:
        tool: its name, for errors
        given: the format named
        path: the target
        formats: names and extensions, and the format that each stands for
        fallback: where the target has no extension
    """
    if given is not None:
        name = given.strip().lower().lstrip(".")
        if name not in formats:
            raise wrong(tool, "target_format", _unknown(given, formats))
        return formats[name]
    stem, _, extension = (path or "").replace("\\", "/").rpartition("/")[2].rpartition(".")
    extension = extension.lower() if stem else ""
    if not extension and fallback:
        return fallback
    if extension not in formats:
        message = f"does not say which format to write: {_unknown(extension, formats)}"
        raise wrong(tool, "target_path", message, hint="give target_format")
    return formats[extension]


def _unknown(given: str, formats: dict[str, str]) -> str:
    return f'must be one of {", ".join(formats)}, not "{given[:40]}"'

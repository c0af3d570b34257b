"""Files that a line of a chat names as `@path`: text goes into the message, media beside it."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ValidationError

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

MAX_TEXT_KIB = 256
_NAMED = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"]+)"|(?P<plain>\S+))')
_MEDIA = ("image/", "audio/", "application/pdf")


def named_files(line: str) -> list[str]:
    """The files that a line names; what is no file here stays what it is."""
    found: list[str] = []
    for match in _NAMED.finditer(line):
        name = match["quoted"] or match["plain"].rstrip(".,;:!?")
        if Path(name).expanduser().is_file() and name not in found:
            found.append(name)
    return found


def missing_files(line: str) -> list[str]:
    """What reads like the name of a file, a folder or something else that is no file here."""
    names = [match["quoted"] or match["plain"].rstrip(".,;:!?") for match in _NAMED.finditer(line)]
    return [
        name
        for name in dict.fromkeys(names)
        if ("/" in name or "." in name) and not Path(name).expanduser().is_file()
    ]


async def with_attachments(line: str, ctx: ExecutionContext) -> dict[str, Any]:
    """The input that a line means: `{text, attachments}`.

    Files are read through the file gate. Raises `policy.*` for a file that may not be read, and
    `input.invalid` for one that is no text, image or sound, or that is too large.
    """
    texts, media = [], []
    for name in named_files(line):
        path = str(Path(name).expanduser())
        if (mimetypes.guess_type(path)[0] or "").startswith(_MEDIA):
            media.append({"path": path})
        else:
            texts.append(f'<file name="{name}">\n{await _text(path, ctx)}\n</file>')
    text = "\n\n".join([line, *texts])
    return {"text": text, "attachments": media} if media else {"text": text}


async def _text(path: str, ctx: ExecutionContext) -> str:
    data = await asyncio.to_thread(ctx.policy.files.read_bytes, path)
    if len(data) > MAX_TEXT_KIB * 1024:
        raise ValidationError(
            f"@{path} is larger than {MAX_TEXT_KIB} KiB", hint="name a part of it in a smaller file"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValidationError(
            f"@{path} is no text, image or sound", hint="convert it to text first"
        )
    return text

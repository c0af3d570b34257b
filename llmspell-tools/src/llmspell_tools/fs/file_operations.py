"""The tool `file-operations`: reads, writes, lists, copies, moves and removes files."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from llmspell_core.schema import describe
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import MAX_SIZE, Spelled, check_size, needed, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MOST_FILES = 10_000


def _content(value: Any) -> str | bytes:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (str, bytes)):
        return value
    raise ValueError(f"must be a string, not {describe(value)}")


Content = Annotated[Any, PlainValidator(_content), WithJsonSchema({"type": "string"})]


class FileParameters(ToolParameters):
    """A file and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "content": "input",
        "file": "path",
        "file_path": "path",
        "source": "source_path",
        "from": "source_path",
        "target": "target_path",
        "to": "target_path",
        "destination": "target_path",
    }

    operation: Annotated[
        Literal[
            "read",
            "write",
            "append",
            "delete",
            "create_dir",
            "list_dir",
            "copy",
            "move",
            "metadata",
            "exists",
        ],
        Spelled(
            mkdir="create_dir",
            ls="list_dir",
            list="list_dir",
            cp="copy",
            mv="move",
            rename="move",
            stat="metadata",
            remove="delete",
            rm="delete",
        ),
    ] = Field(description="What to do. Writing makes missing directories and is atomic")
    path: str | None = Field(
        None, description="The file or directory, relative to the working directory or absolute"
    )
    input: Content | None = Field(None, description="write, append: the text to write")
    source_path: str | None = Field(None, description="copy, move: from where")
    target_path: str | None = Field(None, description="copy, move: to where")
    recursive: bool = Field(
        False, description="list_dir, delete, copy: also everything inside of directories"
    )
    encoding: str = Field(
        "utf-8", description="The text's encoding; base64 reads and writes bytes as base64"
    )
    backup: bool = Field(
        False, description="write: keep what was there before as a copy with .bak added"
    )


class FileOperations(Tool):
    """Reads, writes, lists, copies, moves and removes files."""

    name = "file-operations"
    description = (
        "Reads, writes, appends to, lists, copies, moves or deletes files and directories that "
        "the security policy allows."
    )
    category = "fs"
    security_level = "restricted"
    permissions = Permissions(files="read and write the paths given")
    destructive = True
    Parameters = FileParameters
    timeout_ms = 60_000
    examples = (
        (
            {"operation": "write", "path": "output/note.txt", "input": "hello"},
            "wrote 5 bytes to output/note.txt",
        ),
        ({"operation": "read", "path": "output/note.txt"}, "hello"),
        ({"operation": "exists", "path": "output/note.txt"}, "true"),
        ({"operation": "list_dir", "path": "output"}, "the files in output with their sizes"),
        (
            {"operation": "cp", "source_path": "output/note.txt", "target_path": "output/b.txt"},
            "copied output/note.txt to output/b.txt",
        ),
        ({"operation": "delete", "path": "output/b.txt"}, "deleted output/b.txt"),
    )

    async def run_tool(self, params: FileParameters, ctx: ToolContext) -> ToolResult:
        if params.operation in ("copy", "move"):
            params.source_path = params.source_path or params.path
            needed(
                self.name,
                params.operation,
                source_path=params.source_path,
                target_path=params.target_path,
            )
        else:
            needed(self.name, params.operation, path=params.path)
        if params.operation in ("write", "append"):
            needed(self.name, params.operation, input=params.input)
        return await asyncio.to_thread(_OPERATIONS[params.operation], params, ctx)


def _read(params: FileParameters, ctx: ToolContext) -> ToolResult:
    path = params.path or ""
    data = ctx.files.read_bytes(path, MAX_SIZE)
    if params.encoding == "base64":
        text = base64.b64encode(data).decode()
    else:
        text = _decoded(data, path, params.encoding)
    return ToolResult({"text": text, "path": path, "size": len(data)}, output=text, text=text)


def _decoded(data: bytes, path: str, encoding: str) -> str:
    try:
        # A byte order mark is no part of the text.
        return data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise wrong("file-operations", "encoding", f'is unknown: "{encoding}"') from None
    except ValueError:
        raise wrong(
            "file-operations",
            "path",
            f"{path} is no {encoding} text",
            hint='name its encoding, or read it with encoding = "base64"',
        ) from None


def _encoded(params: FileParameters) -> bytes:
    given: Any = params.input
    if isinstance(given, bytes):
        return given
    check_size("file-operations", len(given))
    try:
        if params.encoding == "base64":
            return base64.b64decode(given, validate=True)
        encoded: bytes = given.encode(params.encoding)
    except LookupError:
        raise wrong("file-operations", "encoding", f'is unknown: "{params.encoding}"') from None
    except (ValueError, binascii.Error):
        raise wrong("file-operations", "input", f"is not writable as {params.encoding}") from None
    return encoded


def _write(params: FileParameters, ctx: ToolContext) -> ToolResult:
    path, data = params.path or "", _encoded(params)
    appending = params.operation == "append"
    result: dict[str, Any] = {"path": path, "bytes": len(data)}
    if params.backup and not appending and ctx.files.exists(path):
        result["backup_path"] = f"{path}.bak"
        ctx.files.copy(path, result["backup_path"])
    ctx.files.write_bytes(path, data, append=appending)
    verb = "appended" if appending else "wrote"
    return ToolResult(result, text=f"{verb} {len(data)} bytes to {path}")


def _delete(params: FileParameters, ctx: ToolContext) -> ToolResult:
    path = params.path or ""
    ctx.files.remove(path, recursive=params.recursive)
    return ToolResult({"path": path, "deleted": True}, text=f"deleted {path}")


def _create_dir(params: FileParameters, ctx: ToolContext) -> ToolResult:
    path = params.path or ""
    ctx.files.mkdir(path)
    return ToolResult({"path": path, "created": True}, text=f"made the directory {path}")


def _list_dir(params: FileParameters, ctx: ToolContext) -> ToolResult:
    found = (
        ctx.files.walk(params.path or ".")
        if params.recursive
        else ctx.files.list(params.path or ".")
    )
    files: list[dict[str, Any]] = []
    truncated = False
    for info in found:
        if len(files) == _MOST_FILES:
            truncated = True
            break
        files.append(info.to_dict())
    result: dict[str, Any] = {"files": files, "count": len(files)}
    if truncated:
        result["truncated"] = True
    lines = [
        f"{one['path'] if params.recursive else one['name']}{'/' if one['is_dir'] else ''}"
        + ("" if one["is_dir"] else f"  {one['size']} bytes")
        for one in files
    ]
    return ToolResult(result, output=files, text="\n".join(lines) or "empty")


def _copy(params: FileParameters, ctx: ToolContext) -> ToolResult:
    source, target = params.source_path or "", params.target_path or ""
    count = ctx.files.copy(source, target, recursive=params.recursive)
    result = {"source_path": source, "target_path": target, "files_copied": count}
    return ToolResult(result, text=f"copied {source} to {target}")


def _move(params: FileParameters, ctx: ToolContext) -> ToolResult:
    source, target = params.source_path or "", params.target_path or ""
    ctx.files.move(source, target)
    result = {"source_path": source, "target_path": target}
    return ToolResult(result, text=f"moved {source} to {target}")


def _metadata(params: FileParameters, ctx: ToolContext) -> ToolResult:
    info = ctx.files.stat(params.path or "")
    kind = "directory" if info.is_dir else f"file of {info.size} bytes"
    return ToolResult(info.to_dict(), text=f"{params.path}: {kind}, changed {info.modified}")


def _exists(params: FileParameters, ctx: ToolContext) -> ToolResult:
    exists = ctx.files.exists(params.path or "")
    return ToolResult({"exists": exists}, output=exists)


_OPERATIONS: dict[str, Callable[[FileParameters, ToolContext], ToolResult]] = {
    "read": _read,
    "write": _write,
    "append": _write,
    "delete": _delete,
    "create_dir": _create_dir,
    "list_dir": _list_dir,
    "copy": _copy,
    "move": _move,
    "metadata": _metadata,
    "exists": _exists,
}

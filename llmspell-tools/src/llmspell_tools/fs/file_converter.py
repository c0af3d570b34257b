"""The tool `file-converter`: changes encoding, line endings or indentation of a text file."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import MAX_SIZE, Spelled
from llmspell_tools.fs._encoding import Decoded, codec, decode, encode

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_ANY_END = re.compile(r"\r\n|\r|\n")
_INDENT = re.compile(r"(?:(?<=\n)|(?<=\r)|\A)[ \t]+")


class ConvertParameters(ToolParameters):
    """A text file and what to change in it."""

    operation: Annotated[
        Literal["encoding", "line_endings", "indentation"],
        Spelled(
            charset="encoding",
            line_ending="line_endings",
            newlines="line_endings",
            eol="line_endings",
            indent="indentation",
            tabs="indentation",
        ),
    ] = Field(description="What to change; everything else stays as it is")
    path: str = Field(min_length=1, description="The text file to read")
    target_path: str | None = Field(
        None, description="The file to write; left out, `path` itself is replaced"
    )
    from_encoding: str | None = Field(
        None, description="The encoding of the file; left out, it is told by the content"
    )
    to_encoding: str | None = Field(
        None, description="The encoding to write (encoding: utf-8; else as it was)"
    )
    line_ending: Annotated[
        Literal["lf", "crlf", "cr"],
        Spelled(unix="lf", linux="lf", windows="crlf", dos="crlf", mac="cr"),
    ] = Field("lf", description="line_endings: lf (Unix), crlf (Windows) or cr")
    convert_to_spaces: bool = Field(
        True, description="indentation: tabs to spaces; false: spaces to tabs"
    )
    tab_size: int = Field(4, ge=1, le=16, description="indentation: spaces that a tab stands for")

    aliases: ClassVar[dict[str, str]] = {
        "input": "path",
        "file": "path",
        "file_path": "path",
        "input_path": "path",
        "source_path": "path",
        "output_path": "target_path",
        "target": "target_path",
        "encoding": "to_encoding",
        "to_spaces": "convert_to_spaces",
    }


class FileConverter(Tool):
    """Changes the form of text files."""

    name = "file-converter"
    description = (
        "Converts a text file to another encoding, other line endings, or between tabs and spaces; "
        "finds out the encoding that it is in."
    )
    category = "fs"
    security_level = "restricted"
    permissions = Permissions(files="read and write the paths given")
    destructive = True
    Parameters = ConvertParameters
    timeout_ms = 60_000
    examples = (
        (
            {
                "operation": "line_endings",
                "path": "logs/a.log",
                "target_path": "output/a.log",
                "line_ending": "crlf",
            },
            "wrote output/a.log with Windows line endings",
        ),
        (
            {"operation": "encoding", "path": "logs/a.log", "to_encoding": "utf-16",
             "target_path": "output/b.log"},
            "wrote output/b.log in UTF-16",
        ),
        (
            {"operation": "indentation", "path": "logs/a.log", "convert_to_spaces": False,
             "target_path": "output/c.log"},
            "wrote output/c.log, indented by tabs",
        ),
    )  # fmt: skip

    async def run_tool(self, params: ConvertParameters, ctx: ToolContext) -> ToolResult:
        return await asyncio.to_thread(self._work, params, ctx)

    def _work(self, params: ConvertParameters, ctx: ToolContext) -> ToolResult:
        given = params.from_encoding
        source = None if given is None else codec(self.name, "from_encoding", given)
        wanted = params.to_encoding or ("utf-8" if params.operation == "encoding" else None)
        goal = None if wanted is None else codec(self.name, "to_encoding", wanted)
        data = ctx.files.read_bytes(params.path, MAX_SIZE)
        old = decode(self.name, data, source)
        text, more = self._changed(old, params)
        if len(text) > MAX_SIZE:
            raise _too_large()
        if goal is None:
            made, goal = old.mark + encode(self.name, text, old.encoding), old.encoding
        else:
            made = encode(self.name, text, goal)
        target = params.target_path or params.path
        changed = made != data
        if changed or params.target_path is not None:
            ctx.files.write_bytes(target, made)
        result = {
            "path": params.path,
            "target_path": target,
            "from_encoding": old.encoding,
            "detected": source is None,
            "to_encoding": goal,
            **more,
            "size": len(made),
            "changed": changed,
        }
        text = (
            f"wrote {len(made)} bytes to {target}" if changed else f"{params.path} was so already"
        )
        return ToolResult(result, output=target, text=text)

    @staticmethod
    def _changed(old: Decoded, params: ConvertParameters) -> tuple[str, dict[str, Any]]:
        """The new text, and what there is to tell about it."""
        if params.operation == "line_endings":
            more = {"from_line_ending": _ending(old.text), "line_ending": params.line_ending}
            return _ANY_END.sub(_ENDS[params.line_ending], old.text), more
        if params.operation == "indentation":
            made = _indented(old.text, params.tab_size, spaces=params.convert_to_spaces)
            return made, {"convert_to_spaces": params.convert_to_spaces}
        return old.text, {}


def _ending(text: str) -> str:
    found = {end: text.count(end) for end in ("\r\n", "\r", "\n")}
    counts = {
        "crlf": found["\r\n"],
        "cr": found["\r"] - found["\r\n"],
        "lf": found["\n"] - found["\r\n"],
    }
    names = [name for name, count in counts.items() if count]
    return names[0] if len(names) == 1 else "mixed" if names else "none"


def _indented(text: str, size: int, *, spaces: bool) -> str:
    grown = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal grown
        width = len(match[0].expandtabs(size))
        grown += width
        if grown > 2 * MAX_SIZE:
            raise _too_large()
        return " " * width if spaces else "\t" * (width // size) + " " * (width % size)

    return _INDENT.sub(replaced, text)


def _too_large() -> LimitError:
    return LimitError("file-converter: the result is too large", code="limit.value")

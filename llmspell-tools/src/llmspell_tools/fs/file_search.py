"""The tool `file-search`: finds a text or a pattern in the files of a directory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.errors import LLMSpellError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import MAX_SIZE, Names, wrong
from llmspell_tools._regex import Pattern, literal

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.files import FileInfo

_MOST_MATCHES = 10_000
_LONGEST_LINE = 1_000
_BATCH = 100
_SNIFFED = 8_192


class SearchParameters(ToolParameters):
    """What to look for and where."""

    aliases: ClassVar[dict[str, str]] = {
        "input": "pattern",
        "query": "pattern",
        "text": "pattern",
        "directory": "path",
        "regex": "use_regex",
        "file_types": "include_extensions",
        "extensions": "include_extensions",
    }

    pattern: str = Field(
        min_length=1, description="The text to find; with use_regex a regular expression (RE2)"
    )
    path: str = Field(".", description="The directory or file to search")
    recursive: bool = Field(True, description="Also search the directories inside")
    case_sensitive: bool = Field(True, description="Whether capitals matter")
    use_regex: bool = Field(False, description="Read the pattern as a regular expression")
    context_lines: int = Field(
        0, ge=0, le=20, description="How many lines before and after each match to give"
    )
    include_extensions: Names = Field(
        default_factory=list, description="Only files that end so: md, txt"
    )
    exclude_extensions: Names = Field(
        default_factory=list, description="No files that end so: min.js"
    )
    exclude_dirs: Names = Field(
        default_factory=lambda: [".git", "node_modules", "__pycache__", ".venv", "target"],
        description="Names of directories to leave out",
    )
    max_file_size: int = Field(
        10 * 1024 * 1024, ge=1, le=MAX_SIZE, description="Leave out larger files, in bytes"
    )
    max_matches_per_file: int = Field(100, ge=1, le=_MOST_MATCHES)
    max_depth: int = Field(32, ge=1, le=64, description="How many levels of directories")


@dataclass(slots=True)
class _Found:
    matches: list[dict[str, Any]] = field(default_factory=list)
    searched: int = 0
    matched: int = 0
    skipped: int = 0
    truncated: bool = False


class FileSearch(Tool):
    """Finds text in files."""

    name = "file-search"
    description = (
        "Finds a text or regular expression in the files of a directory and gives path, line and "
        "column of each match, with lines around it if wanted."
    )
    category = "fs"
    security_level = "restricted"
    permissions = Permissions(files="read the directory given")
    Parameters = SearchParameters
    timeout_ms = 60_000
    examples = (
        (
            {"pattern": "TODO", "path": ".", "include_extensions": ["py", "lua"]},
            "each line with TODO in Python and Lua files",
        ),
        (
            {"pattern": r"error: \w+", "use_regex": True, "path": "logs", "context_lines": 1},
            "each error with a line before and after",
        ),
    )

    async def run_tool(self, params: SearchParameters, ctx: ToolContext) -> ToolResult:
        pattern = Pattern(
            self.name,
            "pattern",
            params.pattern if params.use_regex else literal(params.pattern),
            case_sensitive=params.case_sensitive,
        )
        if "\n" in params.pattern:
            raise wrong(self.name, "pattern", "must be of one line: lines are searched one by one")
        found = _Found()
        files = _files(params.path, params, ctx, found)
        while not found.truncated:
            batch = await asyncio.to_thread(_search_batch, files, pattern, params, ctx, found)
            if not batch or ctx.cancelled:
                break
            ctx.progress(found.searched, note=f"{len(found.matches)} matches")
        return _result(found)


def _search_batch(
    files: Iterator[FileInfo],
    pattern: Pattern,
    params: SearchParameters,
    ctx: ToolContext,
    found: _Found,
) -> int:
    """Search the next files; how many there were."""
    batch = list(islice(files, _BATCH))
    for info in batch:
        if found.truncated or ctx.cancelled:
            break
        try:
            data = ctx.files.read_bytes(info.path, params.max_file_size)
        except LLMSpellError:
            # Gone, grown or refused meanwhile: the others are still worth searching.
            found.skipped += 1
            continue
        if b"\0" in data[:_SNIFFED]:
            found.skipped += 1
            continue
        found.searched += 1
        _search_text(data.decode("utf-8", "replace"), info.path, pattern, params, found)
    return len(batch)


def _search_text(
    text: str, path: str, pattern: Pattern, params: SearchParameters, found: _Found
) -> None:
    lines = text.splitlines()
    in_file = 0
    for number, line in enumerate(lines):
        match = pattern.first(line)
        if match is None:
            continue
        in_file += 1
        one = {
            "path": path,
            "line": number + 1,
            "column": match.start() + 1,
            "text": line[:_LONGEST_LINE],
        }
        if params.context_lines:
            around = params.context_lines
            one["before"] = [x[:_LONGEST_LINE] for x in lines[max(0, number - around) : number]]
            one["after"] = [x[:_LONGEST_LINE] for x in lines[number + 1 : number + 1 + around]]
        found.matches.append(one)
        if len(found.matches) >= _MOST_MATCHES:
            found.truncated = True
        if found.truncated or in_file >= params.max_matches_per_file:
            break
    found.matched += bool(in_file)


def _files(
    path: str, params: SearchParameters, ctx: ToolContext, found: _Found
) -> Iterator[FileInfo]:
    """The files to search, one directory after the other."""
    start = ctx.files.stat(path)
    if not start.is_dir:
        yield start
        return
    pending = [(path, 1)]
    # A link to a directory above would be searched again and again, each time by another name.
    seen: set[str] = set()
    while pending:
        directory, depth = pending.pop()
        try:
            entries = _unseen(directory, seen, ctx)
        except LLMSpellError:
            if directory == path:
                raise
            found.skipped += 1
            continue
        inside = []
        for info in entries:
            if not info.is_dir:
                if _wanted(info, params):
                    yield info
            elif info.name not in params.exclude_dirs:
                inside.append((info.path, depth + 1))
        if not params.recursive or depth == params.max_depth:
            continue
        pending.extend(reversed(inside))


def _unseen(directory: str, seen: set[str], ctx: ToolContext) -> list[FileInfo]:
    """The entries of a directory, the first time."""
    place = str(ctx.files.resolve(directory))
    if place in seen:
        return []
    seen.add(place)
    return ctx.files.list(directory)


def _wanted(info: FileInfo, params: SearchParameters) -> bool:
    name = info.name.lower()
    if info.size > params.max_file_size or _ends(name, params.exclude_extensions):
        return False
    return not params.include_extensions or _ends(name, params.include_extensions)


def _ends(name: str, extensions: list[str]) -> bool:
    return any(name.endswith("." + one.lower().lstrip("*").lstrip(".")) for one in extensions)


def _result(found: _Found) -> ToolResult:
    result = {
        "matches": found.matches,
        "count": len(found.matches),
        "files_searched": found.searched,
        "files_matched": found.matched,
        "files_skipped": found.skipped,
        "truncated": found.truncated,
    }
    lines = [f"{one['path']}:{one['line']}: {one['text']}" for one in found.matches]
    text = "\n".join(lines) or f"no matches in {found.searched} files"
    return ToolResult(result, output=found.matches, text=text)

"""The tool `archive-handler`: makes, lists and extracts archives."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import DeadlineError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Names, Spelled, needed, wrong
from llmspell_tools.fs._archive import (
    Budget,
    Chosen,
    Member,
    base_name,
    format_by_name,
    readable,
)
from llmspell_tools.fs._archive_extract import Extracted
from llmspell_tools.fs._archive_read import format_of, members
from llmspell_tools.fs._archive_write import Source, pieces

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.files import FileInfo

_TOLD_EVERY = 100
Told = Callable[[int, str], None]


class ArchiveParameters(ToolParameters):
    """An archive and what to do with it."""

    operation: Annotated[
        Literal["create", "extract", "list"],
        Spelled(
            compress="create", pack="create", unpack="extract", decompress="extract", ls="list"
        ),
    ] = Field(description="create: pack files; extract: unpack; list: what is inside")
    archive_path: str = Field(min_length=1, description="The archive file")
    files: Names = Field(
        default_factory=list,
        description="create: files and directories to pack, inside of `source_path` if that is "
        "given. extract, list: only the members of these names",
    )
    source_path: str | None = Field(
        None, description="create: the directory whose content is packed, or one file"
    )
    include: Names = Field(
        default_factory=list, description="Only names that match one of these globs: *.txt, src/*"
    )
    exclude: Names = Field(
        default_factory=list, description="No names that match one of these globs"
    )
    target_path: str | None = Field(
        None, description="extract: the directory to unpack to; files in it are replaced"
    )
    format: (
        Annotated[
            Literal["zip", "tar", "tar.gz", "tar.zst", "gz"],
            Spelled(
                tgz="tar.gz",
                targz="tar.gz",
                tar_gz="tar.gz",
                gzip="gz",
                tzst="tar.zst",
                tar_zst="tar.zst",
                zstd="tar.zst",
            ),
        ]
        | None
    ) = Field(
        None,
        description="Left out: by the name, of what is there by its content. gz is one file",
    )

    aliases: ClassVar[dict[str, str]] = {
        "input": "archive_path",
        "archive": "archive_path",
        "path": "archive_path",
        "source": "source_path",
        "target": "target_path",
        "destination": "target_path",
        "output_path": "target_path",
    }


class ArchiveHandler(Tool):
    """Makes, lists and extracts archives."""

    name = "archive-handler"
    description = (
        "Packs files into a zip, tar, tar.gz, tar.zst or gz archive, lists what is in one, or "
        "unpacks it; links and names that lead out of the target are never followed."
    )
    category = "fs"
    security_level = "restricted"
    permissions = Permissions(files="read and write the paths given")
    destructive = True
    Parameters = ArchiveParameters
    timeout_ms = 300_000
    examples = (
        (
            {
                "operation": "create",
                "archive_path": "output/logs.zip",
                "source_path": "logs",
                "include": ["*.log"],
            },
            "packed 1 file into output/logs.zip",
        ),
        ({"operation": "list", "archive_path": "output/logs.zip"}, "a.log  25 bytes"),
        (
            {"operation": "extract", "input": "output/logs.zip", "target_path": "output/logs"},
            "unpacked 1 file into output/logs",
        ),
    )

    async def run_tool(self, params: ArchiveParameters, ctx: ToolContext) -> ToolResult:
        loop = asyncio.get_running_loop()

        def told(done: int, note: str) -> None:
            """Called in the thread; events belong to the loop."""
            if ctx.cancelled:
                raise DeadlineError(f"{self.name} takes too long", code="tool.timeout")
            if done % _TOLD_EVERY == 0:
                loop.call_soon_threadsafe(ctx.progress, done, 0, note)

        work = {"create": self._create, "extract": self._extract, "list": self._list}
        return await asyncio.to_thread(work[params.operation], params, ctx, told)

    # -- create --------------------------------------------------------------------------------

    def _create(self, params: ArchiveParameters, ctx: ToolContext, told: Told) -> ToolResult:
        kind = params.format or format_by_name(params.archive_path)
        if kind is None:
            raise wrong(self.name, "format", f'is not told by the name "{params.archive_path}"')
        if not params.files and params.source_path is None:
            needed(self.name, "create", files=None)
        sources = self._sources(params, ctx)
        if kind == "gz" and (len(sources) != 1 or sources[0].is_dir):
            raise wrong(self.name, "files", "must be one file: gz is no archive of several")

        count = itertools.count(1)

        def opened(source: Source) -> IO[bytes]:
            told(next(count), source.name)
            return ctx.files.open(source.path, "rb")

        size = ctx.files.write_chunks(params.archive_path, pieces(kind, sources, opened))
        names = [source.name for source in sources if not source.is_dir]
        result = {
            "archive_path": params.archive_path,
            "format": kind,
            "files": names,
            "count": len(names),
            "bytes": sum(source.size for source in sources),
            "size": size,
        }
        text = f"packed {_files(len(names))} into {params.archive_path}"
        return ToolResult(result, output=params.archive_path, text=text)

    def _sources(self, params: ArchiveParameters, ctx: ToolContext) -> list[Source]:
        chosen = Chosen([], params.include, params.exclude)
        own = str(ctx.files.resolve(params.archive_path, "write"))
        budget, found = Budget(0), {}
        for prefix, path in _given(params):
            for name, info in _below(prefix, path, ctx):
                if not name or info.path == own or not chosen(name):
                    continue
                if name in found and not info.is_dir:
                    raise wrong(self.name, "files", f'must not give two that are "{name}" inside')
                budget.member()
                found[name] = Source(name, info.path, info.size, info.is_dir, info.modified)
        if params.include:
            # Directories of which nothing is chosen are no part of the choice.
            found = {name: one for name, one in found.items() if not one.is_dir}
        if not found:
            raise wrong(
                self.name, "files" if params.files else "source_path", "is without anything to pack"
            )
        return [found[name] for name in sorted(found)]

    # -- list and extract ----------------------------------------------------------------------

    def _list(self, params: ArchiveParameters, ctx: ToolContext, told: Told) -> ToolResult:
        kind, found = self._scan(params, ctx, told)
        files = [member.to_dict() for member in found]
        result = {
            "files": files,
            "count": len(files),
            "total_size": sum(max(member.size, 0) for member in found),
            "format": kind,
        }
        lines = [
            one["name"] + ("/" if one["is_dir"] else f"  {one['size']} bytes") for one in files
        ]
        return ToolResult(result, output=files, text="\n".join(lines) or "empty")

    def _scan(
        self, params: ArchiveParameters, ctx: ToolContext, told: Told
    ) -> tuple[str, list[Member]]:
        """All members that take part. Every one is looked at, so that a bad one is found first."""
        chosen = Chosen(params.files, params.include, params.exclude)
        found = []
        with self._opened(params, ctx) as file, readable(params.archive_path, params.format or ""):
            kind = self._kind(params, file)
            budget = Budget(ctx.files.stat(params.archive_path).size)
            for member, content in members(file, kind, params.archive_path, budget):
                told(budget.files, member.name)
                if member.size < 0:
                    member.size = sum(map(len, content()))
                if member.name and chosen(member.name):
                    found.append(member)
        return kind, found

    @staticmethod
    def _opened(params: ArchiveParameters, ctx: ToolContext) -> IO[bytes]:
        return ctx.files.open(params.archive_path, "rb")

    def _kind(self, params: ArchiveParameters, file: IO[bytes]) -> str:
        kind = params.format or format_of(file, params.archive_path)
        if kind is None:
            raise wrong(self.name, "archive_path", "is no archive of a kind that is known")
        return kind

    def _extract(self, params: ArchiveParameters, ctx: ToolContext, told: Told) -> ToolResult:
        needed(self.name, "extract", target_path=params.target_path)
        target = params.target_path or ""
        kind, found = self._scan(params, ctx, told)
        wanted = {member.name for member in found}
        done = Extracted(target, ctx.files)
        with self._opened(params, ctx) as file, readable(params.archive_path, kind):
            again = Budget(ctx.files.stat(params.archive_path).size)
            for member, content in members(file, kind, params.archive_path, again):
                told(again.files, member.name)
                if member.name in wanted:
                    done.put(member, content, lambda: told(1, ""))
        result = {
            "files": done.files,
            "count": len(done.files),
            "bytes": done.bytes,
            "skipped": done.skipped,
            "target_path": target,
            "format": kind,
        }
        text = f"unpacked {_files(len(done.files))} into {target}"
        if done.skipped:
            text += f", left out {len(done.skipped)}"
        return ToolResult(result, output=done.files, text=text)


def _given(params: ArchiveParameters) -> Iterator[tuple[str, str]]:
    """What is to be packed: the name inside, "" for the content of a directory, and the path."""
    base = params.source_path
    if not params.files:
        yield "", base or ""
    for path in params.files:
        plain = "/".join(
            part for part in path.replace("\\", "/").split("/") if part not in ("", ".")
        )
        outside = path.startswith(("/", "\\")) or ".." in plain.split("/") or ":" in path
        name = base_name(path) if outside else plain
        alone = base is None or path.startswith(("/", "\\"))
        yield name, path if alone else f"{base}/{path}"


def _below(prefix: str, path: str, ctx: ToolContext) -> Iterator[tuple[str, FileInfo]]:
    """A file, or a directory with all that is in it, by their names inside of the archive."""
    start = ctx.files.stat(path)
    if not start.is_dir:
        yield prefix or base_name(path), start
        return
    if prefix:
        yield prefix, start
    root = ctx.files.resolve(path)
    for info in ctx.files.walk(path):
        inside = info.path[len(str(root)) :].replace("\\", "/").strip("/")
        yield f"{prefix}/{inside}" if prefix else inside, info


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"

"""The tool `pdf-processor`: text and metadata of PDF files, and their pages in new files."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Names, Spelled, needed, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: The largest file, and all files of a merge together.
_MOST_BYTES = 64 * 1024 * 1024
_WRITES = ("extract_pages", "split", "merge")


class PdfParameters(ToolParameters):
    """A PDF file and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "file_path": "input",
        "path": "input",
        "file": "input",
        "files": "input",
        "paths": "input",
        "output_path": "target_path",
        "target": "target_path",
        "first_page": "start_page",
        "last_page": "end_page",
    }

    operation: Annotated[
        Literal["extract_text", "extract_metadata", "extract_pages", "split", "merge"],
        Spelled(
            text="extract_text",
            read="extract_text",
            metadata="extract_metadata",
            info="extract_metadata",
            pages="extract_pages",
        ),
    ] = Field(
        "extract_text",
        description="extract_text; extract_metadata: title, author, pages, ...; extract_pages: "
        "some pages to `target_path`; split: each page to a file of its own; merge: several files "
        "to `target_path`",
    )
    input: Names = Field(default_factory=list, description="The file; for merge a list of files")
    start_page: int | None = Field(None, ge=1, description="The first page, from 1")
    end_page: int | None = Field(None, ge=1, description="The last page")
    pages_per_file: int = Field(1, ge=1, description="split: pages of each file")
    target_path: str | None = Field(
        None,
        min_length=1,
        description="extract_pages, merge: the file to write; split: files are named after it, "
        "out.pdf as out-1.pdf, out-2.pdf",
    )
    password: str | None = Field(None, description="Of an encrypted file")
    timeout_ms: float = Field(
        60_000, gt=0, le=600_000, description="How long it may take, in milliseconds"
    )


class PdfProcessor(Tool):
    """Reads, splits and merges PDF files."""

    name = "pdf-processor"
    description = (
        "Works on PDF files: extracts text or metadata, writes some pages to a new file, splits a "
        "file into pages, or merges files. Scanned pages have no text."
    )
    category = "document"
    security_level = "restricted"
    permissions = Permissions(files="read the files given, write the target")
    extra = "document"
    Parameters = PdfParameters
    timeout_ms = 600_000
    examples = (
        ({"operation": "extract_text", "input": "documents/report.pdf"}, "the text"),
        ({"operation": "extract_metadata", "input": "documents/report.pdf"}, "title, pages, ..."),
        (
            {
                "operation": "extract_pages",
                "input": "documents/report.pdf",
                "start_page": 2,
                "end_page": 2,
                "target_path": "output/second.pdf",
            },
            "wrote 1 page to output/second.pdf",
        ),
        (
            {
                "operation": "merge",
                "input": ["documents/report.pdf", "output/second.pdf"],
                "target_path": "output/all.pdf",
            },
            "wrote 3 pages to output/all.pdf",
        ),
    )

    async def run_tool(self, params: PdfParameters, ctx: ToolContext) -> ToolResult:
        operation = params.operation
        needed(self.name, operation, input=params.input or None)
        if operation in _WRITES:
            needed(self.name, operation, target_path=params.target_path)
            # Refused before the work rather than after it.
            await asyncio.to_thread(ctx.files.resolve, params.target_path or "", "write")
        if operation != "merge" and len(params.input) > 1:
            raise wrong(self.name, "input", f'must be one file for "{operation}"')
        documents = await asyncio.to_thread(self._read, params.input, ctx)
        names = ("start_page", "end_page", "pages_per_file", "password")
        options = {name: getattr(params, name) for name in names}
        function = "llmspell_tools.document._pdf:run"
        found = await bounded(
            ctx, "the file", function, operation, documents, options, timeout_ms=params.timeout_ms
        )
        if operation in _WRITES:
            return await asyncio.to_thread(self._write, found, params, ctx)
        return _told(operation, found)

    def _read(self, paths: list[str], ctx: ToolContext) -> list[str]:
        found, size = [], 0
        for number, path in enumerate(paths):
            data = ctx.files.read_bytes(path, _MOST_BYTES)
            size += len(data)
            if size > _MOST_BYTES:
                raise LimitError(
                    f"{self.name}: the files are larger than 64 MiB together", code="limit.value"
                )
            if b"%PDF-" not in data[:1024]:
                raise wrong(self.name, "input", f'"{path}" is no PDF')
            found.append(base64.b64encode(data).decode())
            ctx.progress(number + 1, len(paths), "read")
        return found

    def _write(self, found: dict[str, Any], params: PdfParameters, ctx: ToolContext) -> ToolResult:
        target = params.target_path or ""
        files = found["files"]
        stem = target[:-4] if target.lower().endswith(".pdf") else target
        several = params.operation == "split"
        paths = [f"{stem}-{n + 1}.pdf" for n in range(len(files))] if several else [target]
        size = 0
        for number, (path, data) in enumerate(zip(paths, files, strict=True)):
            size += ctx.files.write_bytes(path, base64.b64decode(data))
            ctx.progress(number + 1, len(files), "write")
        pages = found["page_count"]
        where = f"{len(paths)} files" if several else target
        result = {"files": paths, "count": len(paths), "page_count": pages, "size": size}
        if not several:
            result["path"] = target
        words = f"wrote {pages} page{'' if pages == 1 else 's'} to {where}"
        return ToolResult(result, output=paths if several else target, text=words)


def _told(operation: str, found: dict[str, Any]) -> ToolResult:
    if operation == "extract_metadata":
        lines = [f"{found['page_count']} pages"]
        lines += [f"{name}: {value}" for name, value in found["metadata"].items()]
        return ToolResult(found, text="\n".join(lines))
    text = "\n\n".join(page["text"] for page in found["pages"])
    return ToolResult({"text": text, **found}, output=text)

"""PDF with pypdf, in a helper process: what files of strangers make of a parser ends with it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from typing import Any

from llmspell_core.errors import ExtensionError, LimitError, LLMSpellError, ValidationError
from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported

TOOL = "pdf-processor"
#: The largest text, and the largest file that is made.
_MOST_TEXT = 16 * 1024 * 1024
_MOST_BYTES = 64 * 1024 * 1024
_MOST_FILES = 1_000

Options = dict[str, Any]


def run(operation: str, documents: list[str], options: Options) -> dict[str, Any]:
    """Do one operation on files given in base64.

    Args:
        operation: one of those of the tool
        documents: the files; all operations but merge look at the first
        options: start_page, end_page, pages_per_file, password

    Returns:
        What the tool tells; files that are made are in base64 under `files`.
    """
    pypdf = imported("pypdf", TOOL, "document")
    try:
        readers = [_reader(pypdf, data, options) for data in documents]
        return _OPERATIONS[operation](pypdf, readers, options)
    except (LLMSpellError, MemoryError):
        raise
    except pypdf.errors.DependencyError:
        raise ExtensionError(
            f"{TOOL} needs cryptography for this file, which is not installed",
            hint="pip install 'llmspell-tools[document]'",
        ) from None
    except pypdf.errors.LimitReachedError as error:
        raise LimitError(f"{TOOL}: the file is too large: {error}", code="limit.value") from None
    except Exception as error:  # noqa: BLE001 - broken files raise whatever the parser stumbles on
        words = str(error).split("\n")[0][:200] or type(error).__name__
        raise mistake(TOOL, "input", f"is no PDF that can be read: {words}") from None


def _reader(pypdf: Any, document: str, options: Options) -> Any:
    reader = pypdf.PdfReader(BytesIO(base64.b64decode(document)))
    if reader.is_encrypted and not reader.decrypt(options.get("password") or ""):
        words = "is wrong" if options.get("password") else "is required: the file is encrypted"
        raise mistake(TOOL, "password", words)
    return reader


def _range(reader: Any, options: Options) -> range:
    """The pages that are asked for, as indices."""
    count = len(reader.pages)
    first, last = options.get("start_page") or 1, options.get("end_page") or count
    if first > count:
        raise _no_page("start_page", first, count)
    if last > count:
        raise _no_page("end_page", last, count)
    if last < first:
        raise mistake(TOOL, "end_page", f"is before start_page ({first})")
    return range(first - 1, last)


def _no_page(field: str, page: int, count: int) -> ValidationError:
    return mistake(TOOL, field, f"is {page}, and the file has {count} pages")


def _text(pypdf: Any, readers: list[Any], options: Options) -> dict[str, Any]:
    reader = readers[0]
    pages, size = [], 0
    for index in _range(reader, options):
        text = reader.pages[index].extract_text().encode("utf-8", "replace").decode()
        size += len(text)
        if size > _MOST_TEXT:
            raise LimitError(f"{TOOL}: the text is larger than 16 MiB", code="limit.value")
        pages.append({"page": index + 1, "text": text})
    return {"pages": pages, "page_count": len(reader.pages)}


def _metadata(pypdf: Any, readers: list[Any], options: Options) -> dict[str, Any]:
    reader = readers[0]
    found = {
        key.lstrip("/").lower(): _plain(value) for key, value in (reader.metadata or {}).items()
    }
    for name in ("creation_date", "modification_date"):
        moment = _moment(reader.metadata, name)
        if moment is not None:
            found[name] = moment
    first = reader.pages[0].mediabox if len(reader.pages) else None
    return {
        "metadata": found,
        "page_count": len(reader.pages),
        "encrypted": bool(reader.is_encrypted),
        "pdf_version": reader.pdf_header.removeprefix("%PDF-"),
        "page_size": [float(first.width), float(first.height)] if first is not None else None,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value)[:10_000]


def _moment(metadata: Any, name: str) -> str | None:
    try:
        moment = getattr(metadata, name, None)
    except ValueError:
        return None
    return moment.isoformat() if moment is not None else None


def _pages(pypdf: Any, readers: list[Any], options: Options) -> dict[str, Any]:
    pages = _range(readers[0], options)
    return {"files": [_written(pypdf, [(readers[0], pages)])], "page_count": len(pages)}


def _split(pypdf: Any, readers: list[Any], options: Options) -> dict[str, Any]:
    pages, step = _range(readers[0], options), options.get("pages_per_file") or 1
    parts = [pages[start : start + step] for start in range(0, len(pages), step)]
    if len(parts) > _MOST_FILES:
        raise LimitError(f"{TOOL}: more than {_MOST_FILES:,} files", code="limit.value")
    files, size = [], 0
    for part in parts:
        files.append(_written(pypdf, [(readers[0], part)]))
        size += len(files[-1])
        _check(size)
    return {"files": files, "page_count": len(pages)}


def _merge(pypdf: Any, readers: list[Any], options: Options) -> dict[str, Any]:
    parts = [(reader, range(len(reader.pages))) for reader in readers]
    return {"files": [_written(pypdf, parts)], "page_count": sum(len(pages) for _, pages in parts)}


def _written(pypdf: Any, parts: list[tuple[Any, range]]) -> str:
    """The pages as a new file, which has nothing of the old ones but these."""
    writer = pypdf.PdfWriter()
    for reader, pages in parts:
        for index in pages:
            writer.add_page(reader.pages[index])
    target = BytesIO()
    writer.write(target)
    _check(len(target.getvalue()))
    return base64.b64encode(target.getvalue()).decode()


def _check(size: int) -> None:
    if size > _MOST_BYTES:
        raise LimitError(f"{TOOL}: the result is larger than 64 MiB", code="limit.value")


_OPERATIONS: dict[str, Callable[[Any, list[Any], Options], dict[str, Any]]] = {
    "extract_text": _text,
    "extract_metadata": _metadata,
    "extract_pages": _pages,
    "split": _split,
    "merge": _merge,
}

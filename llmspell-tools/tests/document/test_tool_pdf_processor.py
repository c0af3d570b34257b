from __future__ import annotations

import asyncio
import zlib
from pathlib import Path
from typing import Any

import pypdf
import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.document.pdf_processor import PdfProcessor


def pdf(*texts: str, stream: bytes | None = None, extra: bytes = b"") -> bytes:
    """A file with one line of text on each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(texts)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(texts):
        content = stream or f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * number)
        )
        objects.append(
            b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)
        )
    objects.append(b"<< /Title (A report) /Author (Ada) /CreationDate (D:20240102030405Z) >>")
    data, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number + 1, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"<< /Size %d /Root 1 0 R /Info %d 0 R >>" % (count, count - 1)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count
    return b"%s%s%strailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (data, head, table, end, len(data))


def run(folder: Path, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        files = {"read": [str(folder)], "write": [str(folder)]}
        async with Runtime({"security": {"files": files}}) as runtime:
            return await PdfProcessor().call(params, runtime.context())

    return asyncio.run(main())


@pytest.fixture
def report(tmp_path: Path) -> str:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf("First page", "Second page", "Third page"))
    return str(path)


def test_text_is_extracted_page_by_page(report: str, tmp_path: Path) -> None:
    result = run(tmp_path, input=report)
    assert result.output == "First page\n\nSecond page\n\nThird page"
    assert result.result["page_count"] == 3
    some = run(tmp_path, operation="text", file_path=report, start_page=2, end_page=2)
    assert some.result["pages"] == [{"page": 2, "text": "Second page"}]


def test_metadata(report: str, tmp_path: Path) -> None:
    found = run(tmp_path, operation="metadata", input=report)
    assert found.result["metadata"]["title"] == "A report"
    assert found.result["metadata"]["creation_date"] == "2024-01-02T03:04:05+00:00"
    assert found.result["page_size"] == [595.0, 842.0]
    assert (found.result["pdf_version"], found.result["encrypted"]) == ("1.4", False)
    assert found.text.startswith("3 pages\n")


def test_pages_go_to_new_files(report: str, tmp_path: Path) -> None:
    second = str(tmp_path / "new/second.pdf")
    result = run(
        tmp_path, operation="extract_pages", input=report, start_page=2, end_page=3,
        target_path=second,
    )  # fmt: skip
    assert result.text == f"wrote 2 pages to {second}"
    assert run(tmp_path, input=second).output == "Second page\n\nThird page"
    parts = run(tmp_path, operation="split", input=report, target_path=str(tmp_path / "p.pdf"))
    assert [Path(path).name for path in parts.output] == ["p-1.pdf", "p-2.pdf", "p-3.pdf"]
    pairs = run(
        tmp_path, operation="split", input=report, target_path=str(tmp_path / "q"), pages_per_file=2
    )
    assert [len(pypdf.PdfReader(path).pages) for path in pairs.output] == [2, 1]
    merged = run(
        tmp_path, operation="merge", input=[*parts.output, second],
        target_path=str(tmp_path / "all.pdf"),
    )  # fmt: skip
    assert merged.result["page_count"] == 5
    assert run(tmp_path, input=merged.output).text.endswith("Second page\n\nThird page")


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_encrypted_files_need_their_password(algorithm: str, report: str, tmp_path: Path) -> None:
    writer = pypdf.PdfWriter(report)
    writer.encrypt("secret", algorithm=algorithm)
    path = tmp_path / "locked.pdf"
    writer.write(path)
    with pytest.raises(ValidationError, match="password is required: the file is encrypted"):
        run(tmp_path, input=str(path))
    with pytest.raises(ValidationError, match="password is wrong"):
        run(tmp_path, input=str(path), password="wrong")
    assert "Second page" in run(tmp_path, input=str(path), password="secret").output


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "input is required"),
        ({"input": ["a.pdf", "b.pdf"]}, "input must be one file"),
        ({"input": "REPORT", "operation": "split"}, "target_path is required"),
        ({"input": "REPORT", "start_page": 4}, "start_page is 4, and the file has 3 pages"),
        ({"input": "REPORT", "end_page": 9}, "end_page is 9"),
        ({"input": "REPORT", "start_page": 3, "end_page": 2}, "end_page is before start_page"),
        ({"input": "REPORT", "start_page": 0}, "start_page"),
        ({"input": "REPORT", "operation": "txt"}, "operation must be one of"),
    ],
)
def test_mistakes_name_the_field(
    params: dict[str, Any], message: str, report: str, tmp_path: Path
) -> None:
    params = {key: report if value == "REPORT" else value for key, value in params.items()}
    with pytest.raises(ValidationError) as caught:
        run(tmp_path, **params)
    assert message in caught.value.message


def test_paths_that_are_not_allowed_are_refused(report: str, tmp_path: Path) -> None:
    for params in (
        {"input": "/etc/passwd"},
        {"input": report, "operation": "extract_pages", "target_path": "/etc/x.pdf"},
        {"input": report, "operation": "split", "target_path": str(tmp_path / "../x.pdf")},
    ):
        with pytest.raises(LLMSpellError) as caught:
            run(tmp_path, **params)
        assert caught.value.code.startswith(("policy.", "file."))


GOOD = pdf("x")
BROKEN = {
    "text": b"hello",
    "head": b"%PDF-1.4\n",
    "cut": GOOD[:300],
    "no-root": GOOD.replace(b"/Root 1 0 R", b"/Root 9 0 R"),
    "loop": GOOD.replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]"),
    "garbage": GOOD.replace(b"/Type /Page ", b"/Type /\xff\x00 "),
    "numbers": GOOD.replace(b"/MediaBox [0 0 595 842]", b"/MediaBox [(a) 0 595 842]"),
    "xref": GOOD.replace(b"startxref\n", b"startxref\n99999999999999"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_broken_files_are_mistakes_or_read_as_far_as_they_go(name: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(BROKEN[name])
    for operation in ("extract_text", "extract_metadata"):
        try:
            run(tmp_path, operation=operation, input=str(path), timeout_ms=5000)
        except LLMSpellError as error:
            assert error.code in ("input.invalid", "tool.failed")  # noqa: PT017
            assert "Traceback" not in error.message  # noqa: PT017


def test_bombs_are_stopped(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pdf"
    bomb = zlib.compress(b"0" * 200_000_000, 9)
    path.write_bytes(pdf("x", stream=bomb, extra=b"/Filter /FlateDecode"))
    with pytest.raises(LLMSpellError) as caught:
        run(tmp_path, input=str(path), timeout_ms=5000)
    assert caught.value.code.startswith(("limit.", "input.", "tool."))

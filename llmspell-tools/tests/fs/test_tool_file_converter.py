from __future__ import annotations

import asyncio
import codecs
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.fs.file_converter import FileConverter

GERMAN = (
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Größe, Übermut, Straße.\n"
)


def run(folder: Path, data: bytes, **params: Any) -> tuple[ToolResult, bytes]:
    """Convert a file of this content in place; the result and the new content."""
    path = folder / "a.txt"
    path.write_bytes(data)

    async def main() -> ToolResult:
        security = {"files": {"read": [str(folder)], "write": [str(folder)]}}
        async with Runtime({"security": security}) as runtime:
            return await FileConverter().call({"path": str(path), **params}, runtime.context())

    result = asyncio.run(main())
    return result, path.read_bytes()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "iso8859-1", "utf-8"])
def test_to_utf8_from_an_encoding_that_is_named(tmp_path: Path, encoding: str) -> None:
    result, made = run(
        tmp_path, GERMAN.encode(encoding), operation="encoding", from_encoding=encoding
    )
    assert made.decode() == GERMAN
    assert result.result["to_encoding"] == "utf-8"
    assert result.result["changed"] is (encoding != "utf-8")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN * 3, "cp1252"),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю. " * 5, "koi8-r"),
        ("日本語の文章です。ひらがなとカタカナと漢字が混ざっています。" * 5, "shift_jis"),
        ("Die Größe der Straße ändert sich für Übermütige nicht.", "latin-1"),
        ("L'été, le garçon a mangé une crêpe à la crème près de la forêt.", "cp1252"),
        ("Grüße", "utf-8"),
        ("plain", "ascii"),
    ],
)
def test_the_encoding_is_told_by_the_content(tmp_path: Path, text: str, encoding: str) -> None:
    _, made = run(tmp_path, text.encode(encoding), operation="encoding")
    assert made.decode() == text


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_byte_order_marks(tmp_path: Path, mark: bytes, encoding: str) -> None:
    data = mark + "ä\r\nb\r\n".encode(encoding)
    result, made = run(tmp_path, data, operation="line_endings", line_ending="unix")
    # What was not to be changed stays: the encoding and its mark.
    assert made == mark + "ä\nb\n".encode(encoding)
    assert result.result["from_encoding"] == result.result["to_encoding"] == encoding
    _, plain = run(tmp_path, data, operation="encoding", to_encoding="UTF8")
    assert plain == "ä\r\nb\r\n".encode()


@pytest.mark.parametrize(
    ("given", "ending", "made", "was"),
    [
        (b"a\nb\n", "crlf", b"a\r\nb\r\n", "lf"),
        (b"a\r\nb\rc\n", "lf", b"a\nb\nc\n", "mixed"),
        (b"a\rb", "Windows", b"a\r\nb", "cr"),
        (b"a\r\n", "cr", b"a\r", "crlf"),
        (b"a", "crlf", b"a", "none"),
    ],
)
def test_line_endings(tmp_path: Path, given: bytes, ending: str, made: bytes, was: str) -> None:
    result, after = run(tmp_path, given, operation="line-endings", line_ending=ending)
    assert after == made
    assert result.result["from_line_ending"] == was
    assert result.result["changed"] is (given != made)


def test_indentation_both_ways(tmp_path: Path) -> None:
    code = b"a\n\tb\n  \tc\td\n      e\r\t\tf"
    _, spaces = run(tmp_path, code, operation="indentation")
    assert spaces == b"a\n    b\n    c\td\n      e\r        f"
    _, tabs = run(tmp_path, spaces, operation="indent", convert_to_spaces=False)
    assert tabs == b"a\n\tb\n\tc\td\n\t  e\r\t\tf"
    _, two = run(tmp_path, b"\tx", operation="indentation", tab_size=2)
    assert two == b"  x"


def test_a_target_leaves_the_source_alone(tmp_path: Path) -> None:
    target = tmp_path / "new/b.txt"
    result, made = run(
        tmp_path, b"a\n", operation="line_endings", line_ending="crlf", target_path=str(target)
    )
    assert made == b"a\n"
    assert target.read_bytes() == b"a\r\n"
    assert (result.output, result.text) == (str(target), f"wrote 3 bytes to {target}")


@pytest.mark.parametrize(
    ("data", "params", "message"),
    [
        (b"a", {"operation": "encoding", "to_encoding": "klingon"}, "to_encoding is no encoding"),
        (b"a", {"operation": "encoding", "from_encoding": "zip"}, "from_encoding is no encoding"),
        (b"a", {"operation": "encoding", "from_encoding": "rot13"}, "from_encoding is no encoding"),
        (b"a", {"operation": "encoding", "from_encoding": "idna"}, "from_encoding is no encoding"),
        (b"a", {"operation": "encoding", "from_encoding": "x\0y"}, "from_encoding is no encoding"),
        (b"\xff\0\x81", {"operation": "encoding"}, "path is in an encoding that cannot be told"),
        (b"a\xff", {"operation": "encoding", "from_encoding": "utf-8"}, "is no utf-8 text: byte 2"),
        (
            "a\n€".encode(),
            {"operation": "encoding", "to_encoding": "latin-1"},
            r"to_encoding is iso8859-1, which has no '\\u20ac' \(line 2\)",
        ),
        (b"a", {"operation": "indentation", "tab_size": 99}, "tab_size must be less than or equal"),
        (b"a", {"operation": "rot"}, "operation must be one of encoding, line_endings"),
        (b"a", {"operation": "line_endings", "line_ending": "x"}, "line_ending must be one of lf"),
    ],
)  # fmt: skip
def test_mistakes_name_the_field(
    tmp_path: Path, data: bytes, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        run(tmp_path, data, **params)
    assert (tmp_path / "a.txt").read_bytes() == data


def test_only_allowed_files_and_bounded_results(tmp_path: Path) -> None:
    for params, code in (
        ({"path": "/etc/hostname", "operation": "encoding"}, "policy.file"),
        ({"target_path": "/etc/x", "operation": "line_endings"}, "policy.file"),
        ({"operation": "indentation", "tab_size": 16}, "limit.value"),
    ):
        with pytest.raises(LLMSpellError) as caught:
            run(tmp_path, b"\t" * 2_200_000, **params)
        assert caught.value.code == code

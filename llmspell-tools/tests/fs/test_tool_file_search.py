from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.fs.file_search import FileSearch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub/deep").mkdir(parents=True)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "a.txt").write_text("one\nTwo Grüße\nthree two\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("two\n" * 5)
    (tmp_path / "sub/c.txt").write_text("nothing\n")
    (tmp_path / "sub/deep/d.min.js").write_text("two = 2")
    (tmp_path / "node_modules/x.txt").write_text("two")
    (tmp_path / "binary.txt").write_bytes(b"two\0two")
    return tmp_path


def search(folder: Path, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        settings = {"security": {"files": {"read": [str(folder)]}}}
        async with Runtime(settings) as runtime:
            given = {"path": str(folder), **params}
            return await FileSearch().call(given, runtime.context())

    return asyncio.run(main())


def places(result: ToolResult) -> list[tuple[str, int, int]]:
    return [(Path(one["path"]).name, one["line"], one["column"]) for one in result.output]


def test_matches_have_path_line_and_column(folder: Path) -> None:
    result = search(folder, pattern="two")
    assert places(result) == [
        ("a.txt", 3, 7),
        *(("b.md", n, 1) for n in range(1, 6)),
        ("d.min.js", 1, 1),
    ]
    assert result.result["count"] == 7
    assert result.result["matches"] == result.output
    assert result.result["files_matched"] == 3
    assert result.result["files_searched"] == 4
    assert result.result["files_skipped"] == 1
    assert result.text.splitlines()[0].endswith("a.txt:3: three two")


def test_case_regex_and_context(folder: Path) -> None:
    loose = search(folder, pattern="TWO", case_sensitive=False, include_extensions="txt")
    assert places(loose) == [("a.txt", 2, 1), ("a.txt", 3, 7)]
    found = search(folder, input=r"^T\w+ G", regex=True, context_lines=1)
    assert found.output[0]["before"] == ["one"]
    assert found.output[0]["after"] == ["three two"]
    assert found.output[0]["text"] == "Two Grüße"
    assert search(folder, pattern="t.o").output == []
    assert places(search(folder, pattern="Grüße"))[0] == ("a.txt", 2, 5)


def test_filters(folder: Path) -> None:
    assert places(search(folder, pattern="two", exclude_extensions=[".md", "*.min.js"])) == [
        ("a.txt", 3, 7)
    ]
    assert len(search(folder, pattern="two", recursive=False).output) == 6
    assert len(search(folder, pattern="two", max_depth=2).output) == 6
    assert len(search(folder, pattern="two", exclude_dirs=[]).output) == 8
    assert len(search(folder, pattern="two", max_matches_per_file=1).output) == 3
    assert len(search(folder, pattern="two", max_file_size=10).output) == 1
    assert places(search(folder, pattern="two", path=str(folder / "a.txt"))) == [("a.txt", 3, 7)]
    nothing = search(folder, pattern="nowhere")
    assert nothing.result["count"] == 0
    assert nothing.text == "no matches in 4 files"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "pattern is required"),
        ({"pattern": ""}, "pattern"),
        ({"pattern": "(", "use_regex": True}, "pattern is no valid regular expression"),
        ({"pattern": "a\nb"}, "pattern must be of one line"),
        ({"pattern": "a", "context_lines": 100}, "context_lines"),
        ({"pattern": "a", "max_depht": 1}, 'did you mean "max_depth"?'),
        ({"pattern": "a", "include_extensions": 3}, "include_extensions must be a list"),
    ],
)
def test_mistakes_name_the_field(folder: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        search(folder, **params)
    assert message in caught.value.message


def test_what_is_not_allowed_or_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(LLMSpellError) as caught:
        search(folder, pattern="root", path="/etc")
    assert caught.value.code == "policy.file"
    with pytest.raises(LLMSpellError):
        search(folder, pattern="x", path=str(folder / "missing"))

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.util._changes import lines_of, texts, values
from llmspell_tools.util.diff_calculator import DiffCalculator


def run(**params: Any) -> ToolResult:
    tool = DiffCalculator()
    result: ToolResult = asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
    return result


def test_a_unified_diff_and_what_it_counts() -> None:
    result = run(old_text="a\nb\nc\n", new_text="a\nB\nc\nd\n")
    assert result.result == {
        "diff": "--- old\n+++ new\n@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d",
        "added": 1,
        "removed": 0,
        "changed": 1,
        "equal": False,
    }
    assert result.output == result.text == result.result["diff"]


@pytest.mark.parametrize(
    ("style", "diff"),
    [
        ("simple", "- b\n+ B"),
        (
            "context",
            f"*** old\n--- new\n{'*' * 15}\n*** 1,2 ****\n  a\n! b\n--- 1,2 ----\n  a\n! B",
        ),
        ("unified", "--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n+B"),
        ("changes", [{"op": "replace", "old_line": 2, "new_line": 2, "old": "b\n", "new": "B\n"}]),
    ],
)
def test_formats_of_text(style: str, diff: Any) -> None:
    assert run(old="a\nb\n", new="a\nB\n", format=style).result["diff"] == diff


def test_equal_texts() -> None:
    result = run(old_text="a", new_text="a")
    assert result.result == {"diff": "", "added": 0, "removed": 0, "changed": 0, "equal": True}
    assert result.text == "no differences"


def test_a_missing_newline_at_the_end_is_told() -> None:
    assert run(old_text="a\n", new_text="a").text.endswith("-a\n+a\n\\ No newline at end of file")


def test_json_values_and_texts_by_their_places() -> None:
    result = run(
        old_json={"name": "x", "tags": ["a", "b"], "gone": 1, "a/b~": True},
        new_json='{"name": "y", "tags": ["new", "a", "b"], "a/b~": 1, "more": null}',
    )
    assert result.result["diff"] == [
        {"op": "replace", "path": "/name", "old": "x", "new": "y"},
        {"op": "add", "path": "/tags/0", "new": "new"},
        {"op": "remove", "path": "/gone", "old": 1},
        {"op": "replace", "path": "/a~1b~0", "old": True, "new": 1},
        {"op": "add", "path": "/more", "new": None},
    ]
    assert [result.result[name] for name in ("added", "removed", "changed")] == [2, 1, 2]
    assert result.text.splitlines()[:2] == ['~ /name: "x" -> "y"', '+ /tags/0: "new"']


def test_numbers_that_are_equal_are_no_change() -> None:
    assert run(old_json=[1, 2.0, {"a": 1.0}], new_json=[1.0, 2, {"a": 1}]).result["equal"]
    assert run(old_json=None, new_json=None).result["equal"]
    assert not run(old_json=None, new_json=False).result["equal"]


def test_json_as_text_formats() -> None:
    unified = run(type="json", old_text='{"a":1}', new_text='{"a":2}', format="unified")
    assert '-  "a": 1\n+  "a": 2' in unified.text
    assert run(old_json={"a": 1}, new_json={}, format="simple").result["diff"] == "- /a: 1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_json_is_equal_to_itself_and_to_nothing_else(old: Any, new: Any) -> None:
    a, b = json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True)
    assert not values(a, a, "changes")["diff"]
    assert bool(values(a, b, "changes")["diff"]) == (a != b)


@given(st.text("ab\n", max_size=30), st.text("ab\n", max_size=30))
def test_changes_of_texts_lead_from_one_to_the_other(old: str, new: str) -> None:
    found = texts(old, new, "changes")
    lines = lines_of(old)
    for one in reversed(found["diff"]):
        at = one["old_line"] - 1
        lines[at : at + len(lines_of(one["old"]))] = lines_of(one["new"])
    assert "".join(lines) == new
    assert found["added"] - found["removed"] == len(lines_of(new)) - len(lines_of(old))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, 'old_text is required for "text"; new_text is required'),
        ({"old_text": "a"}, 'new_text is required for "text"'),
        ({"old_json": {}}, 'new_json is required for "json"'),
        ({"old_text": {}, "new_text": ""}, "old_text must be a string, not a table"),
        ({"old_json": "{", "new_json": {}}, "old_json is no JSON: .* line 1"),
        ({"old_json": "[NaN]", "new_json": {}}, "old_json is no JSON: NaN"),
        ({"old_json": {}, "new_json": float("inf")}, "new_json is no JSON"),
        ({"type": "xml", "old_text": "", "new_text": ""}, "type must be one of text, json"),
        ({"old_text": "", "new_text": "", "format": "html"}, "format must be one of unified"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run(**params)


def test_a_value_that_is_too_deep_is_a_limit() -> None:
    deep = "[" * 300 + "{}" + "]" * 300
    with pytest.raises(LLMSpellError) as caught:
        run(old_json=deep, new_json=deep.replace("{}", "1"))
    assert caught.value.code == "limit.value_depth"


def test_files_and_what_takes_long(tmp_path: Path) -> None:
    old, new, json_file = (tmp_path / name for name in ("old.txt", "new.txt", "a.json"))
    old.write_text("\ufeffa\nb\n", encoding="utf-8")
    new.write_text("a\nc\n")
    json_file.write_text('{"a": [1]}')
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe\xfd")

    async def main() -> None:
        async with Runtime({"security": {"files": {"read": [str(tmp_path)]}}}) as runtime:
            ctx = runtime.context()
            tool = ctx.overlay.tools.get("diff-calculator")
            both = await tool.call({"old_file": str(old), "new_file": str(new)}, ctx)
            assert both.text.startswith(f"--- {old}\n+++ {new}\n@@ -1,2 +1,2 @@\n a\n-b\n+c")
            mixed = await tool.call({"old_file": str(json_file), "new_json": {"a": []}}, ctx)
            assert mixed.result["diff"] == [{"op": "remove", "path": "/a/0", "old": 1}]
            long = "".join(f"line {i}\n" for i in range(3000))
            helped = await tool.call({"old_text": long, "new_text": long + "end\n"}, ctx)
            assert (helped.result["added"], helped.result["changed"]) == (1, 0)
            for path, code in (("/etc/passwd", "policy.file"), ("latin.txt", "input.invalid")):
                with pytest.raises(LLMSpellError) as caught:
                    await tool.call({"old_file": str(tmp_path / path), "new_text": ""}, ctx)
                assert caught.value.code == code

    asyncio.run(main())

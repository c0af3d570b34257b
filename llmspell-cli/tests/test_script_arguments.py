"""What stands behind a script, and `--param`: positional and named arguments."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_cli.script_args import parse_params, split_arguments, typed_params


@pytest.mark.parametrize(
    ("words", "positional", "named"),
    [
        (["a", "b"], ["a", "b"], {}),
        (["--name", "v"], [], {"name": "v"}),
        (["--name=v"], [], {"name": "v"}),
        (["--name="], [], {"name": ""}),
        (["--flag"], [], {"flag": True}),
        (["--flag", "--other", "v"], [], {"flag": True, "other": "v"}),
        (["--dry-run", "x"], [], {"dry-run": "x"}),
        (["--param", "name=v"], [], {"name": "v"}),
        (["--param=name=v"], [], {"name": "v"}),
        (["--param", "name=a=b"], [], {"name": "a=b"}),
        (["-n", "5", "-"], ["-n", "5", "-"], {}),
        (["a", "--", "--name", "v", "--"], ["a", "--name", "v", "--"], {}),
    ],
)
def test_words_are_told_apart(
    words: list[str], positional: list[str], named: dict[str, object]
) -> None:
    assert split_arguments(words) == (positional, named)


@given(st.lists(st.text()))
def test_no_word_is_lost_or_refused(words: list[str]) -> None:
    positional, named = split_arguments(words)
    assert len(positional) + len(named) <= len(words)
    assert split_arguments(["--", *words]) == (words, {})


def test_params_come_from_a_file_and_the_line(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text('{"a": 1, "b": {"c": [2]}}', encoding="utf-8")
    assert parse_params(("a=x", "d=e=f"), file) == {"a": "x", "b": {"c": [2]}, "d": "e=f"}


@pytest.mark.parametrize(
    ("pairs", "content", "message"),
    [
        (("novalue",), None, '--param takes NAME=VALUE, not "novalue"'),
        (("=v",), None, '--param takes NAME=VALUE, not "=v"'),
        ((), "[1]", "a JSON object is expected"),
        ((), "{", "is not JSON: Expecting"),
    ],
)
def test_wrong_params_are_named(
    pairs: tuple[str, ...], content: str | None, message: str, tmp_path: Path
) -> None:
    file = None
    if content is not None:
        file = tmp_path / "p.json"
        file.write_text(content, encoding="utf-8")
    with pytest.raises(click.UsageError, match=re.escape(message)):
        parse_params(pairs, file)


def test_text_becomes_what_the_schema_asks_for() -> None:
    schema = {
        "properties": {
            "n": {"type": "integer"},
            "flag": {"type": "boolean"},
            "text": {"type": "string"},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "items": {"type": "array"},
            "wrong": {"type": "integer"},
        }
    }
    words = ["3", "true", "3", "4", "[1]", "x"]
    given = dict(zip(schema["properties"], words, strict=True)) | {"new": "5"}
    typed = typed_params(given, schema)
    assert json.dumps(typed) == json.dumps(
        {"n": 3, "flag": True, "text": "3", "either": "4", "items": [1], "wrong": "x", "new": 5}
    )


def test_text_becomes_a_list_or_an_object_only_where_the_schema_has_one() -> None:
    texts = {"items": {"type": "string"}, "type": "array"}
    schema = {
        "properties": {
            "labels": {"anyOf": [texts, {"type": "string"}]},
            "words": {"anyOf": [texts, {"type": "string"}]},
            "body": {"anyOf": [{"type": ["string", "object", "array"]}, {"type": "null"}]},
            "when": {"type": ["string", "number"]},
            "template": {"type": "string"},
        }
    }
    given = {
        "labels": '["a", "b"]',
        "words": "[1]",
        "body": '{"a": 1}',
        "when": "2024",
        "template": "{}",
    }
    assert typed_params(given, schema) == {**given, "labels": ["a", "b"], "body": {"a": 1}}
    assert typed_params({"body": "plain"}, schema) == {"body": "plain"}

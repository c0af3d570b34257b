"""Guest methods that every engine answers in its own process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.script.natives import NATIVES, native


def call(name: str, *args: Any) -> Any:
    ok, text = native(name, json.dumps(args))
    assert ok, text
    return json.loads(text)


def code(name: str, *args: Any) -> str:
    ok, text = native(name, json.dumps(args))
    assert not ok
    return str(json.loads(text)["code"])


def test_a_uuid_is_random_and_of_version_4() -> None:
    first, second = call("Utils.uuid"), call("Utils.uuid")
    assert first != second
    assert first[14] == "4"
    assert first[19] in "89ab"


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["Hello, World!"], "hello-world"),
        (["Ünïcödé  text", "_"], "unicode_text"),
        (["--"], ""),
        ([12], "12"),
    ],
)
def test_slugs(args: list[Any], expected: str) -> None:
    assert call("Utils.slug", *args) == expected


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["abcdef", 6], "abcdef"),
        (["abcdefg", 6], "abc..."),
        (["ab cdefg", 6], "ab..."),
        (["abcdefg", 6, ""], "abcdef"),
        (["abcdefg", 2], "ab"),
        (["abcdefg", 4, "…"], "abc…"),
    ],
)
def test_truncated_texts_hold_to_the_length(args: list[Any], expected: str) -> None:
    assert call("Utils.truncate", *args) == expected


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("{{a}}", {"a": 1}, "1"),
        ("{{ a }}-{{b.c}}-{{b.l.2}}", {"a": 1.0, "b": {"c": True, "l": [1, "two"]}}, "1-true-two"),
        ("{{none}} {{a", {"a": 1}, "{{none}} {{a"),
        ("{{a.b}}", {"a.b": "whole key"}, "whole key"),
        ("{{o}}", {"o": {"k": [1]}}, '{"k":[1]}'),
        ("plain", None, "plain"),
    ],
)
def test_templates_fill_what_is_there(text: str, variables: Any, expected: str) -> None:
    assert call("Utils.template", text, variables) == expected


def test_hashes() -> None:
    assert call("Utils.hash", "abc", "SHA-1") == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert call("Utils.hash", {"$b": "/w=="}, "md5") == "00594fd4f42ba43fc1ca0427a0576295"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("Utils.hash", ["a", "rot13"]),
        ("Utils.hash", [[]]),
        ("Utils.slug", []),
        ("Utils.slug", [None]),
        ("Utils.truncate", ["a", -1]),
        ("Utils.truncate", ["a", True]),
        ("Utils.template", ["a", [1]]),
        ("Utils.uuid", [1]),
    ],
)
def test_wrong_arguments_are_named(name: str, args: list[Any]) -> None:
    assert code(name, *args) == "input.invalid"


def test_what_is_not_there_is_an_error_and_no_exception() -> None:
    assert code("Utils.nothing") == "internal"


@given(st.sampled_from(sorted(NATIVES)), st.text(max_size=30))
def test_nothing_is_ever_raised(name: str, args: str) -> None:
    ok, text = native(name, args)
    assert isinstance(ok, bool)
    json.loads(text)

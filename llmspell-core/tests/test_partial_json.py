"""JSON text that is still being written: what is certain of its value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.partial_json import PartialJson, parse_partial

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def within(part: Any, whole: Any) -> bool:
    """Whether a partial value is a beginning of the whole one."""
    if isinstance(whole, dict):
        return isinstance(part, dict) and all(
            name in whole and within(value, whole[name]) for name, value in part.items()
        )
    if isinstance(whole, list):
        return isinstance(part, list) and all(map(within, part, whole)) and len(part) <= len(whole)
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    return bool(part == whole)


@settings(max_examples=60, deadline=None)
@given(
    value=st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    ascii=st.booleans(),
    indent=st.none() | st.just(1),
)
def test_every_prefix_is_a_beginning_of_the_value(value: Any, ascii: bool, indent: Any) -> None:
    text = json.dumps(value, ensure_ascii=ascii, indent=indent)
    reader = PartialJson()
    for end in range(1, len(text) + 1):
        reader.feed(text[end - 1])
        found, part = parse_partial(text[:end])
        assert (found, part) == reader.value()
        assert found
        assert within(part, value)
    assert reader.value() == (True, value)


@settings(max_examples=50, deadline=None)
@given(value=values)
def test_a_whole_text_of_any_kind_gives_its_value(value: Any) -> None:
    text = json.dumps(value)
    assert parse_partial(text) == (True, value)
    for end in range(len(text)):
        parse_partial(text[:end])


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet='{}[]",:\\u0dDc8 tfn1-e.'), pieces=st.integers(1, 5))
def test_what_is_no_json_never_raises(text: str, pieces: int) -> None:
    reader = PartialJson()
    for at in range(0, len(text), pieces):
        reader.feed(text[at : at + pieces])
        reader.value()
    parse_partial(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"city": "Os', {"city": "Os"}),
        ('{"city": "Oslo", "da', {"city": "Oslo"}),
        ('{"city": "Oslo", "days": 1', {"city": "Oslo"}),
        ('{"city": "Oslo", "days": 12,', {"city": "Oslo", "days": 12}),
        ('[{"a": [tru', [{"a": []}]),
        ('["caf\\u00e9 \\u00', ["caf\u00e9 "]),
        ('["\\ud83d', [""]),
        ('["\\ud83d\\ude00', ["\U0001f600"]),
        ('Here you are:\n```json\n{"a": 1, "b": "x\n```', {"a": 1, "b": "x\n```"}),
        ('{"a": 1} and more {', {"a": 1}),
    ],
)
def test_what_is_not_certain_is_left_out(text: str, value: Any) -> None:
    assert parse_partial(text) == (True, value)


@pytest.mark.parametrize("text", ["", "  ", "Well, ", "12", "tru", '"half'])
def test_before_an_object_or_a_list_there_is_nothing(text: str) -> None:
    reader = PartialJson()
    reader.feed(text)
    assert reader.value() == (False, None)


def test_a_text_as_deep_as_it_is_long_is_given_up() -> None:
    reader = PartialJson()
    reader.feed("[" * 100_000)
    found, _ = reader.value()
    assert found
    assert parse_partial("[" * 100_000)[0]

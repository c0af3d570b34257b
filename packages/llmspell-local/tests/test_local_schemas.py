"""Schemas made simple: wider than the given one, never narrower, and without references."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.schema import schema_mistakes
from llmspell_local.schemas import simplify


def test_references_are_put_in() -> None:
    schema = {
        "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/place"}},
        "required": ["at"],
    }
    made = simplify(schema)
    assert made["properties"]["at"]["properties"] == {"city": {"type": "string"}}
    assert "$ref" not in json.dumps(made)


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"$defs": {"t": {"properties": {"sub": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"}
    assert simplify(tree)["properties"]["sub"]["type"] == "object"


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ({"type": "string", "format": "email"}, {"type": "string"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "pattern": "(?=x)y"}, {"type": "string"}),
        ({"type": "string", "pattern": "abc"}, {"type": "string"}),
        (
            {"type": "string", "pattern": r"^\d{4}-[\w]+$"},
            {"type": "string", "pattern": "^[0-9]{4}-[A-Za-z0-9_]+$"},
        ),
        ({"type": "array", "maxItems": 10**9}, {"type": "array"}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1}),
        ({"type": ["integer", "null"], "minimum": 1}, {"type": ["integer", "null"]}),
        ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        ({"not": {"type": "string"}, "title": "t"}, {}),
    ],
)
def test_what_every_build_can_hold_is_kept(given_: dict[str, Any], kept: dict[str, Any]) -> None:
    assert simplify(given_) == kept


def test_all_of_becomes_one_object() -> None:
    made = simplify(
        {
            "allOf": [
                {"properties": {"a": {"type": "string"}}, "required": ["a"]},
                {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
            ]
        }
    )
    assert sorted(made["properties"]) == ["a", "b"]
    assert sorted(made["required"]) == ["a", "b"]


leaves = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": 3},
        {"enum": ["x", 1, None]},
        {"type": ["string", "null"], "format": "uri"},
        {"type": "number", "maximum": 2.5},
        {"const": True},
    ]
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items, "maxItems": 3}, inner),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda parts: {"type": "object", "properties": parts, "required": sorted(parts)[:1]},
            st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
        ),
    ),
    max_leaves=8,
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["x", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@given(schemas, values)
def test_a_value_that_fits_and_invents_no_names_fits_the_simple_schema(
    schema: dict[str, Any], value: Any
) -> None:
    closed = _closed(schema)
    if not schema_mistakes(closed, value):
        assert schema_mistakes(simplify(schema), value) == []


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(one) for key, one in schema.items()}
    return {**made, "additionalProperties": False} if made.get("properties") else made

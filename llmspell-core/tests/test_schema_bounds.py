"""JSON schemas from outside: right answers, and none that takes longer than anybody waits."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from llmspell_core.errors import LimitError, ValidationError
from llmspell_core.schema import schema_mistakes

RIGHT_AND_WRONG: list[tuple[dict[str, Any], Any, Any]] = [
    ({"pattern": "^a+$"}, "aaa", "aab"),
    ({"patternProperties": {"^n_": {"type": "number"}}}, {"n_a": 1, "x": "y"}, {"n_a": "1"}),
    (
        {
            "properties": {"a": {}},
            "patternProperties": {"^n_": {}},
            "additionalProperties": False,
        },
        {"a": 1, "n_b": 2},
        {"a": 1, "b": 2},
    ),
    ({"properties": {"a": {}}, "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
    ({"uniqueItems": True}, [1, "1", [1], {"a": 1}, True], [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}]),
    ({"uniqueItems": False}, [1, 1], None),
    ({"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "number"}}}, [1, 2], ["x"]),
    ({"type": "object", "required": ["a"]}, {"a": 1}, {}),
]


@pytest.mark.parametrize(("schema", "right", "wrong"), RIGHT_AND_WRONG)
def test_schemas_say_what_they_always_say(schema: dict[str, Any], right: Any, wrong: Any) -> None:
    assert schema_mistakes(schema, right) == []
    if wrong is not None:
        assert len(schema_mistakes(schema, wrong)) == 1


def _doubling(depth: int) -> dict[str, Any]:
    """Two references to the next definition in each: 2^depth of them."""
    names = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(depth)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**names, f"d{depth}": {"type": "number"}}}


BOMBS: list[tuple[dict[str, Any], Any]] = [
    ({"pattern": "^(a+)+$"}, "a" * 40 + "!"),
    ({"pattern": "(x+x+)+y"}, "x" * 50_000),
    ({"patternProperties": {"^(a+)+$": {}}}, {"a" * 40 + "!": 1}),
    (
        {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False},
        {"a" * 40 + "!": 1},
    ),
    (
        {"patternProperties": {"^(a+)+$": {}}, "unevaluatedProperties": False},
        {"a" * 40 + "!": 1},
    ),
    ({"pattern": "(a{1000}){1000}"}, "a"),
    ({"pattern": "(?=(a+))*b"}, "a"),
    ({"uniqueItems": True}, [{"a": n} for n in range(100_000)]),
    (_doubling(60), 1),
    ({"$ref": "#"}, 1),
    ({"$ref": "http://127.0.0.1:1/x"}, 1),
    ({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, 1),
    ({"items": {"type": "string"}}, [1] * 1_000_000),
    ({"not": {"items": {"anyOf": [{"type": "string"}] * 100}}}, [1] * 100_000),
]


@pytest.mark.parametrize(("schema", "value"), BOMBS)
def test_no_schema_takes_long(schema: dict[str, Any], value: Any) -> None:
    started = time.process_time()
    with contextlib.suppress(LimitError, ValidationError):
        assert len(schema_mistakes(schema, value)) <= 100
    assert time.process_time() - started < 5


def test_a_pattern_that_cannot_be_used_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        schema_mistakes({"pattern": "(?=a)"}, "a")
    assert "'(?=a)'" in caught.value.message
    assert caught.value.hint is not None
    assert "RE2" in caught.value.hint


def test_messages_repeat_no_large_values() -> None:
    found = schema_mistakes({"type": "number"}, "x" * 100_000)
    assert len(found[0]["message"]) < 2000

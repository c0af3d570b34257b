from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data import _json
from llmspell_tools.data._jq import run as jq
from llmspell_tools.data.json_processor import JsonProcessor

USERS = '{"users": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}]}'


def within(work: Callable[[ExecutionContext], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Runtime({}) as runtime:
            return await work(runtime.context())

    return asyncio.run(main())


def run(**params: Any) -> ToolResult:
    result: ToolResult = within(lambda ctx: JsonProcessor().call(params, ctx))
    return result


def test_text_becomes_a_value_and_back() -> None:
    parsed = run(operation="parse", input='{"b": [1, 2.5, null], "ä": "ü"}')
    assert parsed.output == parsed.result == {"b": [1, 2.5, None], "ä": "ü"}
    assert (
        run(operation="stringify", input=parsed.output).output == '{"b": [1, 2.5, null], "ä": "ü"}'
    )
    pretty = run(operation="stringify", input={"a": 1}, pretty=True)
    assert pretty.output == pretty.text == '{\n  "a": 1\n}'
    assert run(operation="format", input='{"a":1}').output == '{\n  "a": 1\n}'
    assert run(operation="stringify", input="text").output == '"text"'
    assert run(operation="stringify", input=None).output == "null"
    assert run(input="[1]").metadata["operation"] == "parse"
    assert run(input="12345678901234567890").output == 12345678901234567890


@pytest.mark.parametrize(
    ("query", "expected", "text"),
    [
        (".users[] | select(.age > 18) | .name", "Ada", "Ada"),
        (".users[].name", ["Ada", "Bob"], "Ada\nBob"),
        (".users | length", 2, "2"),
        (".users | map({full: .name})", [{"full": "Ada"}, {"full": "Bob"}], None),
        (".nobody", None, "null"),
        ("empty", None, ""),
        ("def f: .users; f | .[0].age", 36, "36"),
        ('"\\(.users | length) users"', "2 users", "2 users"),
    ],
)
def test_queries_are_jq(query: str, expected: Any, text: str | None) -> None:
    result = run(input=USERS, query=query)
    assert result.output == expected
    assert text is None or result.text == text
    assert result.metadata["operation"] == "query"


def test_queries_take_values_as_well_as_texts() -> None:
    assert run(operation="query", input={"a": [1]}, query=".a[0]").output == 1
    assert run(input={"type": "premium"}, query='.type == "premium"').output is True


@pytest.mark.parametrize(
    "query",
    [
        "env",
        "$ENV",
        "$ENV.PATH",
        '"\\(env)"',
        "input",
        "inputs",
        "modulemeta",
        "halt",
        "halt_error",
    ],
)
def test_jq_reaches_nothing_outside(query: str) -> None:
    os.environ["LLMSPELL_TEST_SECRET"] = "s3cret"
    try:
        answer = jq(query, '"x"')
    finally:
        del os.environ["LLMSPELL_TEST_SECRET"]
    assert "is not available" in json.loads(answer)["error"]
    assert "s3cret" not in answer


@pytest.mark.parametrize("query", ['import "a" as a; 1', 'include "a"; 1', ") | (1", ".["])
def test_what_is_no_query_is_an_error(query: str) -> None:
    assert "error" in json.loads(jq(query, "1"))


def test_large_integers_pass_through_jq_unharmed() -> None:
    found = json.loads(jq("{a: .a, b: [.b]}", '{"a": 12345678901234567890, "b": 9007199254740993}'))
    assert found["results"] == [{"a": 12345678901234567890, "b": [9007199254740993]}]


def test_a_query_that_never_ends_is_stopped() -> None:
    async def work(ctx: ExecutionContext) -> None:
        tool = JsonProcessor()
        with pytest.raises(LimitError, match="query took longer than 1000 ms"):
            await tool.call({"input": "1", "query": "[range(infinite)] | length"}, ctx)
        with pytest.raises(
            ValidationError, match="query is no query that works: foo/0 is not defined at line 2"
        ):
            await tool.call({"input": "1", "query": ". |\n foo"}, ctx)
        assert (await tool.call({"input": "1", "query": ". + 1"}, ctx)).output == 2

    within(work)


def test_validation_names_each_place() -> None:
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {"age": {"type": "integer"}, "tags": {"items": {"type": "string"}}},
    }
    bad = run(operation="validate", input='{"age": "x", "tags": ["a", 1]}', schema=schema)
    assert bad.result["valid"] is False
    assert {one["path"] for one in bad.result["errors"]} == {"", "age", "tags.1"}
    assert bad.text.startswith("invalid: ")
    assert bad.success
    good = run(input={"name": "x"}, schema=schema)
    assert good.result == {"valid": True, "errors": []}
    assert good.text == "valid"
    assert run(operation="validate", input="{").result["valid"] is False
    assert run(operation="validate", input="[1]").result["valid"] is True


def test_schemas_with_patterns_and_references_run_where_they_can_be_stopped() -> None:
    async def work(ctx: ExecutionContext) -> None:
        tool = JsonProcessor()
        schema: dict[str, Any] = {"properties": {"a": {"pattern": "^x+$"}}}
        result = await tool.call({"input": {"a": "y"}, "schema": schema}, ctx)
        assert result.result["errors"][0]["path"] == "a"
        schema = {"properties": {"a": {"pattern": "^(x+)+$"}}}
        result = await tool.call({"input": {"a": "x" * 40 + "!"}, "schema": schema}, ctx)
        assert result.result["errors"][0]["path"] == "a"
        twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
        schema = {"$ref": "#/$defs/d0", "$defs": {**twice, "d40": {}}}
        with pytest.raises(LLMSpellError, match="took longer"):
            await tool.call({"input": 1, "schema": schema}, ctx)
        with pytest.raises(LLMSpellError, match="the schema cannot be used"):
            await tool.call({"input": 1, "schema": {"$ref": "http://127.0.0.1:9/x"}}, ctx)
        with pytest.raises(ValidationError, match="schema"):
            await tool.call({"input": 1, "schema": {"type": "nothing"}}, ctx)

    within(work)


def test_merge() -> None:
    merged = run(
        operation="merge",
        input={"a": {"x": 1, "y": 1}, "b": [1]},
        merge_data='{"a": {"y": 2}, "b": [2]}',
    )
    assert merged.output == {"a": {"x": 1, "y": 2}, "b": [2]}
    assert run(operation="merge", input=[{"a": 1}, {"b": 2}, {"a": 3}]).output == {"a": 3, "b": 2}
    assert run(operation="merge", input={"a": 1}, other=None).output is None


def test_diff() -> None:
    result = run(
        operation="diff", input={"a": 1, "b": [1, 2], "c/d": 1}, other={"a": True, "b": [1], "e": 0}
    )
    assert result.result["changes"] == [
        {"op": "replace", "path": "/a", "old": 1, "new": True},
        {"op": "remove", "path": "/b/1", "old": 2},
        {"op": "remove", "path": "/c~1d", "old": 1},
        {"op": "add", "path": "/e", "new": 0},
    ]
    assert result.result["count"] == 4
    assert result.text.splitlines()[0] == "~ /a: 1 -> true"
    same = run(operation="compare", input="[1.0]", other=[1])
    assert same.result["equal"] is True
    assert same.text == "no differences"


def test_flatten_and_stream() -> None:
    flat = run(operation="flatten", input={"a": {"b": [1, {"c": 2}]}, "d": {}, "e": []})
    assert flat.output == {"a.b.0": 1, "a.b.1.c": 2, "d": {}, "e": []}
    lines = run(operation="stream", input='{"a": 1}\n{"a": 2}\n\n3 [4]')
    assert lines.result == {"items": [{"a": 1}, {"a": 2}, 3, [4]], "count": 4}
    assert lines.output == lines.result["items"]
    assert run(operation="stream", input='{"a": 1}\n{"a": 2}', query=".a").output == [1, 2]
    assert run(operation="stream", input=[1, 2]).output == [1, 2]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"input": "{"}, "input is no JSON: Expecting property name"),
        ({"input": "[NaN]"}, "NaN is no JSON number"),
        ({"operation": "parse"}, 'input is required for "parse"'),
        ({"operation": "query", "input": "1"}, 'query is required for "query"'),
        ({"operation": "merge", "input": {}}, 'other is required for "merge"'),
        ({"operation": "diff", "input": {}}, 'other is required for "diff"'),
        ({"operation": "diff", "input": "1", "other": "{"}, "other is no JSON"),
        ({"operation": "stringify", "input": float("inf")}, "is nothing that JSON can hold"),
        ({"operation": "stringify", "input": b"x"}, "is nothing that JSON can hold"),
        ({"operation": "stream", "input": "1 x"}, "at line 1, column 3"),
        ({"operation": "parze", "input": "1"}, 'did you mean "parse"?'),
        ({"input": "1", "quary": "."}, 'unknown field "quary", did you mean "query"?'),
        ({"input": "1", "schema": "x"}, 'schema must be a JSON schema, not "x"'),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message


def test_what_is_too_deep_is_refused() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for params in (
        {"operation": "parse", "input": "[" * 100_000},
        {"operation": "stringify", "input": deep},
        {"operation": "flatten", "input": "[" * 900 + "]" * 900},
        {"operation": "stream", "input": "[" * 100_000},
    ):
        with pytest.raises(LimitError, match="nested too deep"):
            run(**params)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON)
def test_written_values_are_read_back(value: Any) -> None:
    assert _json.read(_json.write(value)) == value
    assert _json.stream(_json.write(value) + "\n" + _json.write(value, pretty=True)) == [
        value,
        value,
    ]


@given(JSON, JSON)
def test_a_diff_is_empty_exactly_for_equal_values(one: Any, other: Any) -> None:
    assert _json.diff(one, one) == []
    changes = _json.diff(one, other)
    if json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True):
        assert changes == []
    assert changes == [] or one is not other


@given(
    st.dictionaries(st.text(alphabet="abc"), JSON), st.dictionaries(st.text(alphabet="abc"), JSON)
)
def test_merging_keeps_every_key_and_the_second_wins(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    merged = _json.merge(one, other)
    assert merged.keys() == {*one, *other}
    assert _json.merge(merged, other) == merged


@given(JSON)
def test_flat_values_hold_every_leaf(value: Any) -> None:
    def leaves(one: Any) -> int:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        return sum(map(leaves, inner)) if inner else 1

    assert len(_json.flatten(value)) <= leaves(value)


@given(st.text(alphabet='.[]|{}()"abcx01:,$@ \n', max_size=30), JSON)
def test_any_query_gives_results_or_an_error(query: str, value: Any) -> None:
    if "env" not in query:
        answer = json.loads(jq(query, json.dumps(value)))
        assert answer.keys() & {"results", "error"}

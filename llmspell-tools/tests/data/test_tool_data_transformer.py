from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, LLMSpellError, ToolFailed, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data import _row_expression, _steps
from llmspell_tools.data._row_expression import compiled
from llmspell_tools.data.data_transformer import DataTransformer

PEOPLE = [
    {"name": "Ada", "age": 36, "city": "London", "tags": ["a", "b"]},
    {"name": "Bob", "age": 17, "city": "Rome", "tags": []},
    {"name": "Eve", "age": None, "city": "Rome"},
]


def run(input: Any, *operations: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            params = {"input": input, "operations": list(operations)}
            return await DataTransformer().call(params, runtime.context())

    return asyncio.run(main())


def names(*operations: Any) -> list[Any]:
    return [row["name"] for row in run(PEOPLE, *operations).output]


def test_exact_examples_are_exact() -> None:
    async def main() -> None:
        async with Runtime({}) as runtime:
            for params, shows in DataTransformer.examples:
                assert (await DataTransformer().call(params, runtime.context())).text == shows

    asyncio.run(main())


ROW = {"a": 3, "name": "Ada", "x y": 2, "t": {"b": [1, 9], "c": None}, "none": None, "yes": True}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + 1", 4),
        ("a / 2", 1.5),
        ("-a ^ 2", -9),
        ("name == 'Ada'", True),
        ('name = "Ada" and a > 1', True),
        ("`x y` * 2", 4),
        ("a in [1, 2, 3]", True),
        ("a not in [1]", True),
        ("'d' in name", True),
        ("'b' in t", True),
        ("lower(name) + '!'", "ada!"),
        ("t.b[0]", 1),
        ("t['b'][-1]", 9),
        ("t.b[7]", None),
        ("t.c.d", None),
        ("row.a", 3),
        ("row['x y']", 2),
        ("index", 0),
        ("missing", None),
        ("missing > 5", False),
        ("missing + 1", None),
        ("none == null", True),
        ("coalesce(none, missing, 'x')", "x"),
        ("a > 2 ? 'big' : 'small'", "big"),
        ("if(a > 5, 'big', 'small')", "small"),
        ("not name", False),
        ("yes == 1", False),
        ("1 < a < 5", True),
        ("sum([a, none, 2])", 5),
        ("max(['a', 'b'])", "b"),
        ("avg([])", None),
        ("round(a / 7, 2)", 0.43),
        ("sqrt(none)", None),
        ("concat(name, ' ', a, none)", "Ada 3"),
        ("length(name) + length(t.b)", 5),
        ("substring(name, 1)", "da"),
        ("substring(name, 0, 1)", "A"),
        ("replace(name, 'd', 'DD')", "ADDa"),
        ("split('a,b', ',')", ["a", "b"]),
        ("join(t.b, '-')", "1-9"),
        ("matches(name, '^A.*a$')", True),
        ("starts_with(name, 'A') and ends_with(name, 'a')", True),
        ("number('12') + number('1.5')", 13.5),
        ("number('x')", None),
        ("first(t.b) + last(t.b)", 10),
        ("unique([1, 1, true, 2, '2'])", [1, True, 2, "2"]),
        ("type(t)", "table"),
        ("'it\\'s\\n'", "it's\n"),
        ("[1] + [2]", [1, 2]),
        ("pi > 3", True),
    ],
)
def test_expressions_on_rows(expression: str, value: Any) -> None:
    assert compiled("t", "where", expression, [*ROW, "missing"])(ROW, 0) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("name > 5", "cannot compare a text with a number at position 6"),
        ("name * 2", r"\* cannot be used on a text and a number"),
        ("sqrt(name)", "sqrt needs numbers, not a text"),
        ("name.x", "has no field"),
        ("1 / 0", "division by zero"),
        ("matches(name, '(?=x)')", "regular expression"),
        ("9 ^ 9 ^ 9", "larger than"),
        ("join(a)", "join needs a list"),
    ],
)
def test_values_that_do_not_fit_name_the_row(expression: str, words: str) -> None:
    with pytest.raises(ToolFailed, match=f"where, row 1: .*{words}"):
        compiled("t", "where", expression, ROW)(ROW, 0)


@pytest.mark.parametrize(
    "expression",
    ["a +", "nope > 1", "lower(a, b)", "nofunction(a)", "a.", "a..b", "'open", "__import__('os')",
     "a.__class__.__mro__", "(" * 100, "lambda: 1", "a; b", "{a}", "x" * 20_000],
)  # fmt: skip
def test_what_is_no_expression_is_a_mistake_of_its_field(expression: str) -> None:
    with pytest.raises(LLMSpellError, match="where"):
        compiled("t", "where", expression, ROW)(ROW, 0)


@given(st.text(alphabet="ab1. +-*/()[]'\"<>=!?:,`^", max_size=25))
def test_any_expression_gives_a_value_or_an_error(expression: str) -> None:
    try:
        compiled("t", "where", expression, ["a", "b"])({"a": 2, "b": "x"}, 0)
    except LLMSpellError as error:
        assert error.code in ("input.invalid", "tool.failed")  # noqa: PT017


def test_filter_and_limit() -> None:
    assert names({"type": "filter", "where": "age >= 18"}) == ["Ada"]
    assert names({"type": "filter", "expression": "city == 'Rome' and age == null"}) == ["Eve"]
    assert names({"type": "where", "condition": {"city": "Rome"}}) == ["Bob", "Eve"]
    assert names({"type": "filter", "fn": lambda row: row["name"] > "B"}) == ["Bob", "Eve"]
    assert names({"type": "skip", "count": 1}, {"type": "limit", "n": 1}) == ["Bob"]
    assert names({"type": "limit", "count": 0}) == []
    assert names({"type": "reverse"}) == ["Eve", "Bob", "Ada"]


def test_functions_may_be_asynchronous() -> None:
    async def double(row: Any) -> Any:
        await asyncio.sleep(0)
        return row * 2

    assert run([1, 2], {"type": "map", "expression": double}).output == [2, 4]
    made = run(PEOPLE, {"type": "map", "fields": {"n": lambda row: row["name"], "x": "age + 1"}})
    assert made.output[0] == {"n": "Ada", "x": 37}
    assert made.result["count"] == 3

    def fail(row: Any) -> Any:
        raise ToolFailed("no")

    with pytest.raises(ToolFailed, match="no"):
        run([1], {"type": "map", "expression": fail})


def test_fields_are_made_chosen_and_named() -> None:
    first = run(
        PEOPLE,
        {"type": "derive", "fields": {"adult": "age >= 18", "kind": "'person'", "n": 1}},
        {"type": "drop", "columns": ["tags", "age"]},
        {"type": "rename", "mapping": {"name": "who"}},
    ).output[0]
    assert first == {"who": "Ada", "city": "London", "adult": True, "kind": "person", "n": 1}
    assert run(PEOPLE, {"type": "select", "fields": {"n": "name"}}).output[1] == {"n": "Bob"}
    assert run(PEOPLE, {"type": "select", "columns": "age"}).output[2] == {"age": None}
    filled = run(PEOPLE, {"type": "fill", "columns": ["age"], "value": 0}).output
    assert filled[2]["age"] == 0
    cast = run(
        [{"a": "12", "b": 1.9, "c": "yes", "d": 5}],
        {"type": "cast", "fields": {"a": "number", "b": "int", "c": "boolean", "d": "string"}},
    ).output
    assert cast == [{"a": 12, "b": 1, "c": True, "d": "5"}]
    assert len(run(PEOPLE, {"type": "explode", "column": "tags"}).output) == 4
    assert run([[1, 2], [3]], {"type": "flatten"}).output == [1, 2, 3]


def test_sorting_keeps_the_order_of_equals_and_puts_null_last() -> None:
    assert names({"type": "sort", "by": "age"}) == ["Bob", "Ada", "Eve"]
    assert names({"type": "sort", "by": ["city", "-name"]}) == ["Ada", "Eve", "Bob"]
    assert names({"type": "order_by", "columns": ["name"], "descending": True}) == [
        "Eve",
        "Bob",
        "Ada",
    ]
    assert names({"type": "sort", "expression": "length(tags)"}) == ["Bob", "Eve", "Ada"]
    assert run([3, None, "a", 1], {"type": "sort"}).output == [1, 3, "a", None]


def test_groups_and_duplicates() -> None:
    grouped = run(PEOPLE, {"type": "group_by", "by": "city", "aggregations": {"name": "join"}})
    assert grouped.output == [
        {"city": "London", "count": 1, "name": "Ada"},
        {"city": "Rome", "count": 2, "name": "Bob, Eve"},
    ]
    total = run(PEOPLE, {"type": "aggregate", "aggregations": {"age": ["min", "mean"]}}).output
    assert total == [{"count": 3, "age_min": 17, "age_mean": 26.5}]
    assert names({"type": "dedupe", "by": ["city"]}) == ["Ada", "Bob"]
    assert run([1, 1, True, "1", [1], [1]], {"type": "unique"}).output == [1, True, "1", [1]]


def test_joins() -> None:
    cities = [{"city": "Rome", "land": "IT", "name": "Roma"}, {"city": "Oslo", "land": "NO"}]
    inner = run(PEOPLE, {"type": "join", "with": cities, "on": "city"}).output
    assert [(row["name"], row["land"], row["name_right"]) for row in inner] == [
        ("Bob", "IT", "Roma"),
        ("Eve", "IT", "Roma"),
    ]
    for how, count in {"left": 3, "right": 3, "full": 4, "semi": 2, "anti": 1}.items():
        rows = run(PEOPLE, {"type": "join", "with": cities, "on": ["city"], "how": how}).output
        assert len(rows) == count, how
    full = run(PEOPLE, {"type": "join", "with": "city,n\nOslo,5\n", "on": "city", "how": "outer"})
    assert full.output[3] == {"name": None, "age": None, "city": "Oslo", "tags": None, "n": 5}
    keys = {"type": "join", "with": [{"id": "Ada", "x": 1}], "left_on": "name", "right_on": "id"}
    assert run(PEOPLE, keys).output[0]["x"] == 1


def test_pivot_and_back() -> None:
    rows = [
        {"k": "a", "m": "jan", "v": 1},
        {"k": "a", "m": "feb", "v": 2},
        {"k": "b", "m": "jan", "v": 3},
        {"k": "b", "m": "jan", "v": 4},
    ]
    step = {"type": "pivot", "index": "k", "columns": "m", "values": "v", "aggregate": "sum"}
    wide = run(rows, step).output
    assert wide == [{"k": "a", "jan": 1, "feb": 2}, {"k": "b", "jan": 7, "feb": None}]
    back = run(wide, {"type": "melt", "index": "k", "name": "m", "values": "v"}).output
    assert back[0] == {"k": "a", "m": "jan", "v": 1}
    assert len(back) == 4


@pytest.mark.parametrize(
    ("input", "step", "message"),
    [
        (PEOPLE, {"type": "filtr"}, 'did you mean "filter"?'),
        (PEOPLE, {"type": "filter"}, 'operations.0.where is required for "filter"'),
        (PEOPLE, {"type": "filter", "where": "agee > 1"}, 'operations.0.where: names "agee"'),
        (PEOPLE, {"type": "filter", "where": 5}, "must be an expression, a function"),
        (PEOPLE, {"type": "sort", "by": "nam"}, 'did you mean "name"?'),
        (PEOPLE, {"type": "select", "fields": [1]}, "must be a list of names"),
        (PEOPLE, {"type": "limit"}, "operations.0.count is required"),
        (PEOPLE, {"type": "limit", "count": -1}, "operations.0.count"),
        (PEOPLE, {"type": "rename", "fields": ["a"]}, "new names by old ones"),
        (PEOPLE, {"type": "group_by"}, "operations.0.by is required"),
        (PEOPLE, {"type": "join", "with": 5, "on": "a"}, "with must be a list of tables"),
        (PEOPLE, {"type": "join", "with": [{}]}, "operations.0.on is required"),
        (PEOPLE, {"type": "cast", "fields": {"age": "date"}}, "operations.0.fields.age must be"),
        (PEOPLE, {"type": "pivot", "index": "name"}, "operations.0.columns is required"),
        (PEOPLE, {"type": "map", "expresion": "1"}, 'did you mean "expression"?'),
        ([1, {"a": 1}], {"type": "select", "fields": "a"}, "item 1 is 1"),
        ("[1", {"type": "limit", "count": 1}, "input is no JSON"),
        (5, {"type": "limit", "count": 1}, "input must be a list"),
    ],
)
def test_mistakes_name_the_step_and_the_field(input: Any, step: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(input, step)
    assert message in caught.value.message


def test_steps_that_grow_without_end_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    # The same limits, met sooner.
    monkeypatch.setattr(_steps, "MAX_ROWS", 1_000)
    monkeypatch.setattr(_row_expression, "MAX_MADE", 1_000_000)
    many = [{"k": 1}] * 100
    with pytest.raises(LimitError, match="more than 1,000 rows"):
        run(many, {"type": "join", "with": many, "on": "k"})
    with pytest.raises(LimitError, match="result is larger"):
        run(["x" * 1_000_000] * 17, {"type": "reverse"})
    with pytest.raises(ToolFailed, match="longer than"):
        run(["x" * 10_000], {"type": "map", "expression": "replace(value, 'x', value)"})
    grows = {"type": "map", "expression": "[value, value, value, value, value, value, value]"}
    with pytest.raises(LimitError, match="too large"):
        run([1], *[grows] * 100)
    with pytest.raises(LimitError, match="too large"):
        run(["x" * 9000] * 80, {"type": "map", "expression": f"join([{'value, ' * 9} value])"})
    with pytest.raises(LimitError, match="cells"):
        run([{str(n): 1} for n in range(5000)], {"type": "select", "fields": ["1"]})

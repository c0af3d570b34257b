from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.data.data_validator import DataValidator


def run(**params: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            return await DataValidator().call(params, runtime.context())

    return asyncio.run(main())


def mistakes(input: Any, rules: Any, **more: Any) -> dict[str, str]:
    result = run(input=input, rules=rules, **more).result
    assert result["valid"] == (not result["errors"])
    return {one["path"]: one["message"] for one in result["errors"]}


def test_the_examples_say_what_comes_out() -> None:
    for params, shows in DataValidator.examples:
        assert run(**params).text == shows


VALID: dict[str, list[Any]] = {
    "email": ["ada@example.com", "a.b+c@mail.example.org"],
    "url": ["https://example.com/x?y=1", "http://127.0.0.1:8080/", "http://[::1]/"],
    "uuid": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    "date": ["2024-02-29"],
    "time": ["13:45", "13:45:00.5"],
    "datetime": ["2024-01-31T13:45:00Z", "2024-01-31 13:45"],
    "ip": ["1.2.3.4", "::1"],
    "ipv4": ["1.2.3.4"],
    "ipv6": ["fe80::1"],
    "hostname": ["example.com", "localhost", "bücher.example"],
    "phone": ["+49 (30) 123-456"],
    "credit_card": ["4111 1111 1111 1111"],
    "color": ["#fff", "#ff8800"],
    "slug": ["a-b-1"],
    "semver": ["1.2.3-rc.1+5"],
    "alpha": ["Ünï"],
    "alphanumeric": ["a1"],
    "numeric": ["-1.5e3"],
    "base64": ["aGk="],
    "hex": ["00ff"],
    "json": ["[1]"],
    "integer": [1, 2.0, -(10**30)],
    "number": [1.5],
    "string": [""],
    "boolean": [False],
    "array": [[]],
    "object": [{}],
    "null": [None],
    "any": [None, 1],
}
INVALID: dict[str, list[Any]] = {
    "email": ["ada", "a@b", "@b.c", "a..b@c.de", "a b@c.de", 5, "a@-b.de", "a@b.c\n"],
    "url": ["example.com", "javascript:alert(1)", "http://", "http://a b/", "http://x:99999/"],
    "uuid": ["6ba7b8109dad11d180b400c04fd430c8", "x"],
    "date": ["2023-02-29", "20240101", "2024-1-1"],
    "time": ["25:00", "1pm"],
    "datetime": ["2024-01-31", "now"],
    "ip": ["1.2.3", "1.2.3.256"],
    "ipv4": ["::1"],
    "ipv6": ["1.2.3.4"],
    "hostname": ["-a.com", "a..b", "x" * 64, "a_b.com", ""],
    "phone": ["123", "call me"],
    "credit_card": ["4111 1111 1111 1112"],
    "integer": [1.5, True, "1"],
    "number": ["1", True],
    "boolean": [0],
    "string": [1],
    "array": [{}],
    "object": [[]],
    "json": ["{", "[" * 100_000],
}


def test_types() -> None:
    good = {f"{name}{n}": one for name, values in VALID.items() for n, one in enumerate(values)}
    rules = {f"{name}{n}": name for name, values in VALID.items() for n, _ in enumerate(values)}
    assert mistakes(good, rules) == {}
    bad = {f"{name}{n}": one for name, values in INVALID.items() for n, one in enumerate(values)}
    rules = {f"{name}{n}": name for name, values in INVALID.items() for n, _ in enumerate(values)}
    assert mistakes(bad, rules).keys() == bad.keys()


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        ({"type": "integer", "min": 18}, 17, "must be at least 18, not 17"),
        ({"max": 2.5}, 3, "must be at most 2.5, not 3"),
        ({"min": 3}, "ab", "must be at least 3 characters, not 2"),
        ({"min_length": 1}, [], "must have at least 1 items, not 0"),
        ({"max_length": 1}, "ab", "must have at most 1 characters, not 2"),
        ({"multiple_of": 0.1}, 0.35, "must be a multiple of 0.1, not 0.35"),
        ({"pattern": "^a+$"}, "b", 'does not match "^a+$"'),
        ({"enum": ["x", 1]}, True, 'must be one of "x", 1, not true'),
        ({"not_in": ["root"]}, "root", 'must not be "root"'),
        ({"unique": True}, [1, {"a": 1}, {"a": 1}], "must not have an item twice"),
        ([{"type": "string"}, {"min": 2}], "a", "must be at least 2 characters, not 1"),
        ({"type": "Email", "message": "no!"}, "x", "no!"),
        ("integer", "x", 'must be a whole number, not "x"'),
    ],
)
def test_rules(rule: Any, value: Any, words: str) -> None:
    assert mistakes({"f": value}, {"f": rule}) == {"f": words}


def test_what_is_missing_and_what_is_null() -> None:
    rules: dict[str, Any] = {
        "a": "string",
        "b": "string?",
        "c": {"required": False},
        "d": {"optional": True, "type": "email"},
        "e": {"nullable": True, "type": "string"},
    }
    assert mistakes({"e": None}, rules) == {"a": "is required"}
    assert mistakes({"a": "", "b": None, "d": None, "e": "x"}, rules) == {}
    assert mistakes({"a": None, "e": ""}, rules) == {"a": "must be a string, not nil"}


def test_rules_reach_inside() -> None:
    value = {"user": {"name": "A", "x": 1}, "items": [{"price": 1}, {"price": "2"}, {}], "p": 1}
    rules = {
        "user.name": {"min": 2},
        "items.*.price": "number",
        "items.0.price": "string",
        "user.more.deep": "string",
        "p": {"equals_field": "q"},
    }
    assert mistakes(value, rules) == {
        "user.name": "must be at least 2 characters, not 1",
        "items.1.price": 'must be a number, not "2"',
        "items.2.price": "is required",
        "items.0.price": "must be a string, not 1",
        "user.more.deep": "is required",
        "p": "must be the same as q",
    }
    nested = {"user": {"type": "object", "fields": {"name": "string"}, "strict": True}}
    assert mistakes(value, nested) == {"user.x": "is not expected"}
    assert mistakes({"a": 1, "b": 2}, {"a": "any"}, strict=True) == {"b": "is not expected"}


def test_inputs_that_are_no_table_take_one_rule() -> None:
    assert mistakes("ada@example.com", "email") == {}
    assert mistakes("x", {"type": "email"}) == {"": 'must be an email address, not "x"'}
    assert mistakes("[1, 2, null]", {"items": "number"}) == {"2": "must be a number, not nil"}
    assert mistakes([{"a": 1}], {"items": {"fields": {"a": "string"}}}).keys() == {"0.a"}
    assert mistakes('{"a": 1}', {"a": "number"}) == {}


def test_schemas() -> None:
    schema = {"required": ["a"], "properties": {"b": {"type": "string"}}}
    found = run(input={"b": 1}, schema=schema)
    assert {one["path"] for one in found.result["errors"]} == {"", "b"}
    assert found.result["error_count"] == 2
    both = run(input='{"a": 1}', schema=schema, rules={"a": "string"})
    assert [one["path"] for one in both.result["errors"]] == ["a"]
    with pytest.raises(ValidationError, match="schema"):
        run(input=1, schema={"type": "nothing"})
    with pytest.raises(LLMSpellError, match="schema cannot be used"):
        run(input=1, schema={"$ref": "http://127.0.0.1:9/"})


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"rules": {}}, 'input is required for "validate"'),
        ({"input": 1}, 'rules is required for "validate"'),
        ({"input": {}, "rules": 5}, "rules must be a table of rules by field"),
        ({"input": {}, "rules": {"a": "emial"}}, 'did you mean "email"?'),
        ({"input": {}, "rules": {"a": {"mini": 1}}}, 'did you mean "min"?'),
        ({"input": {}, "rules": {"a": {"min": "x"}}}, "rules.a.min must be a number"),
        ({"input": {}, "rules": {"a": 5}}, "rules.a must be a table, not 5"),
        ({"input": {"a": "x"}, "rules": {"a": {"pattern": "(?=x)"}}}, "regular expression"),
        ({"input": {"a": 1}, "rules": "email?x"}, "rules.type"),
    ],
)
def test_mistakes_in_rules_name_the_place(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(**params)
    assert message in caught.value.message


def test_hostile_values_and_rules_end() -> None:
    assert mistakes({"a": "x" * 100_000 + "!"}, {"a": {"pattern": "^(x+)+$"}}).keys() == {"a"}
    assert len(mistakes(list(range(5000)), {"items": "string"})) == 1000
    assert mistakes({"a": "a." * 50_000}, {"a": "email"}).keys() == {"a"}
    deep: Any = "string"
    for _ in range(2000):
        deep = {"items": deep}
    with pytest.raises((ValidationError, LimitError)):
        run(input=[1], rules=deep)

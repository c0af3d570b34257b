from __future__ import annotations

import asyncio
import time
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, ValidationError
from llmspell_core.tool import ToolResult
from llmspell_tools.util._cases import characters
from llmspell_tools.util._text import PLAIN, WITH_OPTIONS
from llmspell_tools.util.text_manipulator import TextManipulator, TextParameters


def run(operation: str, **params: Any) -> ToolResult:
    tool = TextManipulator()
    parsed = tool.validate({"operation": operation, **params})
    result: ToolResult = asyncio.run(tool.run_tool(parsed, None))  # type: ignore[arg-type]
    return result


CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("uppercase", {"input": "straße é"}, "STRASSE É"),
    ("lowercase", {"input": "HELLO WÖRLD"}, "hello wörld"),
    ("capitalize", {"input": "hello World"}, "Hello World"),
    ("title", {"input": "it's o'neil's WELL-known"}, "It's O'neil's Well-Known"),
    ("trim", {"input": " \n x \t"}, "x"),
    ("reverse", {"input": "e\u0301a👩‍👩‍👧🇩🇪"}, "🇩🇪👩‍👩‍👧ae\u0301"),
    ("replace", {"input": "Hello World", "options": {"from": "World", "to": "you"}}, "Hello you"),
    ("replace", {"input": "aXbx", "from": "x", "to": "$1", "case_sensitive": False}, "a$1b$1"),
    ("replace", {"text": "Hello", "pattern": "l", "replacement": ""}, "Heo"),
    ("regex_replace", {"input": "a1b22", "pattern": r"\d+", "replacement": "#"}, "a#b#"),
    (
        "regex_replace",
        {"input": "John Smith", "pattern": r"(\w+) (?P<last>\w+)", "replacement": "${last}, $1 $$"},
        "Smith, John $",
    ),
    ("regex_replace", {"input": "ab", "pattern": "(a)(b)", "replacement": r"\2\g<1>\\"}, "ba\\"),
    ("extract", {"input": "a=1, b=2", "pattern": r"(\w)=(\d)"}, ["a", "b"]),
    ("extract", {"input": "a=1, b=2", "pattern": r"(\w)=(\d)", "group": 2}, ["1", "2"]),
    ("extract", {"input": "x1 y2", "pattern": r"\d"}, ["1", "2"]),
    ("substring", {"input": "LLMSpell is", "options": {"start": 0, "end": 8}}, "LLMSpell"),
    ("substring", {"input": "héllo", "start": -4, "length": 2}, "él"),
    ("split", {"input": "a,b,,c", "delimiter": ","}, ["a", "b", "", "c"]),
    ("split", {"input": " a  b\tc "}, ["a", "b", "c"]),
    ("split", {"input": "ab", "separator": ""}, ["a", "b"]),
    ("join", {"input": ["a", 1, "c"], "delimiter": "-"}, "a-1-c"),
    ("join", {"input": "a\nb"}, "a b"),
    ("count", {"input": "one two\nthree"}, 3),
    ("count", {"input": "e\u0301👍🏽", "count_type": "chars"}, 2),
    ("count", {"input": "a\nb\n", "count_type": "lines"}, 2),
    ("count", {"input": "é", "count_type": "bytes"}, 2),
    ("count", {"input": "A. B? C", "count_type": "sentences"}, 3),
    ("count", {"input": "a\nb\n\nc", "count_type": "paragraphs"}, 2),
    ("count", {"input": "banana", "count_type": "occurrences", "pattern": "an"}, 2),
    ("word_count", {"input": "to be or not"}, 4),
    ("truncate", {"input": "hello world", "length": 8}, "hello..."),
    ("truncate", {"input": "short", "length": 8}, "short"),
    ("truncate", {"input": "hello", "max_length": 2, "suffix": "…"}, "h…"),
    ("truncate", {"input": "hello", "length": 2}, "he"),
    ("indent", {"input": "a\n\nb", "spaces": 2}, "  a\n\n  b"),
    ("indent", {"input": "a", "prefix": "> "}, "> a"),
    ("dedent", {"input": "  a\n    b"}, "a\n  b"),
    ("word_wrap", {"input": "the quick brown fox\nx", "width": 9}, "the quick\nbrown fox\nx"),
    ("normalize_whitespace", {"input": " a \n\t b "}, "a b"),
    ("slugify", {"input": "Café  Müller's straße!"}, "cafe-mullers-strasse"),
    ("slugify", {"input": "日本 語", "delimiter": "_"}, "日本_語"),
    ("snake_case", {"input": "parseHTTPResponse2 now"}, "parse_http_response2_now"),
    ("camel_case", {"input": "hello_world-again"}, "helloWorldAgain"),
    ("pascal_case", {"input": "hello world"}, "HelloWorld"),
    ("kebab_case", {"input": "HelloWorldFromLLMSpell"}, "hello-world-from-llm-spell"),
    ("sanitize", {"input": "a\x00b\u202ec\r\nd\u200b\te"}, "abc\nd\te"),
    (
        "format",
        {"input": "Hi {name}, {n} {missing}", "values": {"name": "A", "n": 2}},
        "Hi A, 2 {missing}",
    ),
    ("format", {"template": "{1} {{x}} {2}", "values": ["a", True]}, "a {x} true"),
    ("format", {"input": "plain {{text}} {x}"}, "plain {{text}} {x}"),
]


@pytest.mark.parametrize(("operation", "params", "expected"), CASES)
def test_every_operation_gives_what_it_promises(
    operation: str, params: dict[str, Any], expected: Any
) -> None:
    result = run(operation, **params)
    assert result.output == expected
    assert result.result["result"] == expected
    assert result.result["operation"] == operation
    assert isinstance(result.text, str)
    assert result.result["length"] == len(expected if not isinstance(expected, int) else "1")


def test_every_operation_is_tested_and_implemented() -> None:
    literal = TextParameters.model_fields["operation"].annotation
    names = set(get_args(literal))
    assert names == {case[0] for case in CASES}
    assert names == {*PLAIN, *WITH_OPTIONS, "join"}


def test_names_of_operations_may_be_spelled_otherwise() -> None:
    for spelling in ("snake-case", "snakeCase", "SNAKE_CASE", "Snake Case"):
        assert run(spelling, input="aB").output == "a_b"
    assert run("upper", input="a").output == "A"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "upercase", "input": "x"}, 'did you mean "uppercase"?'),
        ({"input": "x"}, "operation is required"),
        ({"operation": "uppercase"}, "input is required"),
        (
            {"operation": "uppercase", "input": {"a": 1}},
            "input must be a string or a list of strings",
        ),
        ({"operation": "uppercase", "input": ["a"]}, 'input must be a string for "uppercase"'),
        ({"operation": "replace", "input": "x", "to": "y"}, 'from is required for "replace"'),
        ({"operation": "replace", "input": "x", "from": "", "to": "y"}, "from must not be empty"),
        ({"operation": "extract", "input": "x"}, 'pattern is required for "extract"'),
        ({"operation": "extract", "input": "x", "pattern": "("}, "missing )"),
        ({"operation": "extract", "input": "x", "pattern": "(?=x)"}, "no valid regular expression"),
        ({"operation": "extract", "input": "x", "pattern": "x", "group": 1}, "must be at most 0"),
        (
            {"operation": "regex_replace", "input": "x", "pattern": "x", "replacement": "$2"},
            'names the group "2"',
        ),
        ({"operation": "truncate", "input": "x", "length": -1}, "length"),
        ({"operation": "truncate", "input": "x", "lenght": 1}, 'did you mean "length"?'),
        ({"operation": "count", "input": "x", "count_type": "wrds"}, 'did you mean "words"?'),
        (
            {"operation": "format", "input": "x", "values": 1},
            "values must be a table or a list, not 1",
        ),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    tool = TextManipulator()
    with pytest.raises(ValidationError) as caught:
        asyncio.run(tool.run_tool(tool.validate(params), None))  # type: ignore[arg-type]
    assert message in caught.value.message
    assert caught.value.details["errors"][0]["field"] or "unknown field" in message or params


def test_a_result_that_would_be_huge_is_refused() -> None:
    with pytest.raises(LimitError):
        run("replace", input="a" * 10_000, **{"from": "a", "to": "b" * 10_000})
    with pytest.raises(LimitError):
        run("regex_replace", input="a" * 10_000, pattern="a", replacement="b" * 10_000)
    with pytest.raises(LimitError):
        run("uppercase", input="a" * (16 * 1024 * 1024 + 1))


def test_no_pattern_takes_long() -> None:
    started = time.monotonic()
    run("extract", input="a" * 20_000 + "!", pattern="(a+)+$")
    assert time.monotonic() - started < 5


@given(st.text())
def test_characters_are_the_text_again(text: str) -> None:
    assert "".join(characters(text)) == text


@given(st.text())
def test_case_changes_are_stable(text: str) -> None:
    for operation in ("snake_case", "kebab_case", "slugify", "sanitize", "normalize_whitespace"):
        once = run(operation, input=text).output
        assert run(operation, input=once).output == once or operation in (
            "snake_case",
            "kebab_case",
        )
    assert run("reverse", input=run("reverse", input="ab" + text).output).text.startswith("a")


@given(st.text(max_size=50), st.text(min_size=1, max_size=3), st.text(max_size=5))
def test_replacing_is_what_python_does(text: str, old: str, new: str) -> None:
    assert run("replace", input=text, **{"from": old, "to": new}).output == text.replace(old, new)


@given(st.text(max_size=50), st.text(min_size=1, max_size=3))
def test_split_and_join_are_inverse(text: str, delimiter: str) -> None:
    parts = run("split", input=text, delimiter=delimiter).output
    assert run("join", input=parts, delimiter=delimiter).output == text


@given(st.text(max_size=60), st.integers(0, 30), st.text(max_size=4))
def test_truncated_texts_are_short_enough(text: str, length: int, suffix: str) -> None:
    cut = run("truncate", input=text, length=length, suffix=suffix).output
    assert len(characters(cut)) <= max(length, 0) or cut == text

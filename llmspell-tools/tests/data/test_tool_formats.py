"""yaml-processor, toml-processor and xml-processor."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import Tool, ToolResult
from llmspell_tools.data import _formats
from llmspell_tools.data.toml_processor import TomlProcessor
from llmspell_tools.data.xml_processor import XmlProcessor
from llmspell_tools.data.yaml_processor import YamlProcessor

TOOLS: dict[str, Tool] = {"yaml": YamlProcessor(), "toml": TomlProcessor(), "xml": XmlProcessor()}


def run(style: str, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            return await TOOLS[style].call(params, runtime.context())

    return asyncio.run(main())


@pytest.mark.parametrize("style", sorted(TOOLS))
def test_exact_examples_are_exact(style: str) -> None:
    for params, shows in TOOLS[style].examples:
        text = run(style, **params).text
        if "," not in shows or shows[0] in "{<a[":
            assert text == shows
        else:
            assert text.startswith("invalid: input" if text[9:14] == "input" else "invalid: is no")


# -- YAML ------------------------------------------------------------------------------------


def test_yaml_is_1_2_and_dates_are_texts() -> None:
    parsed = run("yaml", input="a: yes\nb: 0o17\nc: 2024-05-01\nd: ~\n1: x\n")
    assert parsed.output == {"a": "yes", "b": 15, "c": "2024-05-01", "d": None, "1": "x"}
    assert json.loads(parsed.text) == parsed.output
    assert parsed.metadata["operation"] == "parse"
    assert run("yaml", input="- 1\n---\n- 2\n").output == [[1], [2]]
    assert run("yaml", input="").output is None
    assert run("yaml", input="base: &b {x: 1}\nc: {<<: *b, y: 2}").output["c"] == {"x": 1, "y": 2}
    assert run("yaml", input="!!binary aGk=").output == "aGk="
    assert run("yaml", input="!!set {b, a}").output == ["a", "b"]


def test_yaml_is_written_as_people_write_it() -> None:
    value = {"b": 1, "a": ["yes", "1", "x\ny\n", "a: b"], "ü": None}
    written = run("yaml", operation="generate", input=value).output
    assert written == "b: 1\na:\n- yes\n- '1'\n- |\n  x\n  y\n- 'a: b'\nü: null\n"
    assert run("yaml", input=written).output == value
    assert run("yaml", input={"b": 1, "a": 2}, sort_keys=True).output == "a: 2\nb: 1\n"
    assert run("yaml", input=[1, {"a": 2}], pretty=False).output == "[1, a: 2]\n"
    twice = [1]
    assert run("yaml", operation="generate", input="x").output == "x\n"
    assert "&" not in run("yaml", input={"a": twice, "b": twice}).output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is no YAML: expected the node content"),
        ("a: 1\na: 2", "duplicate key"),
        ("!!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("!!int x", "is no YAML: invalid literal"),
        ("2024-99-99", "is no YAML"),
        ("? [1, 2]\n: 3", "a key that is no text or number"),
        ("a: .nan", "the number nan"),
        ("\x00", "is no YAML"),
        ("1: a\n'1': b", 'has the key "1" twice'),
    ],
)
def test_what_is_no_yaml_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("[", r"\[")) as caught:
        run("yaml", input=text)
    assert caught.value.code == "input.invalid"
    assert caught.value.details["errors"][0]["field"] == "input"


def test_anchors_that_grow_or_hold_themselves_are_stopped() -> None:
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    for text in (laughs, "&a [*a]", "[" * 5000):
        with pytest.raises(LimitError):
            run("yaml", input=text)
    merges = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
    )
    with pytest.raises(LimitError, match="merge keys copy more"):
        run("yaml", input=merges)


# -- TOML ------------------------------------------------------------------------------------


def test_toml_is_read_and_written() -> None:
    text = 'a = 1\nd = 1979-05-27T07:32:00Z\n[[b]]\nc = "x"\n[[b]]\nc = "y"\n'
    value = {"a": 1, "d": "1979-05-27T07:32:00+00:00", "b": [{"c": "x"}, {"c": "y"}]}
    assert run("toml", input=text).output == value
    written = run("toml", input={**value, "none": None}).output
    assert run("toml", input=written).output == value
    with pytest.raises(ValidationError, match="line 2, column 5"):
        run("toml", input="a = 1\nb = =")
    with pytest.raises(ValidationError, match="must be a table"):
        run("toml", operation="generate", input=[1])
    with pytest.raises(ValidationError, match=r"has a null at a\.b\.1"):
        run("toml", input={"a": {"b": [1, None]}})
    with pytest.raises(LLMSpellError):
        run("toml", input="a = " + "[" * 5000)


def test_dates_survive_between_yaml_and_toml() -> None:
    assert run("toml", input="a = 1979-05-27", to="yaml").output == "a: 1979-05-27\n"
    assert run("yaml", input="a: 1979-05-27", to="toml").output == "a = 1979-05-27\n"
    assert run("toml", input="a = inf", to="yaml").output == "a: .inf\n"
    assert run("toml", input="a = 07:32:00", to="yaml").output == "a: 07:32:00\n"
    assert run("toml", input='{"a": 1}', source_format="json").output == "a = 1\n"
    assert run("yaml", operation="convert", input={"a": 1}, to="json", pretty=False).output == (
        '{"a": 1}'
    )
    with pytest.raises(ValidationError, match="the number inf"):
        run("toml", input="a = inf", to="json")


# -- XML -------------------------------------------------------------------------------------

BOOKS = """<?xml version="1.0"?>
<!-- a list -->
<books xmlns:d="urn:d">
  <book id="1"><title lang="en">Emma</title><d:price>30.5</d:price></book>
  <book id="2"><title>Ulysses</title><d:price>12</d:price></book>
</books>"""


def test_xml_becomes_tables_and_back() -> None:
    value = run("xml", input=BOOKS).output
    assert value == {
        "books": {
            "@xmlns:d": "urn:d",
            "book": [
                {"@id": "1", "title": {"@lang": "en", "#text": "Emma"}, "d:price": "30.5"},
                {"@id": "2", "title": "Ulysses", "d:price": "12"},
            ],
        }
    }
    written = run("xml", input=value).output
    assert written.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<books xmlns:d="urn:d">\n')
    assert run("xml", input=written).output == value
    assert run("xml", input="<a/>").output == {"a": None}
    assert run("xml", input=["<x>", True, None], pretty=False).output.split("\n")[1] == (
        "<root><item>&lt;x&gt;</item><item>true</item><item/></root>"
    )
    assert "<list><a>1</a></list>" in run("xml", input={"a": 1}, root="list", pretty=False).output
    two = '<a xmlns="u1"><b xmlns="u2"/></a>'
    assert run("xml", input=two).output == {
        "a": {"@xmlns": "u1", "@xmlns:ns1": "u2", "ns1:b": None}
    }


@pytest.mark.parametrize(
    ("query", "found", "text"),
    [
        ("//book[d:price > 20]/title/text()", ["Emma"], "Emma"),
        ("//book/@id", ["1", "2"], "1\n2"),
        ("count(//book)", 2, "2"),
        ("sum(//d:price)", 42.5, "42.5"),
        ("string(//book[2]/title)", "Ulysses", "Ulysses"),
        ("//nothing", [], ""),
        ("//title[@lang='en']", [{"@lang": "en", "#text": "Emma"}], None),
        ("boolean(//book)", True, "true"),
    ],
)
def test_xpath(query: str, found: Any, text: str | None) -> None:
    result = run("xml", input=BOOKS, query=query)
    assert result.output == found
    assert text is None or result.text == text
    assert result.result["count"] == (len(found) if isinstance(found, list) else 1)


def test_xpath_takes_prefixes_and_names_mistakes() -> None:
    assert run("xml", input=BOOKS, xpath="//p:price", namespaces={"p": "urn:d"}).output == [
        "30.5",
        "12",
    ]
    for query in ("//book[", "//x:y", "foo()", "", "doc('/etc/passwd')", "1 +"):
        with pytest.raises(ValidationError, match="query is no XPath that works"):
            run("xml", operation="xpath", input=BOOKS, query=query)


BOMB = "<!DOCTYPE l [<!ENTITY a 'x'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><r/>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r>&x;</r>',
        BOMB + "]><l>&j;</l>",
        "<a><b></a>",
        "<a b='1' b='2'/>",
        "<x:a/>",
        "no xml",
        "",
        "<a>\ud800</a>",
        "<a>\x00</a>",
    ],
)
def test_entities_and_what_is_no_xml_are_refused(text: str) -> None:
    for params in ({}, {"query": "//a"}, {"operation": "convert"}):
        with pytest.raises(ValidationError, match=r"input is (no XML|refused)"):
            run("xml", input=text, **params)
    assert run("xml", operation="validate", input=text).result["valid"] is False


def test_xml_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = {"a": deep}
    for params in ({"input": "<a>" * 100_000}, {"operation": "generate", "input": deep}):
        with pytest.raises(LimitError, match="nested deeper"):
            run("xml", **params)


@pytest.mark.parametrize(
    "value",
    [
        {"a b": 1},
        {"a": {"@x y": 1}},
        {"a": {"@x": {}}},
        {"a": {"<b": 1}},
        {"a": {"p:b": 1}},
        {"a": "\x01"},
        {"a": {"#text": [1]}},
    ],
)
def test_what_xml_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="input"):
        run("xml", operation="generate", input=value)


# -- all of them -----------------------------------------------------------------------------


def test_schemas_check_the_value() -> None:
    schema = {"properties": {"a": {"type": "integer"}}}
    assert run("yaml", input="a: x", schema=schema).result["errors"][0]["path"] == "a"
    assert run("toml", input="a = 1", schema=schema).text == "valid"
    assert run("xml", input="<a>1</a>", schema=schema).result["valid"] is False
    with pytest.raises(ValidationError, match="schema"):
        run("yaml", input="a", schema={"type": "nothing"})


@pytest.mark.parametrize("style", sorted(TOOLS))
def test_mistakes_name_the_field(style: str) -> None:
    with pytest.raises(ValidationError, match="input is required"):
        run(style, operation="parse")
    with pytest.raises(ValidationError, match="input must be a text"):
        run(style, operation="parse", input=5)
    with pytest.raises(ValidationError, match="target_format must be one of"):
        run(style, input="x", target_format="ini")
    with pytest.raises(ValidationError, match="input is no plain value"):
        run(style, operation="generate", input={"a": float("nan")})


def test_long_texts_are_read_in_a_process_that_can_be_stopped() -> None:
    text = "".join(f"k{n}: {n}\n" for n in range(1800))
    assert run("yaml", input=text).output["k1799"] == 1799


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abc: #-?", min_size=1, max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60)
@given(PLAIN)
def test_what_is_written_as_yaml_is_read_back(value: Any) -> None:
    text = _formats.generate("t", "yaml", json.dumps(value), {})
    assert json.loads(_formats.parse("t", "yaml", text)) == value


@settings(max_examples=150)
@given(
    st.sampled_from(["yaml", "toml", "xml"]),
    st.text(alphabet='ab01:-[]{}&*!|>?<"=/#% \n\t.', max_size=30),
)
def test_any_text_is_a_value_or_a_mistake(style: str, text: str) -> None:
    try:
        json.loads(_formats.parse("t", style, text))
    except LLMSpellError as error:
        assert error.message.startswith("t: input")  # noqa: PT017

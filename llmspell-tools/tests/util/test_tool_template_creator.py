from __future__ import annotations

import asyncio
import html
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.util._handlebars import TemplateError
from llmspell_tools.util._handlebars_run import render
from llmspell_tools.util.template_creator import TemplateCreator


def run(**params: Any) -> ToolResult:
    async def main() -> ToolResult:
        async with Runtime({}) as runtime:
            return await TemplateCreator().call(params, runtime.context())

    return asyncio.run(main())


def test_jinja2_is_the_default() -> None:
    result = run(
        template="Hi {{ name }}:{% for x in xs %} {{ x | upper }}{% endfor %}",
        variables={"name": "Ada", "xs": ["a", "b"]},
    )
    assert result.result == {"rendered": "Hi Ada: A B"}
    assert result.output == result.text == "Hi Ada: A B"
    assert run(input="Hi {{ nobody }}!").output == "Hi !"
    assert run(input="{{ score }}", context={"score": 85.67}, engine="tera").output == "85.67"


def test_strict_names_what_is_missing() -> None:
    with pytest.raises(LLMSpellError, match="nobody"):
        run(input="Hi {{ nobody }}!", strict=True)
    with pytest.raises(ValidationError, match='line 1: "nobody" has no value'):
        run(input="Hi {{nobody}}!", strict=True, engine="handlebars")


def test_a_handlebars_template_taken_for_jinja2_gets_a_hint() -> None:
    with pytest.raises(LLMSpellError) as caught:
        run(input="{{#each xs}}{{this}}{{/each}}", context={"xs": [1]})
    assert 'engine = "handlebars"' in (caught.value.hint or "")


def test_an_endless_template_ends() -> None:
    started = time.monotonic()
    with pytest.raises(LLMSpellError):
        run(
            input="{% for a in r %}{% for b in r %}{{ a * b }}{% endfor %}{% endfor %}",
            context={"r": [*range(9999)]},
        )
    nested = "{{#each a}}{{#each @root.a}}{{#each @root.a}}x{{/each}}{{/each}}{{/each}}"
    with pytest.raises(LimitError):
        run(input=nested, context={"a": list(range(3000))}, engine="handlebars")
    assert time.monotonic() - started < 30


def test_wrong_parameters() -> None:
    with pytest.raises(ValidationError, match="input is required"):
        run()
    with pytest.raises(ValidationError, match="engine must be one of jinja2, handlebars"):
        run(input="x", engine="mako")
    with pytest.raises(ValidationError, match="context must be a table"):
        run(input="x", context="y")


@pytest.mark.parametrize(
    ("template", "context", "expected"),
    [
        ("Hello, {{name}}! {{count}}", {"name": "Ada", "count": 5}, "Hello, Ada! 5"),
        ("{{h}} {{{h}}} {{&h}} {{~{h}~}} .", {"h": "<b>'"}, "&lt;b&gt;&#x27; <b>' <b>'<b>'."),
        (
            "{{#each items}}Item {{@index}}: {{this}}\n{{/each}}",
            {"items": [1, 2]},
            "Item 0: 1\nItem 1: 2\n",
        ),
        (
            "<ul>\n{{#each xs}}\n  <li>{{@key}} {{name}} {{../t}} {{@root.t}}</li>\n{{else}}\n"
            " none\n{{/each}}\n</ul>",
            {"xs": [{"name": "a"}], "t": "T"},
            "<ul>\n  <li>0 a T T</li>\n</ul>",
        ),
        ("{{#each xs}}x{{else}}none{{/each}}", {"xs": []}, "none"),
        (
            "{{#each o}}{{@key}}={{this}}{{#unless @last}}, {{/unless}}{{/each}}",
            {"o": {"a": 1, "b": 2}},
            "a=1, b=2",
        ),
        (
            "{{#each xs}}{{#if @first}}first {{/if}}{{this.n}}{{/each}}",
            {"xs": [{"n": 1}, {"n": 2}]},
            "first 12",
        ),
        ("{{#if a}}A{{else if b}}B{{else}}C{{/if}}", {"b": 1}, "B"),
        ("{{#if a}}A{{else if b}}B{{else}}C{{/if}}", {}, "C"),
        ("{{#if a}}A{{^}}B{{/if}}", {}, "B"),
        ("{{#unless a}}U{{else}}A{{/unless}}", {"a": 0}, "U"),
        ("{{#with p}}{{x}} {{../y}}{{else}}no{{/with}}", {"p": {"x": 1}, "y": 2}, "1 2"),
        ("{{#with p}}{{x}}{{else}}no{{/with}}", {}, "no"),
        (
            "{{^z}}none{{/z}}{{#q}}{{x}}{{/q}}{{#p}}{{x}}{{/p}}{{#b}}yes{{/b}}",
            {"q": [{"x": 1}, {"x": 2}], "p": {"x": 3}, "b": True},
            "none123yes",
        ),
        ("a  {{~x~}}  b \\{{x}}{{! c }}{{!-- {{x}} --}}", {"x": 1}, "a1b {{x}}"),
        ("x\n  {{! c }}\ny\n {{!-- c\n --}}  \nz", {}, "x\ny\nz"),
        ("{{a.[b c].0}} {{a.b.length}} {{a/b/1}}", {"a": {"b c": ["Z"], "b": [1, 2]}}, "Z 2 2"),
        ("{{x}}{{y}}{{z}}", {"x": None, "y": True, "z": [1, [2]]}, "true1,2"),
        ("{{this.x}}{{./x}}", {"x": 1}, "11"),
        ("{{__class__}}{{x.__class__}}{{x.y}}{{../x}}", {"x": "s"}, ""),
        ("{ {{x}} } {a}", {"x": 1}, "{ 1 } {a}"),
        ("", {}, ""),
    ],
)
def test_handlebars(template: str, context: dict[str, Any], expected: str) -> None:
    assert render(template, context) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a\n{{#if x}}", "line 2: {{#if}} is never closed"),
        ("{{/if}}", "closes nothing"),
        ("{{#if x}}\n{{/each}}", "line 2: {{/each}} where {{/if}} is expected (opened in line 1)"),
        ("{{else}}", "outside of a block"),
        ("{{#if x}}{{else}}{{else}}{{/if}}", "a second {{else}}"),
        ("{{upper name}}", 'unknown helper "upper"'),
        ("{{#repeat 3}}x{{/repeat}}", 'unknown helper "repeat"'),
        ("{{> header}}", "partials"),
        ("{{}}", "a name is missing"),
        ("{{#if}}{{/if}}", "a name is missing"),
        ("{{x", "never closed"),
        ("{{#each a}}" * 50, "nested deeper than 40"),
    ],
)
def test_handlebars_mistakes_have_a_line(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, {})
    assert message in str(caught.value)


def test_reading_a_template_takes_linear_time() -> None:
    started = time.monotonic()
    for template in ("{{" * 300_000, "{{!--" * 200_000, "{{" + " " * 500_000, "\\{{" * 100_000):
        try:
            render(template, {})
        except (TemplateError, LimitError):
            continue
    assert time.monotonic() - started < 10


TEXT = st.text(alphabet=st.characters(exclude_characters="{}\\", exclude_categories=["Cs"]))


@given(TEXT, st.text())
def test_text_stays_and_values_are_escaped(text: str, value: str) -> None:
    made = render(f"{text}|{{{{v}}}}|{{{{{{v}}}}}}", {"v": value})
    head, escaped, raw = made[: len(text)], *made[len(text) + 1 :].split("|", 1)
    if "|" not in value:
        assert (head, html.unescape(escaped) if "&" not in value else value, raw) == (
            text,
            value,
            value,
        )
        assert not set(escaped) & set("<>\"'`=")


@given(st.lists(st.integers()), TEXT)
def test_each_runs_once_an_item(items: list[int], text: str) -> None:
    body = text.replace("\n", "").replace("\r", "") + "."
    made = render(f"{{{{#each items}}}}{body}{{{{this}}}}{{{{/each}}}}", {"items": items})
    assert made == "".join(f"{body}{item}" for item in items)


@given(st.text(alphabet="{}#/^&>!~.@[] abelsifunthwx\\\n-", max_size=60))
def test_any_template_renders_or_says_why_not(template: str) -> None:
    line = 1
    try:
        assert isinstance(render(template, {"a": [1, {"b": "x"}], "b": {"a": 1}}), str)
    except TemplateError as error:
        line = error.line
    assert 1 <= line <= template.count("\n") + 1

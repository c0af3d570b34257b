from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, LLMSpellError
from llmspell_core.templating import (
    UNDEFINED,
    Piece,
    TemplateError,
    compile_expression,
    has_statements,
    render,
    split_template,
)

DATA = {
    "name": "Ada",
    "n": 4,
    "list": list(range(1000)),
    "table": {"items": [1, 2], "get": "field", "deep": {"x": 5}},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("Hello {{ name }}!\n", "Hello Ada!\n"),
        ("{{ table.items }} {{ table.get }} {{ table['deep'].x + 1 }}", "[1, 2] field 6"),
        ("{{ missing }}|{{ missing.a.b }}|{{ missing.a | default('d') }}", "||d"),
        ("{% for i in list if i < 2 %}{{ loop.index }}{{ loop.last }} {% endfor %}",
         "1False 2True "),
        ("{{ name | upper | replace('A', 'x') }} {{ name.lower() }}", "xDx ada"),
        ("{{ '%05d' % n }} {{ n ~ name }} {{ '%s!' | format(name) }}", "00004 4Ada Ada!"),
        ("{% set x %}<{{ n }}>{% endset %}{{ x }}{{ x }}", "<4><4>"),
        ("{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(3, 4) }}", "1234"),
        ("{% set ns = namespace(v=0) %}{% for i in range(3) %}{% set ns.v = ns.v + i %}"
         "{% endfor %}{{ ns.v }}", "3"),
        ("{{ [{'k': 2}, {'k': 1}] | sort(attribute='k') | map(attribute='k') | join(',') }}",
         "1,2"),
        ("{{ table | tojson }}", '{"deep": {"x": 5}, "get": "field", "items": [1, 2]}'),
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
        ("{% if n > 3 and name %}yes{% else %}no{% endif %}", "yes"),
        ("{{ 7 // 2 }} {{ 2 ** 10 }} {{ 7 % 4 }} {{ -n }} {{ [1] + [2] }} {{ 'ab' * 2 }}",
         "3 1024 3 -4 [1, 2] abab"),
    ],
)  # fmt: skip
def test_templates_render(template: str, text: str) -> None:
    assert render(template, DATA) == text


def test_strict_templates_refuse_what_is_missing() -> None:
    with pytest.raises(TemplateError, match="missing") as caught:
        render("{{ missing }}", {}, strict=True)
    assert caught.value.code == "template.undefined"
    assert render("{{ missing | default('d') }}", {}, strict=True) == "d"


@pytest.mark.parametrize(
    "template", ["a\n{{ name", "{% for %}", "{{ a b }}", "{% nope %}", "{{ 1 | nope }}"]
)
def test_a_wrong_template_names_its_line(template: str) -> None:
    with pytest.raises(TemplateError, match="line") as caught:
        render(template, DATA)
    assert caught.value.code == "template.syntax"


FORBIDDEN = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ ''['_' ~ '_class__'] }}",
    "{{ '\\x5f' }}{{ ''['\\x5f_class__'] }}",
    "{{ [].__class__.__mro__ }}",
    "{{ table.__init__.__globals__ }}",
    "{{ missing.__class__ }}",
    "{{ self.__init__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ dict.mro() }}",
    "{{ dict.__subclasses__() }}",
    "{{ list | map(attribute='__class__') | list }}",
    "{{ [{}] | selectattr('__class__') | list }}",
    "{{ [1] | groupby('__class__') }}",
    "{{ [1] | sort(attribute='__class__') }}",
    "{{ [1] | map('attr', '__class__') | list }}",
    "{{ table.items.__self__ }}",
    "{{ {}.items.__self__ }}",
    "{{ list.append(1) }}",
    "{{ {}.update({}) }}",
    "{{ n.bit_length() }}",
    "{{ n.real.__class__ }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({}) }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% for i in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{{ caller.__class__ }}",
    "{{ name.encode() }}",
    "{{ name.translate({}) }}",
]


@pytest.mark.parametrize("template", FORBIDDEN)
def test_no_template_reaches_python(template: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, DATA)
    assert caught.value.code == "template.forbidden"
    assert " at 0x" not in caught.value.message


@pytest.mark.parametrize(
    "name",
    ["lipsum", "cycler", "joiner", "env", "environment", "os", "open", "config", "__builtins__"],
)
def test_other_names_are_simply_missing(name: str) -> None:
    assert render("{{ " + name + " }}", {}) == ""


@pytest.mark.parametrize(
    "template",
    ["{% include 'a' %}", "{% import 'a' as b %}", "{% from 'a' import b %}", "{% extends 'a' %}"],
)
def test_there_are_no_other_templates(template: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template)
    assert caught.value.code == "template.syntax"


BOMBS = [
    "{{ range(10 ** 9) }}",
    "{{ range(10 ** 9) | list }}",
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'a' }}",
    "{{ [1] * 10 ** 9 }}",
    "{{ ('a' * 10 ** 6) * 10 ** 3 }}",
    "{{ 9 ** 9999999 }}",
    "{{ (9 ** 3000) ** 3000 }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%.999999999f' % 1.5 }}",
    "{{ '%99999999d' | format(1) }}",
    "{{ 'x' | center(10 ** 9) }}",
    "{{ 'x' | indent(10 ** 9) }}",
    "{{ 'a\\na' | indent('x' * 8000000) }}",
    "{{ ('a' * 1000) | replace('a', 'b' * 100000) }}",
    "{{ ('a' * 5000) | replace('', 'b' * 100000) }}",
    "{{ list | join('x' * 100000) }}",
    "{{ list | batch(10 ** 9, 'x') | list }}",
    "{{ list | slice(10 ** 8) | list }}",
    "{{ [1] | tojson(indent=10 ** 9) }}",
    "{% for a in list %}{% for b in list %}{% for c in list %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in range(10000) %}{% for j in range(10000) %}x{% endfor %}{% endfor %}",
    "{% set s = namespace(v='abc') %}{% for i in range(60) %}{% set s.v = s.v ~ s.v %}{% endfor %}",
    "{% set s = namespace(v='abc') %}{% for i in range(60) %}{% set s.v = s.v + s.v %}{% endfor %}",
    "{% set s = namespace(v=[1]) %}{% for i in range(60) %}{% set s.v = s.v + s.v %}{% endfor %}",
    "{% set ns = namespace(v='aaaaaaaa') %}{% for i in range(60) %}"
    "{% set ns.v %}{{ ns.v }}{{ ns.v }}{% endset %}{% endfor %}",
    "{% set x %}{% for i in range(10000) %}" + "q" * 100_000 + "{% endfor %}{% endset %}",
    "{% macro m() %}" + "q" * 100_000 + "{% endmacro %}"
    "{% for i in range(10000) %}{% set y = m() %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ " + "'a' | center(10000) ~ " * 2000 + "'' }}",
    "{{ 'a' | center(10000) }}" * 2000,
    "{{ 1" + " + 1" * 3000 + " }}",
    "{{ x" + " | upper" * 3000 + " }}",
    "{{ x" + ".a" * 3000 + " }}",
    "x" * 300_000 + "{{ n }}",
]  # fmt: skip


@pytest.mark.parametrize("template", BOMBS, ids=range(len(BOMBS)))
def test_bombs_end_in_an_error_at_once(template: str) -> None:
    started = time.process_time()
    with pytest.raises(LimitError) as caught:
        render(template, DATA)
    assert caught.value.code in ("limit.template_steps", "limit.template_size")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "[" * 3000 + "]" * 3000 + " }}",
        "{{ " + "not " * 3000 + "1 }}",
        "{{ " + "-" * 3000 + "1 }}",
        "{{ " + "1 if 1 else " * 3000 + "1 }}",
        "{% if 1 %}" * 300 + "{% endif %}" * 300,
    ],
)
def test_deep_nesting_is_an_error_and_no_crash(template: str) -> None:
    with pytest.raises(LLMSpellError):
        render(template)


def test_an_expression_keeps_the_type_of_its_value() -> None:
    for text, value in {
        "n > 3 and name == 'Ada'": True,
        "table.items": [1, 2],
        "table.deep": {"x": 5},
        "n / 2": 2.0,
        "none": None,
        "list | length": 1000,
        "name ~ n": "Ada4",
        "missing is undefined": True,
        "missing | default([])": [],
    }.items():
        assert compile_expression(text)(DATA) == value


def test_a_value_that_is_not_there_is_undefined() -> None:
    assert compile_expression("missing")(DATA) is UNDEFINED
    assert compile_expression("table.nope.deeper")(DATA) is UNDEFINED
    assert not UNDEFINED


def test_an_expression_knows_the_paths_it_reads_and_is_compiled_once() -> None:
    expression = compile_expression("steps.a.output > input['n'] and steps['b'].x | default(y)")
    assert expression.names == ("steps.a.output", "input.n", "steps.b.x", "y")
    assert compile_expression(expression.text) is expression


@pytest.mark.parametrize("text", ["a +", "}} {{ x", "", "1 2", "x.__class__", "(" * 200])
def test_a_wrong_expression_is_an_error_that_shows_it(text: str) -> None:
    if text == "":
        assert compile_expression(text)({}) is None
        return
    with pytest.raises(TemplateError) as caught:
        compile_expression(text)({"x": 1})
    assert caught.value.message


def test_expressions_are_bounded() -> None:
    with pytest.raises(LimitError):
        compile_expression("1 + " * 2000 + "1")
    with pytest.raises(LimitError):
        compile_expression("'a' * 10 ** 9")({})


def test_a_template_is_split_at_its_expressions() -> None:
    assert split_template("a {{ x }} b {{- '}}' ~ y -}}{{ {'k': 1}.k }} {") == (
        "a ",
        Piece("{{ x }}", "x"),
        " b ",
        Piece("{{- '}}' ~ y -}}", "'}}' ~ y"),
        Piece("{{ {'k': 1}.k }}", "{'k': 1}.k"),
        " {",
    )
    assert split_template("none {{ open") == ("none {{ open",)
    assert has_statements("{% if x %}{% endif %}")
    assert not has_statements("{{ x }}")


def test_threads_count_for_themselves() -> None:
    template = "{% for i in range(9000) %}{% for j in range(9) %}{% endfor %}{% endfor %}ok"
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(render(template))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["ok"] * 4


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}%#'\"_.[]()|~+*-x1 \n\\", max_size=60))
def test_any_text_renders_or_is_an_error_of_ours(template: str) -> None:
    with contextlib.suppress(LLMSpellError):
        assert isinstance(render(template, {"x": {"x": 1}}), str)


@given(st.text(alphabet=st.characters(exclude_characters="{"), max_size=100))
def test_text_without_braces_stays_as_it_is(text: str) -> None:
    assert render(text) == text
    assert "".join(str(piece) for piece in split_template(text)) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_lone_variable_comes_back_unchanged(value: Any) -> None:
    assert compile_expression("value")({"value": value}) == value

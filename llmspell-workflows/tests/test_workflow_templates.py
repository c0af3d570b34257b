"""Templates: what stands in `input` and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_core.workflow import StepResult
from llmspell_workflows import Workflow
from llmspell_workflows.expressions import Expression, Missing
from llmspell_workflows.scope import Scope
from llmspell_workflows.templates import ABSENT, Rendering, compile_value, split

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


async def no_state(key: str) -> Any:
    return Missing.UNKNOWN


def scope(input: Any = None, shared: dict[str, Any] | None = None, **outputs: Any) -> Scope:
    results = {n: StepResult(name=n, type="custom", output=v) for n, v in outputs.items()}
    results["skipped"] = StepResult(name="skipped", type="custom", skipped=True)
    results["failed"] = StepResult(name="failed", type="custom", success=False, error={})
    return Scope(input, results, shared or {}, no_state)


def render(value: Any, names: Scope, missing: list[str] | None = None, **options: Any) -> Any:
    def note(expression: Expression, why: Missing) -> None:
        if missing is not None:
            missing.append(expression.source)

    node = compile_value(value, names.results)
    return node.render(Rendering(names.resolve, note, **options))


def with_runtime(work: Callable[[ExecutionContext], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            return await work(runtime.context())

    return asyncio.run(main())


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_any_value_passes_through_a_lone_expression_unchanged(value: Any) -> None:
    names = scope({"v": value}, {"s": value}, search=value)
    for text in (
        "{{input.v}}",
        "{{ search }}",
        "{{step:search}}",
        "{{steps.search.output}}",
        "{{shared.s}}",
    ):
        found = render(text, names)
        assert found == value
        assert type(found) is type(value)


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_a_value_without_braces_is_rendered_as_itself(value: Any) -> None:
    if "{{" not in repr(value):
        assert render(value, scope()) == value


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_split_and_put_together_again(text: str) -> None:
    parts = split(text, ["a-b"])
    assert "".join(p if isinstance(p, str) else p.source for p in parts) == text


def test_step_and_steps_dot_and_colon_result_and_output_are_the_same() -> None:
    names = scope(search={"title": "T", "tags": ["x", "y"]})
    for text in (
        "{{steps.search.output.title}}",
        "{{step:search:output.title}}",
        "{{step.search.result.title}}",
        "{{steps:search:result:title}}",
        "{{ steps['search'].output['title'] }}",
        "{{search.title}}",
    ):
        assert render(text, names) == "T", text
    assert render("{{search.tags[1]}}", names) == "y"
    assert render("{{search.tags[-1]}}", names) == "y"


def test_names_of_steps_may_hold_hyphens_and_spaces() -> None:
    names = scope({"a": 5, "b": 2}, None, **{"fetch-data": 1, "two words": 2})
    assert render("{{steps.fetch-data.output}}", names) == 1
    assert render("{{fetch-data}}", names) == 1
    assert render("{{step:two words:output}}", names) == 2
    assert render("{{ a-b }}", names) == 3


def test_an_input_field_comes_before_a_step_and_a_step_before_shared_data() -> None:
    names = scope({"a": "input"}, {"a": "shared", "b": "shared", "c": "shared"}, a="step", b="step")
    assert render("{{a}} {{b}} {{c}}", names) == "input step shared"


def test_expressions_take_operators_filters_and_methods() -> None:
    names = scope({"n": 4, "name": "ada", "items": [3, 1, 2]}, total=2.5)
    assert render("{{ input.n * 2 + steps.total.output }}", names) == 10.5
    assert render("{{ name | upper }}!", names) == "ADA!"
    assert render("{{ name.upper() }}", names) == "ADA"
    assert render("{{ input.items | sort | join(', ') }}", names) == "1, 2, 3"
    assert render("{{ 'many' if input.n > 3 else 'few' }}", names) == "many"
    assert render("{{ '}}' ~ \"{{\" }}", names) == "}}{{"
    assert render("{{ {'a': {'b': n}} }}", names) == {"a": {"b": 4}}


def test_fields_of_data_win_over_methods_of_python() -> None:
    names = scope({"items": 7, "keys": {"values": 8}})
    assert render("{{input.items}}", names) == 7
    assert render("{{ input.items + 1 }}", names) == 8
    assert render("{{input.keys.values}}", names) == 8


def test_a_step_that_was_skipped_or_failed_is_undefined() -> None:
    names = scope()
    missing: list[str] = []
    assert render("a{{steps.skipped.output}}b", names, missing) == "ab"
    assert render("{{steps.failed.output}}", names, missing) is ABSENT
    assert render({"x": "{{failed}}", "y": 1}, names, missing) == {"y": 1}
    assert render(["{{failed}}", 1], names, missing) == [None, 1]
    assert len(missing) == 4
    assert render("{{ steps.skipped.output | default('d') }}", names, missing) == "d"
    assert render("{{ skipped or 'e' }}", names, missing) == "e"
    assert render("{{ steps.failed.success }}", names, missing) is False
    assert len(missing) == 4


def test_an_unknown_name_stays_as_it_was_written_and_is_told() -> None:
    missing: list[str] = []
    names = scope({"a": 1}, ok={"x": 1})
    text = "{{nope}} {{ nope | upper }} {{input.b}} {{steps.ok.output.y.z}} {{shared.q}} {{a}}"
    assert render(text, names, missing) == text.replace("{{a}}", "1")
    assert missing == [
        "{{nope}}",
        "{{ nope | upper }}",
        "{{input.b}}",
        "{{steps.ok.output.y.z}}",
        "{{shared.q}}",
    ]


def test_the_environment_is_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    for text in ("{{env.SECRET}}", "{{ env.SECRET }}x", "{{ env['SECRET'] }}"):
        assert render(text, scope()) == text


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ name.__class__.__mro__ }}",
        "{{ (1).__class__ }}",
        "{{ name['__class__'] }}",
        "{{ name | attr('__class__') }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ 'x' * 10000000000 }}",
        "{{ range(1000000000) | list }}",
    ],
)
def test_templates_reach_nothing_of_python(text: str) -> None:
    codes: list[str] = []
    found: Any = text
    try:
        found = render(text, scope({"name": "ada"}))
    except LLMSpellError as error:
        codes.append(error.code)
    # Refused, or left as it was written.
    assert found == text
    assert all(code.startswith(("workflow.template", "limit.")) for code in codes)


def test_objects_are_read_as_their_data_only() -> None:
    class Opaque:
        secret = "s"

    assert render("{{input.secret}}", scope(Opaque())) == "{{input.secret}}"


@pytest.mark.parametrize("text", ["{{ { }} " * 20_000, "{{" * 100_000, "{{ ' }} " * 20_000])
def test_broken_braces_take_no_time(text: str) -> None:
    assert "".join(p if isinstance(p, str) else p.source for p in split(text)) == text


def test_only_prefixed_names_are_filled_in_where_the_tool_renders_the_text_itself() -> None:
    names = scope({"name": "ada"}, search="S")
    text = "{{ name }} {{ name | upper }} {{ 1 + 1 }} {{steps.search.output}} {{input.name}}"
    found = render(text, names, prefixed_only=True)
    assert found == "{{ name }} {{ name | upper }} {{ 1 + 1 }} S ada"


def test_what_is_rendered_is_a_copy() -> None:
    given = {"list": [1]}
    names = scope(given)
    render("{{input.list}}", names).append(2)
    render({"x": [1]}, names)["x"].append(2)
    assert given == {"list": [1]}


def test_values_in_a_text_are_written_as_people_read_them() -> None:
    names = scope({"yes": True, "none": None, "list": [1, "a"], "table": {"k": "ä"}, "f": 1.5})
    text = "{{yes}} [{{input.none}}] {{list}} {{table}} {{f}}"
    assert render(text, names) == 'true [] [1, "a"] {"k": "ä"} 1.5'


def test_shared_data_falls_back_to_state_and_a_run_writes_only_its_own() -> None:
    async def work(ctx: ExecutionContext) -> None:
        await ctx.state.set("city", "Oslo")
        await ctx.state.set("n", 1)
        workflow = Workflow(
            "w",
            [
                {"name": "set", "execute": lambda c: c.set_shared_data("n", 2)},
                {
                    "name": "a",
                    "template": "{{shared.city}} {{city}} {{shared.n}} {{ shared.n + 1 }}",
                },
                {"name": "b", "execute": lambda c: c.get_shared_data("city")},
            ],
        )
        result = await workflow.run_result(None, ctx)
        assert result.outputs["a"] == "Oslo Oslo 2 3"
        assert result.output == "Oslo"
        assert result.state == {"n": 2}
        assert await ctx.state.get("n") == 1

    with_runtime(work)


def test_variables_are_further_names_of_one_step() -> None:
    async def work(ctx: ExecutionContext) -> None:
        workflow = Workflow(
            "w",
            [
                {"name": "a", "template": "{{who}} {{n}}", "variables": {"who": "{{input.name}}"}},
                {"name": "b", "template": "{{who}} {{x}}", "input": {"x": "{{a}}"}},
            ],
        )
        result = await workflow.run_result({"name": "Ada", "n": 3}, ctx)
        assert result.outputs == {"a": "Ada 3", "b": "{{who}} Ada 3"}
        assert result.warnings == ['step "b": {{who}} has no value: left as written']

    with_runtime(work)


def test_strict_templates_fail_on_a_name_without_a_value() -> None:
    async def work(ctx: ExecutionContext) -> None:
        steps = [{"name": "a", "template": "{{nope}}"}]
        result = await Workflow("w", steps, strict_templates=True).run_result(None, ctx)
        assert not result.success
        assert result.error is not None
        assert result.error["code"] == "workflow.template"
        assert "{{nope}} has no value" in result.text

        steps = [{"name": "a", "template": "{{nope | default('x')}}"}]
        assert (
            await Workflow("w", steps, strict_templates=True).run_result(None, ctx)
        ).output == "x"

    with_runtime(work)

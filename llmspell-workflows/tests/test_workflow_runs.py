"""Running workflows: kinds of steps, what each gives, and the whole result."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from pydantic import Field

from llmspell_core.agent import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError, NotFoundError, ValidationError
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.runtime import Runtime
from llmspell_core.tool import Tool, ToolParameters, ToolResult, tool
from llmspell_workflows import Workflow, WorkflowFailed


@tool
def double(n: int) -> ToolResult:
    """Twice N."""
    return ToolResult({"value": 2 * n, "of": n}, output=2 * n)


@tool(name="say")
def say(input: str = "nothing") -> str:
    """Say it."""
    return f"said {input}"


class Greeter(Tool):
    """Fills in its own template."""

    name = "greeter"

    class Parameters(ToolParameters):
        aliases: ClassVar[dict[str, str]] = {"template": "input"}
        input: str = Field(json_schema_extra={"format": "template"})
        context: dict[str, Any] = Field(default_factory=dict)

    async def run_tool(self, params: Any, ctx: Any) -> str:
        return f"{params.input} | {params.context}"


class Echo(Agent):
    def __init__(self, name: str = "echo", data: Any = None) -> None:
        super().__init__(name)
        self.data = data
        self.inputs: list[AgentInput] = []

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        self.inputs.append(input)
        return AgentOutput(text=f"echo: {input.text}", data=self.data, agent=self.name)


def with_runtime(work: Callable[[ExecutionContext], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            return await work(runtime.context())

    return asyncio.run(main())


def run(steps: list[Any], input: Any = None, **options: Any) -> Any:
    return with_runtime(lambda ctx: Workflow("w", steps, **options).run_result(input, ctx))


def test_a_run_in_order_with_the_documented_result() -> None:
    result = run(
        [
            {"name": "sum", "tool": double, "input": {"n": "{{input.price}}"}},
            {"name": "line", "execute": lambda c: f"total: {c.steps['sum'].output}"},
        ],
        {"price": 21},
    )
    assert result.success
    assert result.output == "total: 42"
    assert result.outputs == {"sum": 42, "line": "total: 42"}
    assert result.warnings == []
    assert result.error is None
    assert result.failed_step is None
    assert re.fullmatch(
        r"Sequential workflow 'w' completed successfully: 2 of 2 steps in \d+ ms", result.text
    )
    assert result.data == {"steps_executed": 2, "final_output": "total: 42"}
    meta = result.metadata
    assert (meta["workflow"], meta["type"]) == ("w", "sequential")
    assert (meta["steps_executed"], meta["steps_succeeded"], meta["steps_failed"]) == (2, 2, 0)
    assert meta["execution_time_ms"] == result.duration_ms > 0
    assert meta["extra"]["workflow_name"] == "w"
    assert meta["extra"]["total_steps"] == meta["extra"]["successful_steps"] == 2
    assert meta["extra"]["execution_id"] == meta["execution_id"]
    first = result.steps[0]
    assert (first.name, first.type, first.success, first.attempts) == ("sum", "tool", True, 1)
    assert first.result.result == {"value": 42, "of": 21}
    assert not first.skipped


def test_the_script_form_has_every_field_and_is_json() -> None:
    data = run([{"name": "a", "template": "x"}]).to_script().data
    assert {
        "success",
        "text",
        "output",
        "outputs",
        "data",
        "warnings",
        "duration_ms",
        "steps",
    } <= set(data)
    assert {"state", "metadata"} <= set(data)
    assert "error" not in data
    assert "failed_step" not in data
    json.dumps(data["outputs"])


def test_steps_without_names_are_numbered() -> None:
    result = run(
        [lambda c: 1, {"template": "{{step_1}}"}, {"name": "x", "template": "{{step_2}}!"}]
    )
    assert list(result.outputs) == ["step_1", "step_2", "x"]
    assert result.output == "1!"


def test_a_tool_by_name_object_and_with_a_lone_value() -> None:
    async def work(ctx: ExecutionContext) -> None:
        ctx.overlay.tools.register("say", say)
        result = await Workflow(
            "w",
            [
                {"name": "a", "tool": "say", "input": {"input": "{{input}}"}},
                {"name": "b", "tool": say, "input": "{{a}} again"},
                {"name": "c", "tool": "say"},
                {"name": "raw", "template": "{{steps.a.raw.success}} {{steps.a.raw.text}}"},
            ],
        ).run_result("hello", ctx)
        assert result.outputs == {
            "a": "said hello",
            "b": "said said hello again",
            "c": "said nothing",
            "raw": "true said hello",
        }

    with_runtime(work)


def test_a_field_that_a_tool_declares_as_a_template_keeps_its_bare_names() -> None:
    result = run(
        [
            {"name": "who", "template": "Ada"},
            {
                "name": "it",
                "tool": Greeter(),
                "input": {
                    "template": "Dear {{ name }} of {{steps.who.output}} {{input.city}}",
                    "context": {"name": "{{who}}"},
                },
            },
        ],
        {"city": "Oslo"},
    )
    assert result.output == "Dear {{ name }} of Ada Oslo | {'name': 'Ada'}"
    assert result.warnings == []


def test_an_agent_gets_text_and_gives_text_or_data() -> None:
    echo, counter = Echo(), Echo("counter", data={"n": 3})
    result = run(
        [
            {"name": "a", "agent": echo, "input": "about {{topic}}"},
            {"name": "b", "agent": counter, "input": {"prompt": "count {{a}}"}},
            {"name": "c", "agent": echo},
            {"name": "d", "agent": echo, "input": "x", "variables": {"tone": "{{input.topic}}"}},
        ],
        {"topic": "tea"},
    )
    assert result.outputs["a"] == "echo: about tea"
    assert result.outputs["b"] == {"n": 3}
    assert result.outputs["c"] == 'echo: {"topic": "tea"}'
    assert echo.inputs[-1].variables == {"tone": "tea"}
    answers = result.metadata["extra"]["agent_outputs"]
    assert answers["a"] == "echo: about tea"
    assert answers["counter"] == {"n": 3}


def test_a_function_gets_the_context_and_may_say_how_it_went() -> None:
    seen: dict[str, Any] = {}

    async def look(c: Any) -> dict[str, Any]:
        seen.update(input=c.input, name=c.name, steps=list(c.steps), shared=c.shared_data)
        first = c.steps["first"]
        seen["first"] = (first.output, first.result, first.success, first.error)
        return {"success": True, "output": c.get_step_output("first") + 1}

    result = run(
        [
            {"name": "first", "execute": lambda c: c.set_shared_data("k", [1]) or 1},
            {"name": "look", "execute": look},
            {"name": "own", "execute": lambda c: c.input, "input": {"x": "{{look}}"}},
            {
                "name": "from",
                "execute": lambda c: c.input,
                "input": lambda c: c.steps["own"].output,
            },
        ],
        {"n": 1},
    )
    assert seen == {
        "input": {"n": 1},
        "name": "look",
        "steps": ["first"],
        "shared": {"k": [1]},
        "first": (1, 1, True, None),
    }
    assert result.outputs == {"first": 1, "look": 2, "own": {"x": 2}, "from": {"x": 2}}
    assert result.state == {"k": [1]}


def test_a_function_that_says_it_failed_has_failed() -> None:
    for error in ("no luck", {"message": "no luck", "code": "my.code"}, None):
        result = run([{"name": "a", "execute": lambda c, e=error: {"success": False, "error": e}}])
        assert not result.success
        assert result.error is not None
        assert result.error["message"] in (
            "no luck",
            "the step's function returned success = false",
        )
    assert run([lambda c: {"success": "maybe"}]).output == {"success": "maybe"}


def test_functions_get_copies() -> None:
    given = {"list": [1]}

    def spoil(c: Any) -> None:
        c.input["list"].append(2)
        c.steps["a"].output.append(3)
        c.shared_data["k"] = 1

    result = run([{"name": "a", "execute": lambda c: [0]}, {"name": "b", "execute": spoil}], given)
    assert given == {"list": [1]}
    assert result.outputs["a"] == [0]
    assert result.state == {}


def test_asking_for_a_step_that_has_not_run_names_the_nearest() -> None:
    result = run([{"name": "search", "execute": lambda c: 1}, lambda c: c.get_step_output("serch")])
    assert result.error is not None
    assert result.error["code"] == "workflow.step_not_found"
    assert result.error["hint"] == 'did you mean "search"?'


def test_the_output_of_a_step_can_be_reshaped_or_kept_under_a_name() -> None:
    result = run(
        [
            {"name": "a", "tool": double, "input": {"n": 4}, "output": "{{result.result.of}}"},
            {"name": "b", "tool": double, "input": {"n": 4}, "output": "eight"},
            {"name": "c", "tool": double, "input": {"n": 4}, "output": lambda out, res, ctx: -out},
            {"name": "d", "template": "{{shared.eight}}"},
        ]
    )
    assert result.outputs == {"a": 4, "b": 8, "c": -8, "d": "8"}
    assert result.state == {"eight": 8}


def test_pre_and_post_and_finally_steps_run_around_and_the_output_is_of_the_steps() -> None:
    order: list[str] = []

    def mark(c: Any) -> str:
        order.append(c.name)
        return str(c.name)

    result = run(
        [{"name": "main", "execute": mark}],
        pre_steps=[{"name": "pre", "execute": mark}],
        post_steps=[{"name": "post", "execute": mark}],
        finally_=[{"name": "end", "execute": mark}],
    )
    assert order == ["pre", "main", "post", "end"]
    assert result.output == "main"
    assert result.text.startswith("Sequential workflow 'w' completed successfully: 4 of 4 steps")


def test_a_nested_workflow_gets_the_parents_input_and_is_a_step() -> None:
    inner = Workflow("inner", [{"name": "i", "template": "<{{input.n}}>"}])

    async def work(ctx: ExecutionContext) -> None:
        ctx.overlay.workflows.register("inner", inner)
        result = await Workflow(
            "outer",
            [
                {"name": "a", "workflow": inner},
                {"name": "b", "workflow": "inner", "input": {"n": "{{a}}"}},
                {"name": "c", "workflow": {"steps": [{"template": "{{n}}!"}]}},
                {"name": "d", "steps": [{"template": "{{n}}?"}]},
            ],
        ).run_result({"n": 7}, ctx)
        assert result.outputs == {"a": "<7>", "b": "<<7>>", "c": "7!", "d": "7?"}
        assert result.steps[0].result.steps[0].output == "<7>"

    with_runtime(work)


def test_steps_grouped_in_a_step_share_its_data_and_a_workflow_has_its_own() -> None:
    put: dict[str, Any] = {"execute": lambda c: c.set_shared_data("k", "inner")}
    look = {"name": "look", "execute": lambda c: c.shared_data.get("k")}
    assert run([{"name": "g", "steps": [put]}, look]).output == "inner"
    assert run([{"name": "w", "workflow": {"steps": [put]}}, look]).output is None


def test_nested_runs_share_the_account_and_the_path() -> None:
    paths: list[tuple[str, ...]] = []

    @tool
    def where(ctx: Any) -> int:
        """The path."""
        paths.append(ctx.path)
        return 1

    async def work(ctx: ExecutionContext) -> None:
        await Workflow(
            "outer", [{"name": "in", "workflow": Workflow("inner", [where])}]
        ).run_result(None, ctx)
        assert paths == [("outer", "inner", "where")]
        assert ctx.account.per_tool == {"where": 1}

    with_runtime(work)


def test_a_workflow_that_runs_itself_ends_with_an_error() -> None:
    async def work(ctx: ExecutionContext) -> None:
        ctx.overlay.workflows.register("w", Workflow("w", [{"name": "again", "execute": again}]))
        result = await ctx.overlay.workflows.get("w").run_result(None, ctx)  # type: ignore[attr-defined]
        assert not result.success
        assert "nested deeper" in result.text

    async def again(c: Any) -> Any:
        from llmspell_core.context import current

        ctx = current()
        assert ctx is not None
        return (await ctx.run(ctx.overlay.workflows.get("w"))).data

    with_runtime(work)


@pytest.mark.parametrize("value", ["text", 5, [1, 2], {"text": "a", "x": 1}, None, True, ""])
def test_the_input_may_be_any_value(value: Any) -> None:
    assert run([{"name": "a", "execute": lambda c: {"got": c.input}}], value).output == {
        "got": value
    }

    async def work(ctx: ExecutionContext) -> Any:
        return await Workflow("w", [lambda c: {"got": c.input}]).execute(value, ctx)

    assert with_runtime(work).data == {"got": value}


def test_the_input_is_held_against_its_schema_before_anything_runs() -> None:
    ran: list[int] = []
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    with pytest.raises(ValidationError, match=r"workflow 'w': input: n: 'x' is not of type"):
        run([lambda c: ran.append(1)], {"n": "x"}, input_schema=schema)
    with pytest.raises(ValidationError, match="'n' is a required property"):
        run([lambda c: ran.append(1)], {}, input_schema={"n": "integer"})
    assert ran == []
    assert run([lambda c: ran.append(1)], {"n": 1}, input_schema={"n": "integer"}).success


def test_what_is_wrong_with_the_specification_is_refused_before_the_first_step() -> None:
    ran: list[int] = []
    steps = [{"name": "a", "execute": lambda c: ran.append(1)}]
    wrong: list[tuple[Any, str]] = [
        ({"name": "b", "tool": "calculatr"}, "tool.not_found"),
        ({"name": "b", "agent": "nobody"}, "agent.not_found"),
        ({"name": "b", "workflow": "nothing"}, "workflow.not_found"),
        ({"name": "a", "template": "twice"}, "workflow.invalid"),
        ({"name": "b", "template": "{{steps.c.output}}"}, "workflow.invalid"),
        ({"name": "b", "template": "{{ a + }}"}, "workflow.template"),
        ({"name": "b", "workflow": {"steps": [{"tool": "nothing"}]}}, "tool.not_found"),
    ]
    for step, code in wrong:
        with pytest.raises(LLMSpellError) as caught:
            run([*steps, step])
        assert caught.value.code == code
        if code == "tool.not_found" and "calc" in caught.value.message:
            assert caught.value.message == 'workflow \'w\': step "b": unknown tool "calculatr"'
            assert caught.value.hint == 'did you mean "calculator"?'
    with pytest.raises(LLMSpellError, match="it has no steps"):
        run([])
    assert ran == []


def test_a_missing_component_in_a_step_that_may_fail_is_that_steps_failure() -> None:
    result = run(
        [{"name": "a", "tool": "no-such"}, {"name": "b", "template": "x"}],
        error_strategy="continue",
    )
    assert result.success
    assert result.output == "x"
    assert result.steps[0].error is not None
    assert result.steps[0].error["code"] == "tool.not_found"


def test_a_later_denial_is_a_failed_step() -> None:
    async def deny(c: Any) -> None:
        from llmspell_core.errors import PolicyError

        raise PolicyError("not allowed")

    result = run([{"name": "a", "execute": deny, "retry": {"max_attempts": 5}}])
    assert result.error is not None
    assert result.error["code"] == "policy.denied"
    assert result.steps[0].attempts == 1


def test_as_an_agent_its_text_and_data_are_its_output_and_a_failure_is_raised() -> None:
    async def work(ctx: ExecutionContext) -> None:
        output = await Workflow("w", [{"template": "hi {{input}}"}]).execute("Ada", ctx)
        assert (output.text, output.data, output.agent) == ("hi Ada", "hi Ada", "w")
        output = await Workflow("w", [lambda c: {"n": 1}]).execute(None, ctx)
        assert (output.text, output.data) == ('{"n": 1}', {"n": 1})
        output = await Workflow("w", [lambda c: None]).execute(None, ctx)
        assert output.text.startswith("Sequential workflow 'w' completed")
        with pytest.raises(WorkflowFailed) as caught:
            await Workflow("w", [{"name": "a", "execute": lambda c: 1 / 0}]).execute(None, ctx)
        assert caught.value.code == "workflow.failed"
        assert caught.value.result.failed_step == "a"
        assert caught.value.details["failed_step"] == "a"

    with_runtime(work)


def test_as_tool_and_as_agent() -> None:
    async def work(ctx: ExecutionContext) -> None:
        inner = Workflow("shout loud", [{"name": "a", "execute": lambda c: f"{c.input}!"}])
        result = await inner.as_tool().call({"input": "hey"}, ctx)
        assert (result.output, result.text) == ("hey!", "hey!")
        answer = await inner.as_agent("shouter").execute("hey", ctx)
        assert (answer.text, answer.agent) == ("hey!", "shouter")
        steps: list[Any] = [
            {"name": "t", "tool": inner.as_tool("loud"), "input": "a"},
            {"name": "g", "agent": inner.as_agent(), "input": "b"},
        ]
        outputs = (await Workflow("w", steps).run_result(None, ctx)).outputs
        assert outputs == {"t": "a!", "g": "b!"}

    with_runtime(work)


def test_a_dry_run_calls_nothing_and_shows_what_would_be_done() -> None:
    ran: list[int] = []

    async def work(ctx: ExecutionContext) -> None:
        workflow = Workflow(
            "w",
            [
                {"name": "a", "execute": lambda c: ran.append(1)},
                {
                    "name": "b",
                    "tool": double,
                    "input": {"n": "{{input.n}}", "x": "{{steps.a.output}}"},
                },
            ],
            input_schema={"n": "integer"},
        )
        result = await workflow.run_result({"n": 2}, ctx, dry_run=True)
        assert result.success
        assert result.text == "Dry run of sequential workflow 'w': 2 steps, nothing was run"
        assert result.steps[1].result == {
            "target": "double",
            "input": {"n": 2, "x": "{{steps.a.output}}"},
        }
        assert all(step.skipped for step in result.steps)
        assert not (await workflow.run_result({"n": "x"}, ctx, dry_run=True)).success
        assert workflow.history.total == 0

    with_runtime(work)
    assert ran == []


def test_what_a_workflow_remembers() -> None:
    async def work(ctx: ExecutionContext) -> None:
        workflow = Workflow(
            "w",
            [
                {"name": "a", "execute": lambda c: c.input},
                {"name": "b", "execute": lambda c: 10 / c.input},
            ],
        )
        assert workflow.history.latest is None
        await workflow.run_result(5, ctx)
        await workflow.run_result(0, ctx)
        assert workflow.history.outputs() == {"a": 0}
        assert workflow.get_output("a") == 0
        assert workflow.get_output("b") is None
        with pytest.raises(NotFoundError, match='no step "c"'):
            workflow.get_output("c")
        metrics = workflow.history.metrics()
        assert (metrics["runs_total"], metrics["runs_failed"], metrics["runs_active"]) == (2, 1, 0)
        assert metrics["steps_executed"] == 4
        info = workflow.get_info()
        assert info["steps"][0] == {
            "name": "a",
            "type": "custom",
            "target": info["steps"][0]["target"],
        }

    with_runtime(work)


def test_a_workflow_as_a_flowchart() -> None:
    chart = Workflow(
        'my "flow"',
        [
            {"name": "a", "tool": double, "when": "input.n > 3"},
            {"name": "g", "steps": [{"name": "x", "template": "t"}]},
        ],
        finally_=[{"name": "end", "template": "t"}],
    ).to_mermaid()
    assert chart.splitlines() == [
        "flowchart TD",
        '  start(["my &quot;flow&quot;"])',
        '  s1["a<br/>tool double"]',
        '  start -- "when input.n &gt; 3" --> s1',
        '  subgraph s2g["g<br/>sequential"]',
        '  s2(["g"])',
        '  s2_1["x<br/>template"]',
        "  s2 --> s2_1",
        "  end",
        "  s1 --> s2",
        '  s3["end<br/>template"]',
        '  s2_1 -- "finally" --> s3',
    ]


def test_one_workflow_runs_many_times_at_once() -> None:
    async def slow(c: Any) -> Any:
        await asyncio.sleep(0.01 * (3 - c.input))
        return c.steps["a"].output

    async def work(ctx: ExecutionContext) -> None:
        workflow = Workflow(
            "w", [{"name": "a", "execute": lambda c: c.input}, {"name": "b", "execute": slow}]
        )
        results = await asyncio.gather(*(workflow.run_result(n, ctx) for n in range(4)))
        assert [one.output for one in results] == [0, 1, 2, 3]
        assert workflow.history.active == 0

    with_runtime(work)


def test_no_input_is_an_empty_table_for_a_schema() -> None:
    assert run([lambda c: 1], input_schema={}).success
    assert run([lambda c: 1], input_schema={"n": "integer?"}).success
    with pytest.raises(ValidationError, match="'n' is a required property"):
        run([lambda c: 1], input_schema={"n": "integer"})


def test_from_python_without_a_runtime_of_ones_own() -> None:
    async def main() -> None:
        workflow = Workflow("w", steps=[{"name": "a", "tool": double, "input": {"n": "{{n}}"}}])
        assert (await workflow.execute({"n": 2})).data == 4
        assert (await workflow.run_result({"n": 3})).output == 6

    asyncio.run(main())

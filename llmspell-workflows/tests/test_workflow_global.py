"""The script global: making, finding and running workflows as scripts do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.runtime import Runtime
from llmspell_core.workflow import Workflow as WorkflowTrait
from llmspell_workflows import Workflow, WorkflowFailed
from llmspell_workflows.globals.script_workflow import ExecuteOptions, ScriptWorkflow
from llmspell_workflows.globals.workflow import WorkflowGlobal
from llmspell_workflows.spec import parse_spec


class ScriptLike:
    """A function of a script, as far as a component can tell."""

    where = "spell.lua:3"

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    async def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class Foreign(WorkflowTrait):
    workflow_type = "foreign"

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        return AgentOutput(text="from elsewhere", success=input.text != "fail")


def with_global(
    work: Callable[[WorkflowGlobal, ExecutionContext], Awaitable[Any]], **settings: Any
) -> Any:
    async def main() -> Any:
        async with Runtime({"state": {"backend": "memory"}, **settings}) as runtime:
            ctx = runtime.context(
                overlay=runtime.base.child(), language="lua", state_scope="script:t"
            )
            return await work(WorkflowGlobal(ctx), ctx)

    return asyncio.run(main())


def spec(**fields: Any) -> Any:
    return parse_spec({"steps": [{"name": "a", "template": "hi {{input}}"}], **fields})


def test_a_workflow_is_made_run_and_found_by_its_name() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        made = workflows.sequential(spec(name="greet"))
        assert made.script_fields() == {"id": made.component.id, "name": "greet"}
        result = await made.execute("Ada")
        assert (result.success, result.output) == (True, "hi Ada")
        assert workflows.get("greet").component is made.component
        assert [one.data["name"] for one in workflows.list_()] == ["greet"]
        assert workflows.list_()[0].data["type"] == "sequential"
        assert (await workflows.execute("greet", "Bob")).output == "hi Bob"
        assert (await workflows.execute(made, "Bob")).output == "hi Bob"
        assert (await workflows.execute([{"template": "x"}])).output == "x"
        assert workflows.remove("greet") is True
        assert workflows.remove("greet") is False
        with pytest.raises(LLMSpellError, match='unknown workflow "greet"'):
            workflows.get("greet")
        assert workflows.types() == ["sequential"]

    with_global(work)


def test_what_a_script_registers_is_not_in_the_base() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        workflows.sequential(spec(name="mine"))
        workflows.sequential(spec())
        assert await workflows.register("other", {"steps": [{"template": "o"}]}) == "other"
        assert await workflows.register(workflows.get("mine")) == "mine"
        assert ctx.overlay.workflows.names() == ["mine", "other"]
        assert ctx.runtime.base.workflows.names() == []

    with_global(work)


def test_execute_never_throws_for_a_failed_run_and_execute_or_throw_does() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        made = workflows.sequential(spec(steps=[{"name": "a", "execute": lambda c: 1 / 0}]))
        assert not (await made.execute()).success
        with pytest.raises(WorkflowFailed) as caught:
            await made.execute_or_throw()
        assert caught.value.to_dict()["details"]["failed_step"] == "a"
        plan = await made.execute(None, ExecuteOptions(dry_run=True))
        assert plan.text.startswith("Dry run")
        invalid = workflows.sequential(spec(steps=[{"tool": "nothing"}]))
        with pytest.raises(LLMSpellError) as refused:
            await invalid.execute()
        assert refused.value.code == "tool.not_found"
        report = (await invalid.validate()).to_script().data
        assert report["valid"] is False
        assert 'unknown tool "nothing"' in report["errors"][0]

    with_global(work)


def test_lua_takes_zero_and_empty_text_for_true() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        for value, skipped in ((0, False), ("", False), (False, True), (None, True)):
            step = {"template": "x", "when": ScriptLike(lambda c, v=value: v)}
            result = await workflows.sequential(spec(steps=[step])).execute()
            assert result.steps[0].skipped is skipped

    with_global(work)


def test_a_script_function_sees_state_in_its_shared_data() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        await ctx.state.set("user", "ada")
        seen: list[Any] = []
        function = ScriptLike(lambda c: seen.append(c.script_fields()))
        steps = [{"name": "a", "template": "x"}, {"name": "b", "execute": function}]
        await workflows.sequential(spec(steps=steps)).execute({"n": 1})
        fields = seen[0]
        assert fields["shared_data"] == {"user": "ada"}
        assert fields["input"] == {"n": 1}
        assert fields["name"] == "b"
        assert fields["steps"]["a"].to_script().data["output"] == "x"

    with_global(work)


def test_shared_data_and_state_of_an_instance() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        made = workflows.sequential(
            spec(name="w", steps=[{"name": "a", "template": "{{shared.k}}"}])
        )
        await made.set_shared_data("k", "before")
        assert (await made.execute()).output == "before"
        assert await made.get_shared_data("k") == "before"
        await ctx.state.set("elsewhere", 1)
        assert await made.get_shared_data("elsewhere") == 1
        assert await made.get_shared_data("nowhere") is None

        await made.set_state("runs", 3)
        assert await made.get_state("runs") == 3
        assert await made.get_state("other", 7) == 7
        assert await made.get_state() == {"runs": 3}
        assert await ctx.state.get("runs") is None

    with_global(work)


def test_a_step_may_write_shared_data_through_its_workflow() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        holder: list[ScriptWorkflow] = []

        async def write(c: Any) -> None:
            await holder[0].set_shared_data("k", 5)

        steps = [{"name": "a", "execute": write}, {"name": "b", "template": "{{shared.k}}"}]
        holder.append(workflows.sequential(spec(steps=steps)))
        assert (await holder[0].execute()).output == "5"
        # It was of that run alone.
        assert holder[0].component.shared == {}  # type: ignore[attr-defined]

    with_global(work)


def test_what_an_instance_tells() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        made = workflows.sequential(spec(name="w"))
        assert await made.get_execution_id() is None
        told: list[Any] = []
        await made.on_before_execute(ScriptLike(told.append))
        await made.on_after_execute(ScriptLike(lambda result: told.append(result.success)))
        await made.on_step_complete(ScriptLike(lambda name, result: told.append(name)))
        await made.on_error(ScriptLike(lambda error, name: told.append(error)))
        result = await made.execute("x")
        assert told == ["x", "a", True]
        assert await made.get_execution_id() == result.metadata["execution_id"]
        assert await made.get_output("a") == "hi x"
        assert await made.get_all_outputs() == {"a": "hi x"}
        assert (await made.get_metrics()).data["runs_total"] == 1
        assert (await made.get_info()).data["name"] == "w"
        assert (await made.to_spec())["steps"][0]["template"] == "hi {{input}}"
        assert (await made.to_mermaid()).startswith("flowchart TD")
        await made.emit("my.event", {"n": 1})
        event = ctx.events.history("my.event")[0]
        assert (event.source, event.data, event.language) == ("workflow:w", {"n": 1}, "lua")

    with_global(work)


def test_as_tool_and_as_agent_are_registered_for_the_script() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        made = workflows.sequential(spec(name="greet"))
        await made.as_tool("greeting")
        await made.as_agent("greeter")
        assert (await ctx.overlay.tools.get("greeting").call({"input": "a"}, ctx)).output == "hi a"
        assert (await ctx.overlay.agents.get("greeter").execute("b", ctx)).text == "hi b"

    with_global(work)


def test_a_workflow_of_another_kind_can_be_executed_and_found() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        ctx.runtime.base.workflows.register("foreign", Foreign("foreign"))
        made = workflows.get("foreign")
        result = await made.execute("x")
        assert (result.success, result.output) == (True, "from elsewhere")
        assert not (await made.execute("fail")).success
        assert workflows.list_()[0].data["type"] == "foreign"
        assert (await made.get_info()).data["type"] == "foreign"
        with pytest.raises(LLMSpellError, match="only executes"):
            await made.validate()
        step = {"name": "f", "workflow": "foreign"}
        assert (await workflows.sequential(spec(steps=[step])).execute()).output == "from elsewhere"

    with_global(work)


def test_what_a_builder_collects_makes_a_workflow() -> None:
    collected = {
        "name": "built",
        "type": "sequential",
        "steps": [
            {"name": "a", "template": "x"},
            ["b", "Dear {{who}}", {"who": "{{a}}"}],
        ],
        "error_strategy": "continue",
    }

    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        assert (await (await workflows.from_spec(collected)).execute()).output == "Dear x"

    with_global(work)


def test_a_named_prompt_is_a_template_step() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        steps = [
            {"name": "a", "template": "@prompts.strict", "input": {"language": "{{input.lang}}"}},
            ["b", "strict", {"language": "Lua"}],
        ]
        result = await (await workflows.from_spec({"steps": steps})).execute({"lang": "Go"})
        assert result.outputs == {"a": "You review Go code.", "b": "You review Lua code."}

    with_global(work, prompts={"strict": "You review {{ language }} code."})


def test_a_specification_is_read_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = {"steps": [{"name": "a", "template": "hi {{input}}"}]}
    (tmp_path / "one.json").write_text(json.dumps(data))
    (tmp_path / "two.toml").write_text(
        'name = "toml"\n[[steps]]\nname = "a"\ntemplate = "hi {{input}}"\n'
    )
    (tmp_path / "three.yaml").write_text("- name: a\n  template: hi {{input}}\n")

    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        for name in ("one.json", "two.toml", "three.yaml"):
            made = await workflows.from_spec(name)
            assert (await made.execute("Ada")).output == "hi Ada"
        assert ctx.overlay.workflows.names() == ["one", "three", "toml"]

    with_global(work)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "{", "a.json: Expecting property name"),
        ("a.toml", "x =", "a.toml: Invalid value"),
        ("a.yaml", "a: [", "a.yaml: while parsing"),
        ("a.json", '"text"', "a workflow is a table or a list of steps"),
        ("a.json", '{"steps": [{"tol": 1}]}', 'unknown field "tol"'),
        ("a.json", '{"type": "parallel"}', '"parallel" is not available; types are sequential'),
        ("a.txt", "x", "a workflow file ends in .toml, .json"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    name: str, text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)

    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await workflows.from_spec(name)
        assert words in caught.value.message
        assert caught.value.code == "input.invalid"

    with_global(work)


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env.json").write_text('{"steps": []}')

    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await workflows.from_spec(".env.json")
        assert caught.value.code.startswith("policy.")

    with_global(work, security={"profile": "medium"})


def test_a_workflow_made_from_data_by_another_package() -> None:
    async def work(workflows: WorkflowGlobal, ctx: ExecutionContext) -> None:
        made = await ctx.create("workflow", {"name": "w", "steps": [{"template": "x"}]})
        assert isinstance(made, Workflow)
        assert await ctx.create("workflow", made) is made

    with_global(work)

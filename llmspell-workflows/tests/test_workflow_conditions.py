"""Conditions: functions, expressions and tables decide which steps run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_core.agent import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.runtime import Runtime
from llmspell_core.workflow import WorkflowResult
from llmspell_workflows import Workflow


class Judge(Agent):
    def __init__(self, answer: str) -> None:
        super().__init__("judge")
        self.answer = answer
        self.asked: list[str] = []

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        self.asked.append(input.text)
        return AgentOutput(text=self.answer)


async def first(c: Any) -> dict[str, Any]:
    c.set_shared_data("n", 5)
    c.set_shared_data("word", "kettle")
    return {"n": 5, "text": "a singing kettle"}


def run(
    condition: Any, *, field: str = "when", input: Any = None, **options: Any
) -> WorkflowResult:
    async def main() -> WorkflowResult:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            ctx = runtime.context()
            await ctx.state.set("kept", "yes")
            steps = [
                {"name": "first", "execute": first},
                {"name": "bad", "execute": lambda c: 1 / 0, "optional": True},
                {"name": "it", "execute": lambda c: "ran", field: condition},
            ]
            return await Workflow("w", steps, **options).run_result(input, ctx)

    return asyncio.run(main())


def holds(condition: Any, input: Any = None) -> bool:
    result = run(condition, input=input)
    assert result.success, result.text
    return not result.steps[-1].skipped


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (True, True),
        (False, False),
        (lambda c: c.steps["first"].output["n"] == 5, True),
        (lambda c: None, False),
        ("steps.first.output.n > 3", True),
        ("steps.first.success and not steps.bad.success", True),
        ("{{ steps.first.output.n > 30 }}", False),
        ("input.n > 3", True),
        ("n == 4 and 'kettle' in steps.first.output.text", True),
        ("shared.kept == 'yes'", True),
        ("input.nothing > 3", False),
        ("steps.bad.output", False),
        ({"type": "always"}, True),
        ({"type": "never"}, False),
        ({"type": "shared_data_equals", "key": "n", "value": 5}, True),
        ({"type": "shared_data_equals", "key": "kept", "value": "yes"}, True),
        ({"type": "shared_data_equals", "key": "n", "value": "{{input.n}}"}, False),
        ({"type": "shared_data_exists", "key": "word"}, True),
        ({"type": "shared_data_exists", "key": "other"}, False),
        ({"type": "shared_data_greater_than", "key": "n", "value": 4}, True),
        ({"type": "shared_data_less_than", "key": "n", "value": 4}, False),
        ({"type": "shared_data_less_than", "key": "other", "value": 4}, False),
        ({"type": "step_output_equals", "step_name": "first", "value": {"n": 6}}, False),
        ({"type": "step_output_contains", "step_name": "first", "substring": "kettle"}, True),
        ({"type": "step_output_contains", "stepName": "bad", "substring": "x"}, False),
        ({"type": "and", "conditions": ["true", {"type": "never"}]}, False),
        ({"type": "or", "conditions": ["false", {"type": "always"}]}, True),
        ({"type": "and", "conditions": []}, True),
        ({"type": "or", "conditions": []}, False),
        ({"type": "not", "condition": {"type": "never"}}, True),
        ({"type": "custom", "evaluate": lambda c: c.get_step_output("first")["n"] == 5}, True),
    ],
)
def test_every_form_of_condition(condition: Any, expected: bool) -> None:
    assert holds(condition, {"n": 4}) is expected


def test_skip_if_is_the_opposite_of_when() -> None:
    assert run("true", field="skip_if").steps[-1].skipped
    assert not run("false", field="skip_if").steps[-1].skipped


@pytest.mark.parametrize(
    ("answer", "expected"), [("True.", True), ("yes, it is", True), ("No", False)]
)
def test_an_agent_may_decide(answer: str, expected: bool) -> None:
    judge = Judge(answer)
    found = holds(
        {"type": "agent_evaluates_true", "agent": judge, "prompt": "Is {{n}} many?"}, {"n": 4}
    )
    assert found is expected
    assert judge.asked[0].startswith("Is 4 many?")


def test_a_condition_that_cannot_be_decided_fails_its_step() -> None:
    for condition in (
        "steps.first.output.text > 3",
        lambda c: c.steps["nope"],
        {"type": "shared_data_greater_than", "key": "word", "value": 3},
    ):
        result = run(condition)
        assert not result.success
        assert result.failed_step == "it"


def test_a_name_without_a_value_is_false_and_is_told() -> None:
    result = run("inptu.n > 3")
    assert result.steps[-1].skipped
    assert any("inptu.n" in warning for warning in result.warnings)


def test_a_workflow_whose_condition_does_not_hold_runs_nothing() -> None:
    result = run("true")
    assert result.text.startswith(
        "Sequential workflow 'w' completed successfully: 2 of 3 steps in "
    )
    result = asyncio.run(_whole("input.go"))
    assert result.success
    assert result.text == "Sequential workflow 'w' was skipped: its condition does not hold"
    assert [one.skipped for one in result.steps] == [True]


async def _whole(when: str) -> WorkflowResult:
    async with Runtime({"state": {"backend": "memory"}}) as runtime:
        steps = [{"name": "a", "execute": lambda c: 1 / 0}]
        return await Workflow("w", steps, when=when).run_result({"go": False}, runtime.context())


def test_a_condition_over_a_step_that_cannot_have_run_is_refused() -> None:
    report = Workflow(
        "w",
        [
            {
                "name": "a",
                "template": "x",
                "when": {"type": "step_output_equals", "step_name": "b"},
            },
            {"name": "b", "template": "x", "when": "steps.c.success"},
        ],
    ).validate()
    assert report.errors == [
        'step "a": its condition: step "b" cannot have run by then',
        'step "b": steps.c.success: there is no step "c"',
    ]

"""Who hears of a run: callbacks, hooks and events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_workflows import Workflow


def with_runtime(work: Callable[[ExecutionContext], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            return await work(runtime.context())

    return asyncio.run(main())


def run(steps: list[Any], input: Any = None, **options: Any) -> Any:
    return with_runtime(lambda ctx: Workflow("w", steps, **options).run_result(input, ctx))


def test_callbacks_hear_of_a_run_that_goes_well_in_order() -> None:
    told: list[Any] = []
    result = run(
        [{"name": "a", "template": "x", "on_complete": lambda r: told.append(("step", r.output))}],
        on_start=lambda: told.append("start"),
        on_step_start=lambda name: told.append(("begin", name)),
        on_step=lambda name, r: told.append(("done", name, r.output)),
        on_error=lambda e, name: told.append("error"),
        on_complete=lambda r: told.append(("complete", r.success)),
    )
    assert result.success
    assert told == ["start", ("begin", "a"), ("step", "x"), ("done", "a", "x"), ("complete", True)]


def test_callbacks_hear_of_a_failure() -> None:
    told: list[Any] = []
    run(
        [{"name": "a", "execute": lambda c: 1 / 0}],
        on_step_complete=lambda name, r: told.append("done"),
        on_error=lambda e, name: told.append((e.code, name)),
        on_complete=lambda r: told.append("complete"),
    )
    assert told == [("workflow.step_failed", "a")]


def test_callbacks_can_be_added_to_a_workflow() -> None:
    told: list[Any] = []

    async def work(ctx: ExecutionContext) -> None:
        workflow = Workflow("w", [{"name": "a", "execute": lambda c: 10 / c.input}])
        workflow.on("before_execute", lambda value: told.append(("before", value)))
        workflow.on("after_execute", lambda result: told.append(("after", result.success)))
        workflow.on("step_complete", lambda name, result: told.append((name, result.output)))
        workflow.on("error", lambda error, name: told.append(("error", name)))
        await workflow.run_result(5, ctx)
        await workflow.run_result(0, ctx)
        with pytest.raises(LLMSpellError, match="no moment"):
            workflow.on("befor_execute", print)

    with_runtime(work)
    assert told == [
        ("before", 5),
        ("a", 2.0),
        ("after", True),
        ("before", 0),
        ("error", "a"),
        ("after", False),
    ]


def test_an_observer_that_throws_is_logged_once_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "llmspell.workflow")
    steps = [{"name": n, "template": "x"} for n in "abc"]
    assert run(steps, on_step_complete=lambda name, result: 1 / 0).success
    assert len([r for r in caplog.records if "on_step_complete" in r.getMessage()]) == 1


def test_a_failed_run_is_logged_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "llmspell.workflow")
    run([{"name": "a", "execute": lambda c: 1 / 0}])
    assert [r.getMessage() for r in caplog.records] == [
        "Sequential workflow 'w' failed at step 'a': ZeroDivisionError: division by zero"
    ]


def test_events_of_a_run() -> None:
    async def work(ctx: ExecutionContext) -> None:
        steps = [
            {"name": "a", "template": "x"},
            {"name": "b", "template": "x", "when": "false"},
            {"name": "c", "execute": lambda c: 1 / 0},
        ]
        result = await Workflow("w", steps).run_result(None, ctx)
        events = ctx.events.history("workflow.**")
        assert [event.type for event in events] == [
            "workflow.started",
            "workflow.step.started",
            "workflow.step.completed",
            "workflow.step.started",
            "workflow.step.completed",
            "workflow.step.started",
            "workflow.step.failed",
            "workflow.failed",
        ]
        done = events[2].data
        assert (done["workflow"], done["step"], done["type"]) == ("w", "a", "template")
        assert done["execution_id"] == result.metadata["execution_id"]
        assert events[4].data["skipped"] is True
        assert events[6].data["error"]["code"] == "workflow.step_failed"
        assert {event.correlation_id for event in events} == {ctx.correlation_id}

    with_runtime(work)


def hooked(point: str, handler: Any, steps: list[Any], input: Any = None, **options: Any) -> Any:
    async def work(ctx: ExecutionContext) -> Any:
        ctx.hooks.register(point, handler)
        return await Workflow("w", steps, **options).run_result(input, ctx)

    return with_runtime(work)


ECHO = [{"name": "a", "execute": lambda c: c.input, "input": {"n": 1}}]


def test_hooks_around_a_step_see_and_change_what_goes_in_and_comes_out() -> None:
    seen: list[Any] = []

    def look(ctx: Any) -> Any:
        seen.append((ctx.component, ctx.operation, ctx.input, ctx.metadata["attempt"]))
        return {"type": "modified", "data": {"input": {"n": 2}}}

    assert hooked("before_workflow_stage", look, ECHO).output == {"n": 2}
    assert seen == [("w", "a", {"n": 1}, 1)]
    changed = {"type": "modified", "data": {"output": "changed"}}
    assert hooked("after_workflow_stage", lambda ctx: changed, ECHO).output == "changed"
    replaced = {"type": "replace", "result": 9}
    assert hooked("before_workflow_stage", lambda ctx: replaced, ECHO).output == 9
    assert hooked("after_workflow_stage", lambda ctx: replaced, ECHO).output == 9


def test_a_hook_can_cancel_a_step_or_have_it_tried_again() -> None:
    cancel = {"type": "cancel", "reason": "not today"}
    result = hooked("before_workflow_stage", lambda ctx: cancel, ECHO)
    assert result.failed_step == "a"
    assert result.error["code"] == "hook.cancelled"
    assert "not today" in result.text

    calls: list[int] = []

    def twice(ctx: Any) -> Any:
        calls.append(1)
        return {"type": "retry"} if len(calls) < 3 else None

    assert hooked("after_workflow_stage", twice, ECHO).success
    assert len(calls) == 3
    result = hooked("after_workflow_stage", lambda ctx: {"type": "retry"}, ECHO)
    assert result.error["code"] == "hook.retries"


def test_hooks_around_the_workflow_are_the_runners() -> None:
    changed = {"type": "modified", "data": {"input": {"n": 5}}}
    steps = [{"name": "a", "template": "n={{input.n}}"}]
    assert hooked("before_workflow_start", lambda ctx: changed, steps, {"n": 1}).output == "n=5"

    replaced = {"type": "replace", "result": {"n": 1}}
    result = hooked("before_workflow_start", lambda ctx: replaced, steps)
    assert result.success
    assert result.output == {"n": 1}

    with pytest.raises(LLMSpellError) as caught:
        hooked("before_workflow_start", lambda ctx: "cancel", steps)
    assert caught.value.code == "hook.cancelled"

    done = {"type": "modified", "data": {"output": {"data": {"n": 6}}}}
    assert hooked("after_workflow_complete", lambda ctx: done, steps).output == {"n": 6}
    text = {"type": "modified", "data": {"output": "other"}}
    assert hooked("after_workflow_complete", lambda ctx: text, steps).output == "other"

    errors: list[Any] = []
    failing = [{"name": "a", "execute": lambda c: 1 / 0}]
    result = hooked("workflow_error", lambda ctx: errors.append(ctx.error["code"]), failing)
    assert not result.success
    assert errors == ["workflow.failed"]
    rescued = {"type": "replace", "result": "rescued"}
    result = hooked("workflow_error", lambda ctx: rescued, failing)
    assert result.success
    assert result.output == "rescued"


def test_the_input_that_a_hook_sees_is_the_value() -> None:
    seen: list[Any] = []
    hooked("before_workflow_start", lambda ctx: seen.append(ctx.input.to_script()), ECHO, {"n": 3})
    assert seen == [{"n": 3}]

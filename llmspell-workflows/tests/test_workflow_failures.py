"""Failures: strategies, attempts, deadlines, compensation, and the steps at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import tool
from llmspell_core.workflow import WorkflowResult
from llmspell_workflows import Workflow, WorkflowFailed
from llmspell_workflows.program import OnFailure
from llmspell_workflows.spec import StepSpec, WorkflowSpec


def with_runtime(work: Callable[[ExecutionContext], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            return await work(runtime.context())

    return asyncio.run(main())


def run(steps: list[Any], input: Any = None, **options: Any) -> WorkflowResult:
    result: WorkflowResult = with_runtime(
        lambda ctx: Workflow("w", steps, **options).run_result(input, ctx)
    )
    return result


class Flaky:
    """Fails a number of times, then gives `ok`."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.calls = 0

    def __call__(self, ctx: Any) -> str:
        self.calls += 1
        if self.left > 0:
            self.left -= 1
            raise ValueError(f"failure {self.calls}")
        return "ok"


def test_the_first_failure_ends_the_run_and_is_described() -> None:
    after = Flaky(0)
    result = run([{"name": "a", "template": "x"}, {"name": "b", "execute": Flaky(1)}, after])
    assert not result.success
    assert result.failed_step == "b"
    assert result.text == "Sequential workflow 'w' failed at step 'b': ValueError: failure 1"
    assert result.error is not None
    assert result.error["code"] == "workflow.step_failed"
    assert result.error["message"] == "ValueError: failure 1"
    assert [step.name for step in result.steps] == ["a", "b"]
    assert result.steps[1].error == result.error
    assert result.output == "x"
    assert after.calls == 0


def test_stop_is_fail_fast_and_continue_goes_on() -> None:
    for strategy in ("stop", "fail_fast", {"type": "stop"}):
        assert not run([Flaky(1), Flaky(0)], error_strategy=strategy).success
    result = run([{"name": "bad", "execute": Flaky(1)}, Flaky(0)], error_strategy="continue")
    assert result.success
    assert result.output == "ok"
    assert result.metadata["steps_failed"] == 1
    assert "1 of 2 steps" in result.text
    assert result.warnings == ['step "bad" failed, the run went on: ValueError: failure 1']


def test_a_steps_own_strategy_wins() -> None:
    steps = [{"execute": Flaky(1), "error_strategy": "fail_fast"}, Flaky(0)]
    assert not run(steps, error_strategy="continue").success
    steps = [{"execute": Flaky(1), "error_strategy": "continue"}, Flaky(0)]
    assert run(steps).success
    assert run([{"execute": Flaky(1), "optional": True}]).success
    assert run([{"execute": Flaky(1), "required": False}]).success


@given(
    failures=st.integers(0, 5),
    attempts=st.integers(1, 5),
    goes_on=st.booleans(),
    on_step=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_step_is_tried_until_it_works_or_the_attempts_are_used_up(
    failures: int, attempts: int, goes_on: bool, on_step: bool
) -> None:
    flaky, last = Flaky(failures), Flaky(0)
    strategy = {
        "type": "continue" if goes_on else "retry",
        "max_attempts": attempts,
        "backoff_ms": 0,
    }
    step = {"name": "it", "execute": flaky}
    if on_step:
        result = run([{**step, "error_strategy": strategy}, last])
    else:
        result = run([step, last], error_strategy=strategy)
    worked = failures < attempts
    assert flaky.calls == min(failures + 1, attempts) == result.steps[0].attempts
    assert result.steps[0].success is worked
    assert result.success is (worked or goes_on)
    assert last.calls == (1 if result.success else 0)


@given(
    backoff=st.floats(0, 1e4),
    multiplier=st.floats(0, 10),
    jitter=st.floats(0, 1),
    attempt=st.integers(1, 1000),
)
def test_the_wait_grows_within_bounds(
    backoff: float, multiplier: float, jitter: float, attempt: int
) -> None:
    policy = OnFailure(5, backoff, multiplier, jitter)
    assert 0 <= policy.delay_ms(attempt) <= 120_000
    exact = OnFailure(5, backoff, 2)
    assert exact.delay_ms(2) == min(backoff * 2, 60_000)


def test_retry_alone_and_the_workflows_retry_for_its_steps() -> None:
    def policy(step: dict[str, Any], **workflow: Any) -> OnFailure:
        spec = WorkflowSpec.model_validate(workflow)
        return OnFailure.of(StepSpec.model_validate({"tool": "x", **step}), spec)

    assert policy({}).attempts == 1
    assert policy({"error_strategy": "retry"}).attempts == 3
    assert policy({"retry": {"max_attempts": 7}}, error_strategy="continue").attempts == 7
    assert policy({"retry": {"max_attempts": 7}}, error_strategy="continue").go_on
    assert policy({}, retry={"max_attempts": 4}).attempts == 4
    assert policy({"retry": {"jitter": True}}).jitter == 0.25


def test_waiting_between_attempts_takes_the_time_asked_for() -> None:
    start = time.perf_counter()
    retry = {"max_attempts": 3, "backoff_ms": 20, "multiplier": 2}
    result = run([{"name": "a", "execute": Flaky(2), "retry": retry}])
    assert result.success
    assert time.perf_counter() - start >= 0.058


def test_each_attempt_is_announced() -> None:
    seen: list[Any] = []
    run(
        [
            {
                "execute": Flaky(2),
                "retry": {"max_attempts": 3, "backoff_ms": 0},
                "on_retry": lambda n, error: seen.append((n, error.message)),
            }
        ]
    )
    assert seen == [(1, "ValueError: failure 1"), (2, "ValueError: failure 2")]


def test_on_error_decides_or_leaves_it_to_the_strategy() -> None:
    flaky = Flaky(2)
    assert run([{"execute": flaky, "on_error": lambda e: {"retry": True}}]).output == "ok"
    assert flaky.calls == 3
    fallback = {"success": True, "output": "instead"}
    assert run([{"execute": Flaky(9), "on_error": lambda e: fallback}]).output == "instead"
    assert not run([{"execute": Flaky(9), "on_error": lambda e: {"success": False}}]).success
    assert not run([{"execute": Flaky(9), "on_error": lambda e: None}]).success
    assert not run([{"execute": Flaky(9), "on_error": lambda e: 1 / 0}]).success
    retry = {"max_attempts": 2, "backoff_ms": 0}
    assert run([{"execute": Flaky(1), "on_error": lambda e: None, "retry": retry}]).success


def test_on_error_cannot_retry_for_ever() -> None:
    flaky = Flaky(10**9)
    assert not run([{"execute": flaky, "on_error": lambda e: {"retry": True}}]).success
    assert flaky.calls == 101


def test_a_step_that_takes_too_long_fails_and_can_be_tried_again() -> None:
    calls: list[int] = []

    async def slow_once(c: Any) -> str:
        calls.append(1)
        await asyncio.sleep(5 if len(calls) == 1 else 0)
        return "in time"

    result = run([{"name": "a", "execute": slow_once, "timeout_ms": 30}])
    assert result.error is not None
    assert result.error["code"] == "workflow.step_timeout"
    assert result.error["message"] == 'step "a" took longer than 30 ms'
    calls.clear()
    retry = {"max_attempts": 2, "backoff_ms": 0}
    assert run([{"execute": slow_once, "timeout_ms": 30, "retry": retry}]).output == "in time"


def test_the_deadline_of_a_step_holds_for_the_tool_it_calls() -> None:
    left: list[float] = []

    @tool
    async def slow(ctx: Any) -> None:
        """Slow."""
        left.append(ctx.remaining_ms())
        await asyncio.sleep(5)

    result = run([{"name": "a", "tool": slow, "timeout_ms": 50}])
    assert result.error is not None
    assert result.error["code"] == "workflow.step_timeout"
    assert left[0] <= 50


def test_a_workflow_that_takes_too_long_ends_whatever_the_strategy_and_runs_its_last_steps() -> (
    None
):
    told: list[str] = []

    async def slow(c: Any) -> None:
        await asyncio.sleep(5)

    result = run(
        [
            {"name": "a", "template": "x", "compensate": lambda c: told.append("undone")},
            {"name": "b", "execute": slow, "retry": {"max_attempts": 9}},
            {"name": "c", "template": "never"},
        ],
        timeout_ms=50,
        error_strategy="continue",
        on_timeout=lambda: told.append("timeout"),
        finally_=[{"name": "end", "execute": lambda c: told.append("end")}],
    )
    assert not result.success
    assert result.error is not None
    assert result.error["code"] == "workflow.timeout"
    assert result.failed_step == "b"
    assert result.text == "Sequential workflow 'w' failed at step 'b': it took longer than 50 ms"
    assert [one.name for one in result.steps] == ["a", "b", "end"]
    assert told == ["timeout", "undone", "end"]


def test_steps_that_never_wait_are_stopped_between_them() -> None:
    steps = [{"execute": lambda c: time.sleep(0.02)} for _ in range(50)]
    start = time.perf_counter()
    result = run(steps, timeout_ms=50)
    assert not result.success
    assert time.perf_counter() - start < 0.5


def test_a_timeout_inside_a_nested_workflow_is_that_steps_failure() -> None:
    async def slow(c: Any) -> None:
        await asyncio.sleep(5)

    inner = Workflow("inner", [{"name": "s", "execute": slow}], timeout_ms=30)
    result = run([{"name": "in", "workflow": inner}])
    assert result.failed_step == "in"
    assert result.steps[0].result.failed_step == "s"
    with pytest.raises(WorkflowFailed) as caught:
        with_runtime(lambda ctx: inner.execute(None, ctx))
    assert caught.value.code == "workflow.timeout"


def test_finished_steps_are_undone_in_reverse() -> None:
    undone: list[str] = []

    def undo(c: Any) -> None:
        undone.append(c.name)
        if c.name == "b":
            raise ValueError("stuck")

    result = run(
        [
            {"name": "a", "execute": lambda c: 1, "compensate": undo},
            {"name": "b", "execute": lambda c: 1, "compensate": undo},
            {"name": "skipped", "execute": lambda c: 1, "when": "false", "compensate": undo},
            {"name": "bad", "execute": Flaky(1), "compensate": undo},
            {"name": "later", "execute": lambda c: 1, "compensate": undo},
        ]
    )
    assert undone == ["b", "a"]
    assert result.warnings == ['step "b" could not be compensated: ValueError: stuck']
    undone.clear()
    assert run([{"execute": lambda c: 1, "compensate": undo}]).success
    assert undone == []


def test_the_last_steps_always_run_and_see_what_happened() -> None:
    seen: list[Any] = []
    result = run(
        [{"name": "bad", "execute": Flaky(1)}],
        finally_=[
            {"name": "fails", "execute": lambda c: 1 / 0},
            {"name": "end", "execute": lambda c: seen.append(c.steps["bad"].success)},
        ],
    )
    assert seen == [False]
    assert result.failed_step == "bad"
    assert any("fails" in warning for warning in result.warnings)
    result = run([{"template": "x"}], finally_=[{"name": "fails", "execute": lambda c: 1 / 0}])
    assert not result.success
    assert result.failed_step == "fails"


def test_a_cancelled_run_still_runs_its_last_steps_for_a_moment() -> None:
    told: list[str] = []

    async def slow(c: Any) -> None:
        await asyncio.sleep(5)

    async def work(ctx: ExecutionContext) -> None:
        workflow = Workflow(
            "w",
            [{"name": "a", "execute": slow}],
            finally_=[{"name": "end", "execute": lambda c: told.append("end")}],
        )
        task = asyncio.ensure_future(workflow.run_result(None, ctx))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert workflow.history.active == 0

    with_runtime(work)
    assert told == ["end"]


def test_the_deadline_of_the_caller_ends_the_run() -> None:
    async def slow(c: Any) -> None:
        await asyncio.sleep(5)

    async def work(ctx: ExecutionContext) -> None:
        inner = ctx.child(deadline=time.monotonic() + 0.03)
        with pytest.raises(LLMSpellError) as caught:
            await Workflow("w", [{"execute": slow}]).run_result(None, inner)
        assert caught.value.code == "workflow.timeout"

    with_runtime(work)


def test_a_limit_of_the_run_is_not_tried_again() -> None:
    from llmspell_core.account import Account, Limits

    @tool
    def one() -> int:
        """One."""
        return 1

    async def work(ctx: ExecutionContext) -> None:
        limited = ctx.child(account=Account(Limits(tool_calls=1)))
        steps = [{"tool": one}, {"name": "b", "tool": one, "retry": {"max_attempts": 5}}]
        result = await Workflow("w", steps).run_result(None, limited)
        assert result.failed_step == "b"
        assert result.error is not None
        assert result.error["code"] == "agent.limit_exceeded"
        assert result.steps[1].attempts == 1

    with_runtime(work)

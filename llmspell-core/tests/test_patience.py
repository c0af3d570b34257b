"""Tools that are cancelled: they may clean up, and are left alone when they go on."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from llmspell_core.context import ToolContext, current
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_core.testing import scripted_runtime
from llmspell_core.tool import FunctionTool, tool


def run(body: Any) -> Any:
    async def main() -> Any:
        async with scripted_runtime() as (runtime, _):
            return await body(runtime)

    return asyncio.run(main())


def brief(function: Any, **options: Any) -> FunctionTool:
    """A tool whose grace is short enough for a test."""
    return FunctionTool(function, **{"grace_ms": 100, "timeout_ms": 50, **options})


async def timed_out(made: FunctionTool, runtime: Runtime) -> float:
    """Call a tool that takes too long; how many seconds that took."""
    started = time.perf_counter()
    with pytest.raises(LLMSpellError) as caught:
        await made.call({}, runtime.context())
    assert caught.value.code == "tool.timeout"
    return time.perf_counter() - started


def test_a_cancelled_tool_may_clean_up() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(9)
        finally:
            await asyncio.sleep(0.02)
            cleaned.append("yes")

    async def body(runtime: Runtime) -> None:
        assert await timed_out(brief(work), runtime) < 1
        assert cleaned == ["yes"]
        assert runtime.abandoned.total == 0

    run(body)


async def stubborn() -> None:
    while True:
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            continue


async def in_a_task() -> None:
    """Waits for a task that goes on for a while after it was cancelled."""

    async def inner() -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(2)
            except asyncio.CancelledError:
                continue

    await asyncio.ensure_future(inner())


def sleeps() -> None:
    time.sleep(1)


@pytest.mark.parametrize("work", [stubborn, in_a_task, sleeps])
def test_one_that_goes_on_is_left_alone_counted_and_told_of(work: Any) -> None:
    async def body(runtime: Runtime) -> None:
        made, ctx = brief(work), runtime.context()
        took = await timed_out(made, runtime)
        assert 0.14 < took < 0.9
        assert runtime.abandoned.total == 1
        assert runtime.abandoned.below(made.id) == 1
        assert [one.data["name"] for one in ctx.events.history("tool.abandoned")] == [made.name]

    started = time.perf_counter()
    run(body)
    # Nor does it hold the loop, or the process, when it ends.
    assert time.perf_counter() - started < 3


def test_time_limits_of_a_tool_s_own_are_its_own_affair() -> None:
    async def work() -> str:
        for _ in range(3):
            try:
                async with asyncio.timeout(0.04):
                    await asyncio.sleep(9)
            except TimeoutError:
                continue
        return "done"

    async def body(runtime: Runtime) -> None:
        made = brief(work, timeout_ms=5_000, grace_ms=10)
        assert (await made.call({}, runtime.context())).output == "done"
        assert runtime.abandoned.total == 0

    run(body)


def test_a_caller_that_is_cancelled_gets_back_control_after_the_grace() -> None:
    async def body(runtime: Runtime) -> None:
        made = brief(stubborn, timeout_ms=9_000)
        task = asyncio.ensure_future(made.call({}, runtime.context()))
        await asyncio.sleep(0.02)
        started = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert 0.09 < time.perf_counter() - started < 0.8

    run(body)


def test_a_function_that_blocks_holds_up_nothing_else() -> None:
    async def body(runtime: Runtime) -> None:
        ctx, main = runtime.context(), threading.get_ident()

        @tool
        def blocks(n: int, ctx: ToolContext) -> tuple[int, bool, bool]:
            """Blocks."""
            ctx.progress(n, 3)
            time.sleep(0.1)
            here = current()
            return n, threading.get_ident() == main, here is not None and here.path == ("blocks",)

        started = time.perf_counter()
        ticks = asyncio.ensure_future(count_ticks())
        results = await asyncio.gather(*(blocks.call({"n": n}, ctx) for n in range(3)))
        assert time.perf_counter() - started < 0.28
        assert [one.output for one in results] == [(n, False, True) for n in range(3)]
        assert len(ctx.events.history("tool.progress")) == 3
        ticks.cancel()
        assert runtime.abandoned.total == 0

    async def count_ticks() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            assert time.perf_counter() - before < 0.09

    run(body)


def test_more_functions_than_there_are_threads_wait_for_their_turn() -> None:
    async def body(runtime: Runtime) -> None:
        active = most = 0
        lock = threading.Lock()

        def work() -> None:
            nonlocal active, most
            with lock:
                active += 1
                most = max(most, active)
            time.sleep(0.01)
            with lock:
                active -= 1

        made, ctx = FunctionTool(work), runtime.context()
        await asyncio.gather(*(made.call({}, ctx) for _ in range(150)))
        assert 2 < most <= 64

    run(body)


def test_what_a_thread_raises_is_raised_where_it_was_called() -> None:
    def fails() -> None:
        raise LookupError("no such drawer")

    async def body(runtime: Runtime) -> None:
        with pytest.raises(LLMSpellError, match="no such drawer"):
            await FunctionTool(fails).call({}, runtime.context())

    run(body)


def test_a_tool_may_cancel_a_part_of_itself_by_anyio() -> None:
    anyio = pytest.importorskip("anyio")

    async def work() -> str:
        with anyio.move_on_after(0.01):
            await asyncio.sleep(9)
        async with anyio.create_task_group() as group:
            group.start_soon(asyncio.sleep, 9)
            await asyncio.sleep(0)
            group.cancel_scope.cancel()
        return "went on"

    async def body(runtime: Runtime) -> None:
        made = brief(work, timeout_ms=5_000)
        assert (await made.call({}, runtime.context())).output == "went on"

    run(body)

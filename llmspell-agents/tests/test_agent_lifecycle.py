"""The life of an agent: made ready, held, stopped, ended, and taken up again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_agents.factory import create_agent
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.tool import tool


def in_run(runtime: Runtime) -> ExecutionContext:
    return runtime.context(overlay=runtime.base.child())


async def until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come to that")


async def refused(agent: Agent, code: str, ctx: Any) -> None:
    with pytest.raises(LLMSpellError) as error:
        await agent.execute("go", ctx)
    assert error.value.code == code
    assert error.value.hint


def test_a_run_under_way_is_held_before_its_next_request() -> None:
    async def main() -> None:
        asked = asyncio.Event()

        @tool
        async def wait() -> str:
            """Waits."""
            asked.set()
            agent.pause()
            return "waited"

        agent = Agent("x", name="a", tools=[wait])
        async with scripted_runtime(tool_call("wait"), "done") as (runtime, provider):
            run = await agent.start("go", runtime.context())
            await asked.wait()
            await asyncio.sleep(0.02)
            assert (run.status(), len(provider.requests)) == ("running", 1)
            assert await agent.resume() == "ready"
            assert (await run.wait()).text == "done"

    asyncio.run(main())


def test_a_paused_agent_holds_new_runs_whose_deadline_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        agent = Agent("x", name="a", timeout_ms=30)
        async with scripted_runtime("never asked") as (runtime, provider):
            ctx = runtime.context()
            assert agent.pause(ctx) == "paused"
            with pytest.raises(LLMSpellError) as error:
                await agent.execute("go", ctx)
            assert error.value.code == "agent.timeout"
            assert provider.requests == []
        assert caplog.text.count("paused: its run waits for resume()") == 1

    asyncio.run(main())


def test_a_stopped_agent_finishes_what_is_under_way_and_takes_no_more() -> None:
    async def main() -> None:
        async with scripted_runtime("one", "two", latency_ms=20) as (runtime, provider):
            ctx, agent = runtime.context(), Agent("x", name="a")
            run = await agent.start("go", ctx)
            await until(lambda: provider.requests)
            assert await agent.stop(ctx) == "stopped"
            assert run.status() == "completed"
            await refused(agent, "agent.stopped", ctx)
            assert await agent.start(ctx=ctx) == "ready"
            assert (await agent.execute("go", ctx)).text == "two"

    asyncio.run(main())


def test_terminate_ends_the_run_and_not_the_task_it_is_part_of() -> None:
    async def main() -> str:
        async with scripted_runtime("late", "again", latency_ms=5_000) as (runtime, provider):
            ctx, agent = runtime.context(), Agent("x", name="a")

            async def end() -> None:
                await until(lambda: provider.requests)
                assert await agent.terminate(ctx) == "terminated"

            other = asyncio.ensure_future(end())
            with pytest.raises(LLMSpellError) as error:
                await agent.execute("go", ctx)
            assert error.value.code == "agent.terminated"
            await other
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
            await refused(agent, "agent.terminated", ctx)
            assert agent.metrics.requests_failed == 1
            return await agent.recover(ctx)

    assert asyncio.run(main()) == "ready"


def test_who_cancels_the_task_as_well_is_not_told_of_a_terminated_agent() -> None:
    async def main() -> None:
        async with scripted_runtime("late", latency_ms=5_000) as (runtime, provider):
            ctx, agent = runtime.context(), Agent("x", name="a")
            task = asyncio.ensure_future(agent.execute("go", ctx))
            await until(lambda: provider.requests)
            task.cancel()
            await agent.terminate(ctx)
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


@pytest.mark.parametrize("method", ["stop", "terminate"])
def test_an_agent_may_end_itself_from_inside_of_its_run(method: str) -> None:
    async def main() -> None:
        @tool
        async def end(ctx: Any) -> str:
            """Ends it."""
            return str(await getattr(agent, method)(ctx))

        agent = Agent("x", name="a", tools=[end])
        async with scripted_runtime(tool_call("end"), "done") as (runtime, _):
            ctx = runtime.context()
            if method == "stop":
                assert (await agent.execute("go", ctx)).text == "done"
            else:
                with pytest.raises(LLMSpellError) as error:
                    await agent.execute("go", ctx)
                assert error.value.code == "agent.terminated"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_a_destroyed_agent_is_gone_for_good() -> None:
    async def main() -> None:
        async with scripted_runtime("hello") as (runtime, _):
            ctx = in_run(runtime)
            ended: list[str] = []
            for point in ("before_agent_shutdown", "after_agent_shutdown"):
                ctx.hooks.register(point, lambda seen: ended.append(seen.point))
            agent = await create_agent({"name": "a", "system_prompt": "x"}, ctx)
            await agent.chat("hi", ctx)
            assert await agent.destroy(ctx) == "destroyed"
            assert await agent.destroy(ctx) == "destroyed"
            assert ended == ["before_agent_shutdown", "after_agent_shutdown"]
            assert agent.history(ctx) == []
            assert ctx.overlay.agents.find("a") is None
            await refused(agent, "agent.destroyed", ctx)
            for again in (agent.start, agent.recover):
                with pytest.raises(LLMSpellError, match="destroyed"):
                    await again(ctx=ctx)

    asyncio.run(main())


def test_a_hook_may_keep_an_agent_from_being_destroyed() -> None:
    async def main() -> None:
        async with scripted_runtime("hello") as (runtime, _):
            ctx = in_run(runtime)
            ctx.hooks.register("before_agent_shutdown", lambda _: {"type": "cancel"})
            agent = await create_agent({"name": "a", "system_prompt": "x"}, ctx)
            with pytest.raises(LLMSpellError) as error:
                await agent.destroy(ctx)
            assert error.value.code == "hook.cancelled"
            assert (await agent.execute("go", ctx)).text == "hello"

    asyncio.run(main())


def test_what_one_run_does_to_an_agent_no_other_run_sees() -> None:
    async def main() -> None:
        async with scripted_runtime(default="hello") as (runtime, _):
            agent, here, there = Agent("x", name="a"), in_run(runtime), in_run(runtime)
            await agent.stop(here)
            await refused(agent, "agent.stopped", here)
            assert (await agent.execute("go", there)).text == "hello"

    asyncio.run(main())


def test_initialize_finds_what_is_wrong_before_the_first_run() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            agent = Agent("x", name="a", tools=["calculatr"])
            with pytest.raises(LLMSpellError) as error:
                await agent.initialize(in_run(runtime))
            assert error.value.code == "tool.not_found"

    asyncio.run(main())


def test_an_agent_that_takes_no_runs_has_none_to_hold() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            agent, ctx = Agent("x", name="a"), in_run(runtime)
            await agent.stop(ctx)
            with pytest.raises(LLMSpellError) as error:
                agent.pause(ctx)
            assert error.value.code == "agent.stopped"

    asyncio.run(main())

"""Batches: many inputs, some at a time; and `deps`, what an agent's code is given."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.messages import AgentOutput
from llmspell_core.runtime import Runtime
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.tool import tool


def in_run(runtime: Runtime) -> ExecutionContext:
    return runtime.context(overlay=runtime.base.child())


def batch(agent: Agent, inputs: list[Any], *replies: Any, **options: Any) -> list[AgentOutput]:
    async def main() -> list[AgentOutput]:
        async with scripted_runtime(*replies) as (runtime, _):
            return await agent.batch(inputs, in_run(runtime), **options)

    return asyncio.run(main())


async def slow_first(input: Any) -> str:
    number = int(input.text)
    await asyncio.sleep(0.02 - number * 0.005)
    return f"n{number}"


def test_outputs_stand_in_the_order_of_the_inputs() -> None:
    outputs = batch(Agent(name="a", execute=slow_first), ["0", "1", "2", "3"])
    assert [one.text for one in outputs] == ["n0", "n1", "n2", "n3"]


def test_at_most_so_many_run_at_a_time() -> None:
    active = most = 0

    async def work(_: Any) -> str:
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0.002)
        active -= 1
        return "x"

    batch(Agent(name="a", execute=work), ["x"] * 9, concurrency=3)
    assert most == 3


async def odd(input: Any) -> str:
    if input.text == "bad":
        raise LLMSpellError("no", code="own.code")
    if input.text == "slow":
        await asyncio.sleep(30)
    return "fine"


def test_a_failed_run_costs_only_itself() -> None:
    fine, bad = batch(Agent(name="a", execute=odd), ["good", "bad"])
    assert (fine.success, bad.success) == (True, False)
    assert bad.error is not None
    assert bad.error["code"] == "own.code"


def test_the_first_error_may_stop_all_others() -> None:
    with pytest.raises(LLMSpellError) as error:
        batch(Agent(name="a", execute=odd), ["slow", "bad", "slow"], on_error="stop")
    assert error.value.code == "own.code"


def test_a_batch_has_one_account() -> None:
    agent = Agent("x", name="a", on_limit="error")
    outputs = batch(agent, ["1", "2", "3"], *"abc", concurrency=1, limits={"requests": 2})
    assert [one.success for one in outputs] == [True, True, False]
    assert (outputs[2].error or {})["code"] == "agent.limit_exceeded"


def test_wrong_options_are_named() -> None:
    with pytest.raises(ValidationError, match="concurrency"):
        batch(Agent(name="a", execute=odd), ["x"], concurrency=0)
    with pytest.raises(ValidationError, match="on_error"):
        batch(Agent(name="a", execute=odd), ["x"], on_eror="stop")


def test_deps_reach_tools_functions_and_the_prompt_and_no_message() -> None:
    seen: list[Any] = []

    @tool
    async def look(ctx: Any) -> str:
        """Looks."""
        seen.append(ctx.deps)
        return "looked"

    async def inner(_: Any, ctx: Any) -> str:
        return str(ctx.deps["secret_name"])

    async def main() -> None:
        helper = Agent("x", name="helper", execute=inner)
        agent = Agent(
            {"system_prompt": {"template": "You serve {{ deps.place }}."}},
            name="a",
            tools=[look, helper],
            deps={"place": "Oslo", "secret_name": "s3"},
        )
        replies = [tool_call("look"), tool_call("helper", input="x"), "done"]
        async with scripted_runtime(*replies) as (runtime, provider):
            ctx = in_run(runtime)
            output = await agent.execute("go", ctx)
            assert seen == [{"place": "Oslo", "secret_name": "s3"}]
            assert output.tool_calls[1].result == "s3"
            assert provider.requests[0].messages[0].text == "You serve Oslo."
            assert "s3" not in str(provider.requests[0])
            assert ctx.deps is None

    asyncio.run(main())

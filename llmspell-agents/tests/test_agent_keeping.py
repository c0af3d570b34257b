"""What an agent keeps for later runs, from Python."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llmspell_agents import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.runtime import Runtime
from llmspell_core.testing import scripted_runtime


def test_facts_and_state_are_there_in_the_next_process(tmp_path: Path) -> None:
    settings = {"state": {"backend": "sqlite", "url": str(tmp_path / "s.db")}}

    async def first() -> None:
        async with Runtime(settings) as runtime:
            ctx, agent = runtime.context(), Agent("x", name="keeper")
            await agent.remember("city", "Oslo in Norway", ctx)
            await agent.remember("dish", {"name": "soup"}, ctx)
            await agent.set_state("count", 2, ctx)

    async def second() -> None:
        async with Runtime(settings) as runtime:
            ctx, agent = runtime.context(), Agent("x", name="keeper")
            assert await agent.recall("dish", ctx) == {"name": "soup"}
            assert [one["key"] for one in await agent.search_facts("norway", ctx=ctx)] == ["city"]
            assert await agent.get_state(ctx=ctx) == {"count": 2}
            assert await agent.get_state("other", 5, ctx) == 5
            assert (await agent.forget("dish", ctx), await agent.forget("dish", ctx)) == (1, 0)
            assert await agent.recall(ctx=ctx) == {"city": "Oslo in Norway"}
            assert await Agent("x", name="other").recall("city", ctx) is None

    asyncio.run(first())
    asyncio.run(second())


def test_an_agent_goes_back_to_a_saved_state() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, _):
            ctx, agent = runtime.context(), Agent("x", name="keeper")
            assert await agent.load_state(ctx=ctx) is False
            await agent.chat("one", ctx)
            await agent.set_state("at", 1, ctx)
            saved = await agent.save_state(ctx)
            await agent.chat("two", ctx)
            await agent.set_state("at", 2, ctx)
            assert await agent.load_state(saved, ctx)
            assert (len(agent.history(ctx)), await agent.get_state("at", ctx=ctx)) == (2, 1)
            (row,) = await agent.get_state_history(ctx)
            assert (row["version"], row["messages"], row["keys"]) == (saved, 2, 1)
            with pytest.raises(LLMSpellError) as caught:
                await agent.load_state(9, ctx)
            assert caught.value.code == "state.not_found"
            assert await agent.delete_state(ctx=ctx) == 1

    asyncio.run(main())


def test_inside_of_a_run_no_context_need_be_given() -> None:
    async def counts(_: object, ctx: ExecutionContext) -> str:
        count = await agent.get_state("count", 0) + 1
        await agent.set_state("count", count)
        return str(count)

    agent = Agent(name="counter", execute=counts)

    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            ctx = runtime.context()
            assert [(await agent.execute("x", ctx)).text for _ in range(2)] == ["1", "2"]

    asyncio.run(main())

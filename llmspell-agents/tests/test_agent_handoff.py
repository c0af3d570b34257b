"""Agents made of code, and hand-offs from one agent to the next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_agents.factory import create_agent
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import AgentInput, AgentOutput, HandoffRequest
from llmspell_core.testing import scripted_runtime


def test_a_function_answers_instead_of_a_model() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, provider):
            ctx = runtime.context()

            async def answer(input: AgentInput) -> str:
                return input.text.upper()

            out = await Agent(name="loud", execute=answer).execute("hi", ctx)
            assert (out.text, out.agent) == ("HI", "loud")
            table = await Agent(execute=lambda _, ctx: {"n": len(ctx.path)}).execute("hi", ctx)
            assert (table.data, table.text) == ({"n": 1}, '{"n": 1}')
            assert not provider.requests

    asyncio.run(main())


def test_a_function_that_raises_is_an_agent_error() -> None:
    def broken(_: Any) -> None:
        raise RuntimeError("no idea")

    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            await Agent(name="b", execute=broken).execute("hi", runtime.context())

    with pytest.raises(LLMSpellError, match="agent b failed: RuntimeError: no idea") as caught:
        asyncio.run(main())
    assert caught.value.code == "agent.failed"


def handing(target: str, **fields: Any) -> Any:
    return lambda _: {"handoff_request": {"target": target, **fields}}


def test_a_hand_off_is_followed_with_its_input_and_announced() -> None:
    async def main() -> None:
        async with scripted_runtime("Your bill is 5.") as (runtime, provider):
            ctx = runtime.context()
            await create_agent({"name": "billing", "system_prompt": "You bill."}, ctx)
            triage = Agent(name="triage", execute=handing("billing", input="bill?", reason="money"))
            out = await triage.execute("help", ctx)
            assert (out.text, out.agent, out.handoff) == ("Your bill is 5.", "billing", ["billing"])
            assert provider.requests[0].messages[-1].text == "bill?"
            event = ctx.events.history("agent.handoff")[0]
            assert (event.data["target"], event.data["reason"]) == ("billing", "money")

    asyncio.run(main())


def test_without_an_input_of_its_own_the_target_gets_the_first_one() -> None:
    async def main() -> None:
        async with scripted_runtime("ok") as (runtime, provider):
            ctx = runtime.context()
            await create_agent({"name": "b"}, ctx)

            def request(_: AgentInput) -> AgentOutput:
                return AgentOutput(handoff_request=HandoffRequest(target="b"))

            await Agent(name="a", execute=request).execute("the question", ctx)
            assert provider.requests[0].messages[-1].text == "the question"

    asyncio.run(main())


def test_hand_offs_in_a_circle_end_with_an_error() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            ctx = runtime.context()
            await create_agent({"name": "a", "execute": handing("b"), "max_handoffs": 4}, ctx)
            await create_agent({"name": "b", "execute": handing("a")}, ctx)
            await ctx.overlay.agents.get("a").execute("x", ctx)

    with pytest.raises(LLMSpellError, match="more than 4 hand-offs") as caught:
        asyncio.run(main())
    assert caught.value.code == "agent.handoff_limit"


def test_an_unknown_target_is_an_error_naming_the_nearest() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            ctx = runtime.context()
            await create_agent({"name": "billing"}, ctx)
            await Agent(name="a", execute=handing("biling")).execute("x", ctx)

    with pytest.raises(LLMSpellError, match='unknown agent "biling"') as caught:
        asyncio.run(main())
    assert "billing" in str(caught.value.hint)


def test_a_hand_off_without_a_target_names_the_field() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            agent = Agent(name="a", execute=lambda _: {"handoff_request": {}})
            await agent.execute("x", runtime.context())

    with pytest.raises(LLMSpellError, match="handoff_request of a: target is required"):
        asyncio.run(main())

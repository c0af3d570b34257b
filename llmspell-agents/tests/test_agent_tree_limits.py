"""One account for the whole tree: nested agents, workflows, hand-offs, side by side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_core.account import Account, Limits
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import Message
from llmspell_core.provider import ModelRequest
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.tool import tool

TOKENS = 15
NOT_RUN = "not run: the limit"

limits = st.fixed_dictionaries(
    {
        "requests": st.integers(1, 9),
        "tool_calls": st.none() | st.integers(0, 8),
        "per_tool": st.none() | st.fixed_dictionaries({"look_up": st.integers(0, 3)}),
        "total_tokens": st.none() | st.integers(1, 120),
        "cost_usd": st.none() | st.integers(1, 80),
    }
)


class Whims:
    """A model that calls whatever it is offered, in batches, as chance has it."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    async def __call__(self, request: ModelRequest) -> Any:
        chance = self._chance
        # Runs side by side ask in any order.
        for _ in range(chance.randint(0, 3)):
            await asyncio.sleep(0)
        names = [one.name for one in request.tools]
        if not names or chance.random() < 0.3:
            return "an answer"
        return [self._call(chance.choice(names)) for _ in range(chance.randint(1, 4))]

    @staticmethod
    def _call(name: str) -> Any:
        if name.startswith("transfer_to_"):
            return tool_call(name, reason="why not")
        given = {} if name in ("look-up", "count") else {"input": "go on"}
        return tool_call(name, **given)


def batches(messages: list[Message]) -> Iterator[list[Message]]:
    """The results of each answer's calls."""
    found: list[Message] = []
    for message in [*messages, Message(role="user")]:
        if message.role == "tool":
            found.append(message)
        elif found:
            yield found
            found = []


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), limits=limits, on_limit=st.sampled_from(["finish", "error"]))
def test_no_limit_is_crossed_by_the_whole_tree(
    seed: int, limits: dict[str, Any], on_limit: Any
) -> None:
    ran: list[str] = []

    async def main() -> tuple[ScriptedProvider, Account]:
        @tool(name="look-up")
        async def look_up() -> str:
            """Look up."""
            ran.append("look-up")
            await asyncio.sleep(0)
            return "x"

        @tool(name="count")
        async def count() -> str:
            """Count."""
            ran.append("count")
            return "y"

        prices = {"prices": {"scripted/scripted-model": {"input": 0, "output": 1_000_000}}}
        async with scripted_runtime(default=Whims(seed), settings=prices) as (runtime, provider):
            ctx = runtime.context(account=Account())
            options: dict[str, Any] = {"tool_retries": 20, "on_limit": on_limit}
            step = Agent("x", name="step", tools=[look_up], **options)
            flow = await ctx.create(
                "workflow",
                {
                    "name": "flow",
                    "steps": [
                        {"name": "a", "agent": step, "input": "go"},
                        {"name": "b", "tool": look_up},
                    ],
                },
            )
            peer = Agent("x", name="peer", tools=[look_up, count], **options)
            helper = Agent("x", name="helper", tools=[look_up, count], **options)
            boss = Agent(
                "x",
                tools=[helper, flow, look_up],
                handoffs=[{"agent": peer}],
                limits=limits,
                **options,
            )
            code = ""
            try:
                await boss.execute("go", ctx)
            except LLMSpellError as error:
                code = error.code
            assert code in {"", "agent.limit_exceeded", "agent.handoff_limit"}
            return provider, ctx.account

    provider, account = asyncio.run(main())
    asked = len(provider.requests)
    assert asked <= limits["requests"]
    assert account.requests == asked
    assert account.usage.total_tokens == TOKENS * asked
    if limits["tool_calls"] is not None:
        assert account.tool_calls <= limits["tool_calls"]
        assert len(ran) <= limits["tool_calls"]
    if limits["per_tool"] is not None:
        assert ran.count("look-up") <= limits["per_tool"]["look_up"]
    assert account.per_tool.get("look-up", 0) == ran.count("look-up")
    assert account.per_tool.get("count", 0) == ran.count("count")
    for request in provider.requests:
        for batch in batches(request.messages):
            # Hand-offs are no tool calls; of the others all were refused, or none.
            refused = [NOT_RUN in one.text for one in batch]
            if any(refused):
                assert all(refused)


def test_two_batches_at_once_cannot_share_what_is_left() -> None:
    """Each of them fits; together they do not: one runs whole, the other not at all."""
    ran: list[str] = []

    async def main() -> list[str]:
        @tool
        async def work() -> str:
            """Work."""
            ran.append("work")
            await asyncio.sleep(0.01)
            return "done"

        def model(request: ModelRequest) -> Any:
            if request.messages[-1].role == "tool":
                return request.messages[-1].text
            return [tool_call("work") for _ in range(3)]

        async with scripted_runtime(default=model) as (runtime, _):
            ctx = runtime.context(account=Account(Limits(tool_calls=4)))
            agent = Agent("x", tools=[work], max_parallel_tools=1)
            outs = await asyncio.gather(*(agent.execute("go", ctx) for _ in range(2)))
            assert ctx.account.tool_calls == 3
            return sorted(out.text for out in outs)

    texts = asyncio.run(main())
    assert len(ran) == 3
    assert texts[0] == "done"
    assert NOT_RUN in texts[1]


def test_calls_that_were_wrong_do_not_count() -> None:
    async def main() -> None:
        @tool
        async def half(n: int) -> float:
            """Half."""
            return n / 2

        replies = [[tool_call("half"), tool_call("nobody")], tool_call("half", n=4), "2"]
        async with scripted_runtime(*replies) as (runtime, _):
            ctx = runtime.context(account=Account())
            out = await Agent("x", tools=[half], max_tool_calls=1).execute("y", ctx)
            assert out.text == "2"
            assert ctx.account.tool_calls == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"max_tool_calls": 0}, "tool_calls"),
        ({"resource_limits": {"max_tool_calls": 0}}, "tool_calls"),
        ({"limits": {"per_tool": {"look_up": 0}}}, "per_tool.look_up"),
        ({"resource_limits": {"max_iterations": 1}}, "requests"),
        ({"resource_limits": {"max_total_tokens": 15}, "max_total_tokens": 99}, "total_tokens"),
        ({"limits": {"input_tokens": 10}}, "input_tokens"),
        ({"limits": {"output_tokens": 5}}, "output_tokens"),
        ({"resource_limits": {"max_cost_usd": 5}}, "cost_usd"),
        ({"max_cost_usd": 5}, "cost_usd"),
    ],
)
def test_every_limit_has_its_name_and_its_short_forms(fields: dict[str, Any], name: str) -> None:
    async def main() -> None:
        @tool(name="look-up")
        async def look_up() -> str:
            """Look up."""
            return "x"

        prices = {"prices": {"scripted/scripted-model": {"input": 0, "output": 1_000_000}}}
        replies = [tool_call("look-up"), "end"]
        async with scripted_runtime(*replies, settings=prices) as (runtime, _):
            out = await Agent("x", tools=[look_up], **fields).execute("y", runtime.context())
            assert out.metadata.limit is not None
            assert out.metadata.limit["name"] == name

    asyncio.run(main())


@pytest.mark.parametrize("field", ["limits", "timeout_ms", "max_execution_time", "resource_limits"])
def test_every_deadline_ends_with_agent_timeout(field: str) -> None:
    given = {
        "limits": {"wall_ms": 30},
        "timeout_ms": 30,
        "max_execution_time": 0.03,
        "resource_limits": {"max_execution_time_secs": 0.03},
    }[field]

    async def main() -> None:
        async with scripted_runtime("late", latency_ms=5_000) as (runtime, _):
            with pytest.raises(LLMSpellError) as caught:
                await Agent("x", **{field: given}).execute("y", runtime.context())
            assert caught.value.code == "agent.timeout"

    asyncio.run(main())


def test_limits_that_mean_nothing_are_refused_naming_the_field() -> None:
    with pytest.raises(LLMSpellError, match="tool_calls"):
        Agent("x", limits={"tool_calls": -1})
    with pytest.raises(LLMSpellError, match="wall_ms"):
        Agent("x", limits={"wall_ms": 0})
    with pytest.raises(LLMSpellError, match="max_memory_mb"):
        Agent("x", resource_limits={"max_memory_mb": -1})


def test_what_a_run_holds_is_bounded() -> None:
    async def main() -> None:
        @tool
        async def read() -> dict[str, str]:
            """Read."""
            return {"text": "é" * 200_000}

        async with scripted_runtime(tool_call("read"), "end") as (runtime, provider):
            agent = Agent("x", tools=[read], max_memory_mb=0.5)
            with pytest.raises(LLMSpellError) as caught:
                await agent.execute("y", runtime.context())
            assert caught.value.code == "agent.limit_exceeded"
            limit = caught.value.details["limit"]
            # The message, and the value that the record of the call holds.
            assert (limit["name"], limit["value"]) == ("memory_mb", 0.5)
            assert limit["used"] == pytest.approx(2 * 400_000 / 2**20, rel=0.01)
            assert "max_memory_mb" in str(caught.value.hint)
            assert len(provider.requests) == 1
        async with scripted_runtime("end") as (runtime, provider):
            agent = Agent("x", resource_limits={"max_memory_mb": 0.5})
            with pytest.raises(LLMSpellError, match="memory_mb"):
                await agent.execute("y" * 600_000, runtime.context())
            assert provider.requests == []

    asyncio.run(main())


def test_max_conversation_length_cuts_what_is_shown_and_not_what_is_kept() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            agent, ctx = Agent("x", max_conversation_length=2), runtime.context()
            for turn in ("one", "two", "three"):
                await agent.chat(turn, ctx)
            shown = [one.text for one in provider.requests[-1].messages]
            assert shown == ["x", "two", "ok", "three"]
            assert len(agent.history()) == 6

    asyncio.run(main())

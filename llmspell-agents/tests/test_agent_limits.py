"""Limits: the model never sees a request too many, whatever it does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import AgentOutput, ToolCall, Usage
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.tool import tool

TOKENS = 15

#: What a model does in one answer: how many calls of `a`, of `b`, and of a tool there is not.
answers = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=12
)


def reply(a: int, b: int, unknown: int) -> Any:
    calls = [tool_call("a") for _ in range(a)] + [tool_call("b") for _ in range(b)]
    calls += [tool_call("nobody") for _ in range(unknown)]
    return calls or "an answer"


async def play(
    script: list[tuple[int, int, int]], ran: list[str], **fields: Any
) -> tuple[AgentOutput | LLMSpellError, ScriptedProvider]:
    @tool
    async def a() -> str:
        """Do a."""
        ran.append("a")
        return "a"

    @tool
    async def b() -> str:
        """Do b."""
        ran.append("b")
        return "b"

    replies = [reply(*one) for one in script]
    async with scripted_runtime(*replies, default="an answer") as (runtime, provider):
        agent = Agent("x", tools=[a, b], tool_retries=20, **fields)
        try:
            return await agent.execute("go", runtime.context()), provider
        except LLMSpellError as error:
            return error, provider


limits = st.fixed_dictionaries(
    {
        "requests": st.integers(1, 6),
        "tool_calls": st.none() | st.integers(0, 6),
        "total_tokens": st.none() | st.integers(1, 90),
        "per_tool": st.none() | st.fixed_dictionaries({"a": st.integers(0, 3)}),
    }
)


@settings(max_examples=60)
@given(script=answers, limits=limits, on_limit=st.sampled_from(["finish", "error"]))
def test_no_limit_is_ever_crossed(
    script: list[tuple[int, int, int]], limits: dict[str, Any], on_limit: str
) -> None:
    tool_calls, tokens = limits["tool_calls"], limits["total_tokens"]
    per_tool = limits["per_tool"]
    ran: list[str] = []
    outcome, provider = asyncio.run(play(script, ran, limits=limits, on_limit=on_limit))

    assert len(provider.requests) <= limits["requests"]
    assert tool_calls is None or len(ran) <= tool_calls
    assert per_tool is None or ran.count("a") <= per_tool["a"]
    # Tokens are known after an answer: the request that crosses the limit is the last one.
    assert tokens is None or TOKENS * (len(provider.requests) - 1) < tokens
    for request in provider.requests:
        assert_sendable(request)
    if isinstance(outcome, AgentOutput):
        assert outcome.metadata.iterations == len(provider.requests)
        assert outcome.metadata.usage.total_tokens == TOKENS * len(provider.requests)
        assert len(ran) == sum(call.error is None for call in outcome.tool_calls)
        assert (outcome.metadata.finish_reason == "limit") == (outcome.metadata.limit is not None)
    else:
        assert outcome.code in ("agent.limit_exceeded", "agent.tool_retries")


def assert_sendable(request: ModelRequest) -> None:
    """Every call has its one result, directly after the message that made it, in order."""
    waiting: list[str] = []
    for message in request.messages:
        if message.role == "tool":
            assert waiting.pop(0) == message.tool_call_id
        else:
            assert not waiting
            waiting = [call.id for call in message.tool_calls]
    assert not waiting


def test_the_last_request_is_made_with_tools_switched_off() -> None:
    outcome, provider = asyncio.run(play([(1, 0, 0), (1, 0, 0)], [], max_iterations=3))
    assert isinstance(outcome, AgentOutput)
    assert [one.tool_choice for one in provider.requests] == ["auto", "auto", "none"]
    assert outcome.text == "an answer"
    assert outcome.metadata.finish_reason == "limit"
    assert outcome.metadata.limit == {"name": "requests", "value": 3, "used": 3}


def test_a_model_that_calls_a_tool_though_they_are_off_is_not_obeyed() -> None:
    ran: list[str] = []
    outcome, _ = asyncio.run(play([(1, 0, 0)] * 5, ran, max_iterations=2))
    assert isinstance(outcome, AgentOutput)
    assert ran == ["a"]
    assert outcome.metadata.finish_reason == "limit"


def test_a_batch_that_would_cross_tool_calls_runs_none_of_them() -> None:
    ran: list[str] = []
    outcome, provider = asyncio.run(play([(1, 0, 0), (1, 2, 0)], ran, max_tool_calls=3))
    assert isinstance(outcome, AgentOutput)
    assert ran == ["a"]
    assert "limit tool_calls" in provider.requests[-1].messages[-1].text
    assert provider.requests[-1].tool_choice == "none"
    assert outcome.metadata.limit == {"name": "tool_calls", "value": 3, "used": 1}


def test_on_limit_error_raises_with_messages_usage_and_text() -> None:
    outcome, _ = asyncio.run(play([(1, 0, 0)] * 5, [], max_iterations=2, on_limit="error"))
    assert isinstance(outcome, LLMSpellError)
    assert outcome.code == "agent.limit_exceeded"
    assert outcome.details["limit"]["name"] == "requests"
    assert outcome.details["usage"]["total_tokens"] == 2 * TOKENS
    assert [one["role"] for one in outcome.details["messages"]] == ["assistant", "tool"] * 2


def test_an_agent_used_as_a_tool_shares_the_limits_of_its_caller() -> None:
    async def main() -> None:
        calls = [tool_call("helper", input="do it") for _ in range(4)]
        async with scripted_runtime(*calls, default="done") as (runtime, provider):
            helper = Agent("help", name="helper")
            boss = Agent("lead", name="boss", tools=[helper], max_iterations=4)
            out = await boss.execute("go", runtime.context())
            assert len(provider.requests) <= 4
            assert out.metadata.finish_reason == "limit"

    asyncio.run(main())


def test_a_limit_on_money_needs_a_known_price_and_holds() -> None:
    async def main() -> None:
        usage = Usage(input_tokens=1_000_000, output_tokens=0, total_tokens=1_000_000)

        def answer(_: ModelRequest) -> ModelResponse:
            call = ToolCall(id="1", name="nobody")
            return ModelResponse("", [call], usage=usage.model_copy())

        known = {"prices": {"scripted/scripted-model": {"input": 0.4, "output": 1}}}
        async with scripted_runtime(default=answer, settings=known) as (runtime, provider):
            agent = Agent("x", max_cost_usd=1.0, tool_retries=9)
            out = await agent.execute("y", runtime.context())
            assert len(provider.requests) == 3
            assert out.metadata.usage.cost_usd == pytest.approx(1.2)
            assert out.metadata.limit is not None
            assert out.metadata.limit["name"] == "cost_usd"
        async with scripted_runtime("x") as (runtime, provider):
            with pytest.raises(LLMSpellError) as caught:
                await Agent("x", max_cost_usd=1.0).execute("y", runtime.context())
            assert caught.value.code == "agent.price_unknown"
            assert not provider.requests

    asyncio.run(main())

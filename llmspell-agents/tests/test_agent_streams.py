"""Streams: what the chunks add up to, and what happens when somebody leaves early."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_core.errors import ProviderError
from llmspell_core.messages import StreamChunk
from llmspell_core.testing import chunks, scripted_runtime, tool_call
from llmspell_core.tool import tool


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


async def collect(*replies: Any, hook: Any = None, **fields: Any) -> list[StreamChunk]:
    async with scripted_runtime(*replies) as (runtime, _):
        if hook:
            runtime.base.hooks.register("after_llm_call", hook)
        agent = Agent("x", **fields)
        return [chunk async for chunk in agent.stream("go", runtime.context())]


pieces = st.lists(st.text(max_size=8), min_size=1, max_size=6)


@given(answers=st.lists(pieces, min_size=1, max_size=4))
def test_text_chunks_after_the_last_result_equal_the_output(answers: list[list[str]]) -> None:
    def with_call(parts: list[str]) -> Any:
        return [tool_call("stock", item="x")] if len(parts) % 2 else tool_call("stock", item="y")

    replies = [*(with_call(one) for one in answers[:-1]), chunks(*answers[-1])]
    found = asyncio.run(collect(*replies, tools=[stock]))
    assert found[-1].type == "done"
    output = found[-1].output
    assert output is not None
    last = max((n for n, one in enumerate(found) if one.type == "tool_result"), default=-1)
    assert "".join(one.text for one in found[last + 1 :] if one.type == "text") == output.text
    assert output.text == "".join(answers[-1])
    kinds = [one.type for one in found]
    assert kinds.count("done") == 1
    assert kinds.count("tool_call") == kinds.count("tool_result") == len(answers) - 1
    assert kinds.count("usage") == len(answers)


def test_text_comes_piece_by_piece_as_the_model_gives_it() -> None:
    found = asyncio.run(collect(chunks("We ", "have ", "7.")))
    assert [one.text for one in found if one.type == "text"] == ["We ", "have ", "7."]


def test_a_streamed_and_a_whole_run_give_the_same_output() -> None:
    async def main() -> None:
        replies = [tool_call("stock", item="x"), "We have 7."]
        async with scripted_runtime(*replies, *replies) as (runtime, _):
            agent = Agent("x", name="a", tools=[stock])
            whole = await agent.execute("go", runtime.context())
            last = [chunk async for chunk in agent.stream("go", runtime.context())][-1].output
            assert last is not None
            assert (last.text, last.agent, last.success) == (whole.text, "a", True)
            assert [call.result for call in last.tool_calls] == [7]
            assert last.metadata.usage == whole.metadata.usage
            assert last.metadata.finish_reason == whole.metadata.finish_reason

    asyncio.run(main())


def test_an_answer_that_a_hook_changes_is_streamed_changed() -> None:
    def redact(ctx: Any) -> Any:
        return {"type": "modified", "data": {"output": ctx.output.replace("secret", "***")}}

    found = asyncio.run(collect(chunks("a sec", "ret"), hook=redact))
    assert "".join(one.text for one in found if one.type == "text") == "a ***"


def test_a_stream_that_breaks_raises_after_the_chunks_that_came() -> None:
    async def main() -> None:
        broken = ProviderError("cut off", code="provider.connection", retryable=True)
        async with scripted_runtime(chunks("one ", broken)) as (runtime, _):
            found: list[str] = []

            async def read() -> None:
                async for chunk in Agent("x").stream("go", runtime.context()):
                    found.append(chunk.text)  # noqa: PERF401 - kept when the stream raises

            with pytest.raises(ProviderError, match="cut off"):
                await read()
            assert found == ["one "]

    asyncio.run(main())


def test_leaving_a_stream_early_cancels_the_request() -> None:
    async def main() -> None:
        slow = chunks(*("word " for _ in range(1000)), delay_ms=5)
        async with scripted_runtime(slow) as (runtime, provider):
            agent = Agent("x")
            async with aclosing(agent.stream("go", runtime.context())) as stream:  # type: ignore[type-var]
                async for _ in stream:
                    break
            await asyncio.sleep(0.02)
            assert provider.active == 0
            assert agent.metrics.requests_active == 0
            assert agent.metrics.requests_failed == 1

    asyncio.run(main())


def test_chunks_are_events_of_the_run() -> None:
    async def main() -> list[str]:
        async with scripted_runtime(chunks("a", "b")) as (runtime, _):
            ctx = runtime.context()
            async for _ in Agent("x").stream("go", ctx):
                pass
            return [one.data["text"] for one in ctx.events.history("llm.chunk")]

    assert asyncio.run(main()) == ["a", "b"]

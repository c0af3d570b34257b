"""What a model with a small window is shown of a long conversation."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_agents.history.compaction import SUMMARY
from llmspell_agents.history.repair import is_sendable
from llmspell_core.errors import AgentError, ProviderError, ValidationError
from llmspell_core.messages import Message, Usage
from llmspell_core.provider import Capabilities, ModelRequest
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI, ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.testing.openai_server import Raw, chunk_of, completion, sse
from llmspell_core.tool import tool

WINDOW = 2000
WORDS = "All that can be said about kettles. " * 20
TOO_LONG = ProviderError("too long", code="provider.context_length")


@tool
async def search(words: str) -> str:
    """Find something."""
    return f"found {words}: " + "x" * 2000


def small(**more: Any) -> dict[str, Any]:
    """Options of a runtime whose model has a small window and counts what it is sent."""
    return {
        "capabilities": Capabilities(max_context_tokens=WINDOW),
        "usage": Usage(),
        "default": answer,
        **more,
    }


def answer(request: ModelRequest) -> str:
    if "Summarize the conversation" in request.messages[-1].text:
        return "They talk about kettles."
    return WORDS


def summaries(provider: ScriptedProvider) -> list[ModelRequest]:
    found = [one for one in provider.requests if len(one.messages) == 1]
    return [one for one in found if "Summarize the conversation" in one.messages[0].text]


def tokens(messages: list[Message]) -> float:
    return sum(len(one.text) for one in messages) / 4


async def talk(agent: Agent, ctx: Any, turns: int, text: str = "More") -> None:
    for number in range(turns):
        await agent.chat(f"{text} {number}", ctx)


def test_a_long_conversation_is_summarized_once_and_goes_on_with_the_summary() -> None:
    async def main() -> None:
        async with scripted_runtime(**small()) as (runtime, provider):
            seen: list[dict[str, Any]] = []
            runtime.base.events.subscribe("agent.compacted", lambda event: seen.append(event.data))
            agent, ctx = Agent("Be brief."), runtime.context()
            await talk(agent, ctx, 12)
            await runtime.base.events.drain()
            (one,) = seen
            assert one["steps"] == ["summarize"]
            assert one["before_tokens"] > 0.8 * WINDOW >= 0.5 * WINDOW >= one["after_tokens"]
            (asked,) = summaries(provider)
            assert "More 1" in asked.messages[0].text
            shown = [each for each in provider.requests if each is not asked]
            after = [each.messages for each in shown[1:] if SUMMARY in each.messages[2].text]
            assert 1 < len(after) < len(shown)
            for messages in after:
                assert [each.text for each in messages[:3]] == [
                    "Be brief.",
                    "More 0",
                    f"{SUMMARY}They talk about kettles.",
                ]
                assert is_sendable(messages)
            for before, then in itertools.pairwise(after):
                assert then[: len(before)] == before
            # What was said stays what it was.
            assert [each.text for each in agent.history()[:3]] == ["More 0", WORDS, "More 1"]
            assert len(agent.history()) == 24

    asyncio.run(main())


def test_the_summary_counts_in_the_account_and_in_the_usage_of_its_run() -> None:
    async def main() -> None:
        used = Usage(input_tokens=0, output_tokens=5, total_tokens=5)
        async with scripted_runtime(**small(usage=used)) as (runtime, provider):
            agent, ctx = Agent("x"), runtime.context()
            await talk(agent, ctx, 8)
            before = len(provider.requests)
            outs = [await agent.execute(agent.turn("more"), ctx) for _ in range(3)]
            assert len(summaries(provider)) == 1
            assert len(provider.requests) == before + 4
            assert ctx.account.requests == len(provider.requests)
            assert ctx.account.usage.output_tokens == 5 * len(provider.requests)
            assert sorted(one.metadata.usage.output_tokens for one in outs) == [5, 5, 10]

    asyncio.run(main())


def test_old_results_of_a_long_run_are_shortened_before_anything_else() -> None:
    async def main() -> None:
        replies = [tool_call("search", words=str(number)) for number in range(6)]
        async with scripted_runtime(*replies, "Done.", **small()) as (runtime, provider):
            agent = Agent("x", tools=[search], context={"keep_turns": 1, "strategy": "truncate"})
            out = await agent.execute("Find all.", runtime.context())
            assert out.text == "Done."
            last = provider.requests[-1].messages
            results = [one.text for one in last if one.role == "tool"]
            assert "characters left out" in results[0]
            assert results[-1].endswith("x" * 2000)
            assert last[1].text == "Find all."
            assert all(tokens(one.messages) < 0.9 * WINDOW for one in provider.requests)
            assert all(is_sendable(one.messages) for one in provider.requests)

    asyncio.run(main())


def test_truncate_asks_no_model() -> None:
    async def main() -> None:
        async with scripted_runtime(**small()) as (runtime, provider):
            await talk(Agent("x", context={"strategy": "truncate"}), runtime.context(), 12)
            assert summaries(provider) == []
            assert len(provider.requests) == 12
            assert "messages left out]" in provider.requests[-1].messages[2].text
            assert all(tokens(one.messages) < 0.9 * WINDOW for one in provider.requests)

    asyncio.run(main())


def test_another_model_may_summarize() -> None:
    async def main() -> None:
        async with scripted_runtime(**small()) as (runtime, provider):
            cheap = ScriptedProvider(name="cheap", default="In short, kettles.")
            runtime.add_provider(cheap)
            agent = Agent("x", context={"model": "cheap/small"})
            await talk(agent, runtime.context(), 11)
            assert [one.model for one in cheap.requests] == ["small"]
            assert summaries(provider) == []
            assert "In short, kettles." in provider.requests[-1].messages[2].text

    asyncio.run(main())


def test_without_a_summary_whole_turns_go() -> None:
    async def main() -> None:
        async with scripted_runtime(**small()) as (runtime, provider):
            runtime.add_provider(ScriptedProvider(TOO_LONG, name="cheap"))
            agent = Agent("x", context={"model": "cheap/small"})
            await talk(agent, runtime.context(), 11)
            assert "messages left out]" in provider.requests[-1].messages[2].text

    asyncio.run(main())


def test_the_last_request_is_kept_for_the_answer() -> None:
    async def main() -> None:
        async with scripted_runtime(**small()) as (runtime, provider):
            agent, ctx = Agent("x", max_iterations=2), runtime.context()
            await talk(agent, ctx, 12)
            assert summaries(provider) == []
            assert len(provider.requests) == 12
            assert "messages left out]" in provider.requests[-1].messages[2].text

    asyncio.run(main())


def test_a_function_of_the_user_decides_what_is_shown() -> None:
    async def main() -> None:
        async with scripted_runtime(**small()) as (runtime, provider):
            given: list[Any] = []

            def decide(messages: list[Any]) -> list[Any]:
                given.append(messages)
                return [{"role": "user", "content": "Kettles."}, messages[-1]]

            agent = Agent("x", context={"strategy": decide})
            await talk(agent, runtime.context(), 11)
            assert given[0][0] == {"role": "user", "content": "More 0"}
            texts = [one.text for one in provider.requests[-1].messages]
            assert texts[:2] == ["x", "Kettles."]
            assert texts[-1] == "More 10"
            assert len(given) == 1

    asyncio.run(main())


def test_nothing_is_done_where_the_window_is_not_known_or_nothing_shall_be() -> None:
    async def main(**options: Any) -> None:
        context = {"strategy": "none"} if options else None
        async with scripted_runtime(default=WORDS, **options) as (runtime, provider):
            await talk(Agent("x", context=context), runtime.context(), 12)
            assert len(provider.requests[-1].messages) == 24

    asyncio.run(main())
    asyncio.run(main(capabilities=Capabilities(max_context_tokens=WINDOW)))


def test_an_overflow_forces_one_pass_and_one_more_request() -> None:
    async def main() -> None:
        replies = [WORDS] * 6 + [TOO_LONG]
        async with scripted_runtime(*replies, default=answer) as (runtime, provider):
            agent, ctx = Agent("x"), runtime.context()
            await talk(agent, ctx, 7)
            (failed, summary, again) = provider.requests[6:]
            assert summary in summaries(provider)
            assert len(failed.messages) == 14
            assert tokens(again.messages) <= 0.63 * tokens(failed.messages)
            assert again.messages[-1].text == "More 6"
            assert ctx.account.requests == len(provider.requests)

    asyncio.run(main())


def test_an_overflow_that_stays_one_is_an_error_with_the_numbers() -> None:
    async def main() -> None:
        numbers = {"tokens": 5000, "max_context_tokens": 4096}
        told = ProviderError("too long", code="provider.context_length", details=numbers)
        replies = [WORDS] * 6 + [told, "In short.", told]
        async with scripted_runtime(*replies, default="ok") as (runtime, provider):
            agent, ctx = Agent("x"), runtime.context()
            await talk(agent, ctx, 6)
            with pytest.raises(AgentError) as caught:
                await agent.chat("one more", ctx)
            error = caught.value
            assert error.code == "agent.context_overflow"
            assert (error.details["tokens"], error.details["max_context_tokens"]) == (5000, 4096)
            assert error.details["messages"] == len(provider.requests[-1].messages)
            assert "5000 of 4096 tokens" in error.message
            assert len(provider.requests) == 9
            assert len(agent.history()) == 12

    asyncio.run(main())


def test_what_cannot_be_made_smaller_is_not_asked_again() -> None:
    async def main() -> None:
        async with scripted_runtime(TOO_LONG) as (runtime, provider):
            with pytest.raises(AgentError) as caught:
                await Agent("x").execute(WORDS, runtime.context())
            assert caught.value.code == "agent.context_overflow"
            assert len(provider.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize("streamed", [False, True])
def test_a_service_tells_its_window_and_is_not_asked_for_more_again(streamed: bool) -> None:
    most = 900

    def reply(body: dict[str, Any]) -> Any:
        size = sum(len(one["content"]) for one in body["messages"]) // 4
        if size <= most:
            usage = {"prompt_tokens": size, "completion_tokens": 180}
            if body.get("stream"):
                return sse(WORDS, chunk_of("", "stop"), {"choices": [], "usage": usage})
            return {**completion(WORDS), "usage": usage}
        text = (
            f"This model's maximum context length is {most} tokens. However, your messages "
            f"resulted in {size} tokens. Please reduce the length of the messages."
        )
        return Raw(json.dumps({"error": {"message": text, "type": "invalid_request_error"}}), 400)

    async def main() -> None:
        async with FakeOpenAI(reply) as server:
            given = {
                "providers": {"fake": {"type": "openai", "base_url": server.base_url}},
                "default": {"model": "fake/m"},
                "state": {"backend": "memory"},
            }
            async with Runtime(given) as runtime:
                agent, ctx = Agent("x", context={"strategy": "truncate"}), runtime.context()
                for number in range(12):
                    turn = agent.turn(f"More {number}")
                    if streamed:
                        chunks = [one async for one in agent.stream(turn, ctx)]
                        assert "".join(c.text for c in chunks if c.type == "text") == WORDS
                    else:
                        assert (await agent.execute(turn, ctx)).text == WORDS
            # Only the first one was too long: from then on the window is known.
            assert len(server.requests) == 13

    asyncio.run(main())


def test_memory_may_be_bounded_by_tokens() -> None:
    async def main() -> None:
        async with scripted_runtime(default=WORDS) as (runtime, provider):
            await talk(Agent("x", memory={"max_tokens": 400}), runtime.context(), 5)
            texts = [one.text for one in provider.requests[-1].messages]
            assert texts == ["x", "More 2", WORDS, "More 3", WORDS, "More 4"]

    asyncio.run(main())


def test_memory_may_summarize_what_is_older() -> None:
    async def main() -> None:
        async with scripted_runtime(default=answer) as (runtime, provider):
            agent = Agent("x", memory={"max_messages": 6, "strategy": "summarize"})
            await talk(agent, runtime.context(), 9)
            shown = [one for one in provider.requests if one not in summaries(provider)]
            assert len(summaries(provider)) == 3
            assert "Before: They talk about kettles." in summaries(provider)[1].messages[0].text
            assert all(len(one.messages) <= 2 + 6 for one in shown)
            last = [one.text for one in shown[-1].messages]
            assert last[1] == f"{SUMMARY}They talk about kettles."
            assert last[-1] == "More 8"
            assert len(agent.history()) == 18

    asyncio.run(main())


def test_memory_may_be_a_function() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            agent = Agent("x", memory={"strategy": lambda given: f"{len(given)} messages before"})
            await talk(agent, runtime.context(), 2)
            texts = [one.text for one in provider.requests[-1].messages]
            assert texts == ["x", "2 messages before", "More 1"]

    asyncio.run(main())


def test_max_conversation_length_is_the_short_form() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            agent = Agent("x", max_conversation_length=3, memory={"max_messages": 9})
            await talk(agent, runtime.context(), 4)
            texts = [one.text for one in provider.requests[-1].messages]
            assert texts == ["x", "More 2", "ok", "More 3"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"context": {"target": 0.9}}, "target must be smaller than threshold"),
        ({"context": {"strategy": "shrink"}}, r"context\.strategy"),
        ({"context": {"keep_turns": 0}}, r"context\.keep_turns"),
        ({"memory": {"strategy": "forget"}}, r"memory\.strategy"),
        ({"context": {"tresholt": 0.7}}, "threshold"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        Agent("x", **fields)


def test_a_function_that_gives_no_messages_is_named() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, _):
            agent, ctx = Agent("x", memory={"strategy": lambda given: 7}), runtime.context()
            await agent.chat("a", ctx)
            with pytest.raises(ValidationError, match=r"memory\.strategy: a function gives"):
                await agent.chat("b", ctx)

    asyncio.run(main())

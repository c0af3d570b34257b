"""Conversations: chat keeps one, execute keeps none, a second turn waits."""

from __future__ import annotations

import asyncio

import pytest

from llmspell_agents import Agent
from llmspell_agents.conversation import Conversation
from llmspell_agents.history.memory import Bounds, newest
from llmspell_core.errors import ProviderError
from llmspell_core.messages import Message
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.tool import tool


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


def test_chat_remembers_and_execute_does_not() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            ctx = runtime.context()
            agent = Agent("x")
            await agent.chat("I am Ada", ctx)
            await agent.execute("unrelated", ctx)
            await agent.chat("who am I?", ctx)
            texts = [message.text for message in provider.requests[2].messages]
            assert texts == ["x", "I am Ada", "ok", "who am I?"]
            assert [one.role for one in agent.history()] == ["user", "assistant"] * 2
            agent.reset()
            assert agent.history() == []

    asyncio.run(main())


def test_tool_calls_and_results_are_part_of_the_conversation() -> None:
    async def main() -> None:
        async with scripted_runtime(tool_call("stock", item="x"), "7.", "yes") as (runtime, _):
            agent = Agent("x", tools=[stock])
            ctx = runtime.context()
            await agent.chat("any?", ctx)
            await agent.chat("sure?", ctx)
            roles = [one.role for one in agent.history()]
            assert roles == ["user", "assistant", "tool", "assistant", "user", "assistant"]

    asyncio.run(main())


def test_turns_of_one_conversation_wait_for_each_other() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok", latency_ms=5) as (runtime, provider):
            agent, ctx = Agent("x"), runtime.context()
            await asyncio.gather(*(agent.chat(str(n), ctx) for n in range(5)))
            assert provider.most_active == 1
            assert [one.text for one in agent.history()[::2]] == ["0", "1", "2", "3", "4"]

    asyncio.run(main())


def test_named_sessions_are_conversations_of_their_own() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            agent, ctx = Agent(), runtime.context()
            await agent.execute({"text": "a", "session": "one"}, ctx)
            await agent.execute({"text": "b", "session": "two"}, ctx)
            await agent.execute({"text": "c", "session": "one"}, ctx)
            assert [one.text for one in provider.requests[2].messages] == ["a", "ok", "c"]
            assert agent.history() == []
            assert len(await agent.talks.history("one", ctx)) == 4

    asyncio.run(main())


def test_a_failed_turn_leaves_nothing_behind() -> None:
    async def main() -> None:
        down = ProviderError("down", code="provider.server")
        async with scripted_runtime("ok", down, "ok") as (runtime, provider):
            agent, ctx = Agent(), runtime.context()
            await agent.chat("a", ctx)
            with pytest.raises(ProviderError):
                await agent.chat("b", ctx)
            await agent.chat("c", ctx)
            assert [one.text for one in provider.requests[2].messages] == ["a", "ok", "c"]

    asyncio.run(main())


def test_memory_shows_the_newest_messages_from_a_users_turn_on() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            agent, ctx = Agent("x", memory={"max_messages": 3}), runtime.context()
            for text in ("a", "b", "c"):
                await agent.chat(text, ctx)
            shown = [one.text for one in provider.requests[2].messages]
            assert shown == ["x", "b", "ok", "c"]
            assert len(agent.history()) == 6

    asyncio.run(main())


def test_a_view_never_begins_with_a_result_or_an_answer() -> None:
    conversation = Conversation()
    for number in range(4):
        conversation.add_turn(
            [
                Message(role="user", content=str(number)),
                Message(role="assistant", tool_calls=[tool_call("stock", item="x")]),
                Message(role="tool", content="7", tool_call_id="1"),
                Message(role="assistant", content="ok"),
            ]
        )
    for most in range(1, 20):
        view = newest(conversation.messages, Bounds(most))
        assert len(view) <= most
        assert not view or view[0].role == "user"

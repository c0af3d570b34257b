"""Deadlines and cancellation: what is closed, how soon, and what is kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.context import ToolContext
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import Message
from llmspell_core.runtime import Runtime
from llmspell_core.testing import chunks, scripted_runtime, tool_call
from llmspell_core.testing.openai_server import chunk_of
from llmspell_core.tool import tool

#: What it may take until a request is closed, in seconds.
SOON = 0.25


class SlowServer:
    """An HTTP server that answers a piece, and then nothing until its caller is gone."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.left_at = 0.0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        body = json.loads(await reader.readexactly(length))
        if body.get("stream"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            for _ in range(2):
                writer.write(f"data: {json.dumps(chunk_of('word '))}\n\n".encode())
            await writer.drain()
        self.asked.set()
        # Its end is the end of the connection.
        assert await reader.read() == b""
        self.left_at = time.perf_counter()
        self.left.set()
        writer.close()


@asynccontextmanager
async def slow() -> AsyncIterator[tuple[SlowServer, Runtime]]:
    found = SlowServer()
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = {
        "default": {"model": "slow/m"},
        "providers": {"slow": {"type": "openai", "base_url": f"http://127.0.0.1:{port}/v1"}},
        "state": {"backend": "memory"},
    }
    async with server, Runtime(settings) as runtime:
        yield found, runtime


@pytest.mark.parametrize("nested", [False, True])
def test_cancelling_closes_the_request(nested: bool) -> None:
    async def main() -> float:
        async with slow() as (server, runtime):
            agent: Any = Agent("x", name="inner")
            if nested:
                from llmspell_core.testing import ScriptedProvider

                runtime.add_provider(ScriptedProvider(tool_call("inner", input="go")))
                agent = Agent("x", model="scripted/m", tools=[agent])
            run = asyncio.ensure_future(agent.execute("y", runtime.context()))
            await server.asked.wait()
            started = time.perf_counter()
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            await asyncio.wait_for(server.left.wait(), 5)
            return server.left_at - started

    assert asyncio.run(main()) < SOON


def test_leaving_a_stream_early_closes_the_request() -> None:
    async def main() -> float:
        async with slow() as (server, runtime):
            agent = Agent("x")
            async with aclosing(agent.stream("y", runtime.context())) as stream:  # type: ignore[type-var]
                async for chunk in stream:
                    if chunk.type == "text":
                        break
            started = time.perf_counter()
            await asyncio.wait_for(server.left.wait(), 5)
            assert agent.metrics.requests_active == 0
            return server.left_at - started

    assert asyncio.run(main()) < SOON


def test_breaking_out_of_a_stream_without_closing_it_is_enough() -> None:
    async def main() -> float:
        async with slow() as (server, runtime):
            async for chunk in Agent("x").stream("y", runtime.context()):
                if chunk.type == "text":
                    break
            started = time.perf_counter()
            await asyncio.wait_for(server.left.wait(), 5)
            return server.left_at - started

    assert asyncio.run(main()) < SOON


def test_the_deadline_of_a_run_closes_the_request() -> None:
    async def main() -> float:
        async with slow() as (server, runtime):
            started = time.perf_counter()
            with pytest.raises(LLMSpellError) as caught:
                await Agent("x", timeout_ms=150).execute("y", runtime.context())
            assert caught.value.code == "agent.timeout"
            await asyncio.wait_for(server.left.wait(), 5)
            return server.left_at - started - 0.15

    assert asyncio.run(main()) < SOON


def test_the_time_of_a_request_is_the_configured_one_or_what_is_left_of_the_run() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            await Agent("x").execute("y", runtime.context())
            assert provider.requests[-1].timeout_ms == 120_000
            await Agent("x", timeout_ms=3_000).execute("y", runtime.context())
            left = provider.requests[-1].timeout_ms
            assert left is not None
            assert 2_000 < left <= 3_100
        given = {"default": {"timeout_ms": 900, "model": "scripted/scripted-model"}}
        async with scripted_runtime(default="ok", settings=given) as (runtime, provider):
            await Agent("x", timeout_ms=3_000).execute("y", runtime.context())
            assert provider.requests[-1].timeout_ms == 900

    asyncio.run(main())


def test_the_smaller_deadline_is_handed_down() -> None:
    left: list[float] = []

    @tool(timeout_ms=0)
    async def look(ctx: ToolContext) -> str:
        """Look."""
        found = ctx.remaining_ms()
        assert found is not None
        left.append(found)
        return "x"

    async def main() -> None:
        replies = [tool_call("inner", input="go"), tool_call("look"), "a", "b"]
        async with scripted_runtime(*replies) as (runtime, _):
            inner = Agent("x", name="inner", tools=[look], timeout_ms=50_000)
            await Agent("x", tools=[inner], timeout_ms=5_000).execute("y", runtime.context())
        replies = [tool_call("look"), "a"]
        for fields in ({}, {"tool_timeout_ms": 7_000}):
            async with scripted_runtime(*replies) as (runtime, _):
                await Agent("x", tools=[look], **fields).execute("y", runtime.context())

    asyncio.run(main())
    assert 3_000 < left[0] <= 5_000
    assert 58_000 < left[1] <= 60_000
    assert 5_000 < left[2] <= 7_000


def texts(messages: list[Message]) -> list[str]:
    return [f"{one.role}: {one.text}" for one in messages]


async def cut_off(agent: Agent, runtime: Runtime, text: str, after_s: float = 0.05) -> None:
    turn = asyncio.ensure_future(agent.chat(text, runtime.context()))
    await asyncio.sleep(after_s)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn


def test_a_turn_that_was_cut_off_is_kept_and_the_next_one_can_be_sent() -> None:
    @tool
    async def quick() -> str:
        """Quick."""
        return "found"

    @tool
    async def never() -> None:
        """Never."""
        await asyncio.sleep(60)

    async def main() -> None:
        calls = [tool_call("quick"), tool_call("never")]
        async with scripted_runtime(calls, "fine") as (runtime, provider):
            agent = Agent("", tools=[quick, never])
            await cut_off(agent, runtime, "go")
            kept = texts(agent.history())
            assert kept[:3] == ["user: go", "assistant: ", "tool: found"]
            assert kept[3].startswith("tool: interrupted")
            assert kept[4:] == ["assistant: [interrupted]"]
            assert await agent.chat("and now?", runtime.context()) == "fine"
            assert texts(provider.requests[-1].messages) == [*kept, "user: and now?"]

    asyncio.run(main())


def test_a_turn_that_was_cut_off_by_its_deadline_is_kept_too() -> None:
    async def main() -> None:
        async with scripted_runtime("late", latency_ms=5_000) as (runtime, _):
            agent = Agent("", timeout_ms=50)
            with pytest.raises(LLMSpellError):
                await agent.chat("go", runtime.context())
            assert texts(agent.history()) == ["user: go", "assistant: [interrupted]"]

    asyncio.run(main())


def test_half_an_answer_that_was_streamed_is_kept() -> None:
    async def main() -> None:
        slow_answer = chunks(*("word " for _ in range(1000)), delay_ms=5)
        async with scripted_runtime(slow_answer) as (runtime, _):
            agent = Agent("")
            read = 0
            async with aclosing(agent.stream(agent.turn("go"), runtime.context())) as stream:  # type: ignore[type-var]
                async for chunk in stream:
                    read += chunk.type == "text"
                    if read == 3:
                        break
            user, said = agent.history()
            assert user.text == "go"
            assert said.text.startswith("word word word ")

    asyncio.run(main())


def test_a_turn_that_failed_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with scripted_runtime(RuntimeError("broken")) as (runtime, _):
            agent = Agent("")
            with pytest.raises(LLMSpellError):
                await agent.chat("go", runtime.context())
            assert agent.history() == []

    asyncio.run(main())


def test_tools_that_do_not_end_are_counted_by_the_agents_that_called_them() -> None:
    @tool(grace_ms=50)
    def hangs() -> None:
        """Hang."""
        time.sleep(1)

    async def main() -> None:
        async with scripted_runtime(tool_call("hangs"), "It hangs.") as (runtime, _):
            agent = Agent("x", tools=[hangs], tool_timeout_ms=100)
            started = time.perf_counter()
            out = await agent.execute("y", runtime.context())
            assert time.perf_counter() - started < 0.9
            error = out.tool_calls[0].error or {}
            assert error["message"] == "hangs took longer than 0.1 s"
            assert out.text == "It hangs."
            assert runtime.abandoned.below(agent.id) == 1

    asyncio.run(main())

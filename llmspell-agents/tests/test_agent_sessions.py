"""Agents in sessions: what was said is there in the next process, and nothing is said twice."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_agents.history.repair import INTERRUPTED
from llmspell_agents.session_talk import done_of
from llmspell_core.agent import Agent as CoreAgent
from llmspell_core.context import ExecutionContext
from llmspell_core.errors import AgentError, ProviderError, StateError
from llmspell_core.messages import Message
from llmspell_core.runtime import Runtime
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.tool import tool


def on_disk(folder: Path, **sessions: Any) -> dict[str, Any]:
    return {"state": {"backend": "sqlite", "url": str(folder / "s.db")}, "sessions": sessions}


def in_run(runtime: Runtime, name: str = "a.lua") -> ExecutionContext:
    return runtime.context(overlay=runtime.base.child(), state_scope=f"script:{name}")


def sendable(messages: list[Message]) -> bool:
    """Whether each call has its result right after it, and each result its call."""
    waiting: set[str] = set()
    for one in messages:
        if one.role == "tool":
            if one.tool_call_id not in waiting:
                return False
            waiting.discard(one.tool_call_id)
            continue
        if waiting:
            return False
        waiting = {call.id for call in one.tool_calls}
    return not waiting


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


def test_a_conversation_goes_on_in_another_runtime(tmp_path: Path) -> None:
    async def first() -> None:
        async with scripted_runtime("Hello Ada.", settings=on_disk(tmp_path)) as (runtime, _):
            agent = Agent("x", name="helper")
            await agent.execute({"text": "I am Ada", "session": "s"}, in_run(runtime))

    async def second() -> None:
        async with scripted_runtime("Ada.", settings=on_disk(tmp_path)) as (runtime, provider):
            ctx = in_run(runtime)
            ctx.overlay.session = "s"
            agent = Agent("x", name="helper")
            assert await agent.chat("Who am I?", ctx) == "Ada."
            texts = [message.text for message in provider.requests[0].messages]
            assert texts == ["x", "I am Ada", "Hello Ada.", "Who am I?"]
            info = await runtime.sessions.get("s", ctx)
            assert (info.turns, info.title) == (2, "I am Ada")
            assert len(await agent.talks.history(None, ctx)) == 4
            await agent.talks.reset(None, ctx)
            assert await agent.talks.history("s", ctx) == []

    async def third() -> None:
        async with scripted_runtime(settings=on_disk(tmp_path)) as (runtime, _):
            agent = Agent("x", name="helper")
            assert await agent.talks.history("s", in_run(runtime)) == []
            assert len(await runtime.sessions.log("s").refresh()) >= 3

    for part in (first, second, third):
        asyncio.run(part())


def test_agents_without_a_name_go_on_as_well(tmp_path: Path) -> None:
    async def turn(text: str) -> list[str]:
        async with scripted_runtime(default="ok", settings=on_disk(tmp_path)) as (runtime, asked):
            await Agent().execute({"text": text, "session": "s"}, in_run(runtime))
            return [message.text for message in asked.requests[-1].messages]

    asyncio.run(turn("a"))
    assert asyncio.run(turn("b")) == ["a", "ok", "b"]


def test_tool_calls_come_back_as_they_were(tmp_path: Path) -> None:
    calls = [tool_call("stock", item="x"), tool_call("stock", item="y")]

    async def first() -> list[Message]:
        replies = (calls, "7 each.")
        async with scripted_runtime(*replies, settings=on_disk(tmp_path)) as (runtime, _):
            ctx, agent = in_run(runtime), Agent("x", name="a", tools=[stock])
            await agent.execute({"text": "any?", "session": "s"}, ctx)
            kinds = [one["kind"] for one in await runtime.sessions.log("s").refresh()]
            assert kinds == ["step", "step", "step", "end"]
            return await agent.talks.history("s", ctx)

    async def second() -> list[Message]:
        async with scripted_runtime(settings=on_disk(tmp_path)) as (runtime, _):
            return await Agent("x", name="a").talks.history("s", in_run(runtime))

    said, read = asyncio.run(first()), asyncio.run(second())
    assert [one.role for one in said] == ["user", "assistant", "tool", "tool", "assistant"]
    assert [one.model_dump() for one in read] == [one.model_dump() for one in said]
    assert [call.arguments for call in read[1].tool_calls] == [{"item": "x"}, {"item": "y"}]


def test_what_the_tools_of_a_failed_turn_did_is_shown(tmp_path: Path) -> None:
    down = ProviderError("down", code="provider.server")

    async def main() -> None:
        replies = ("ok", tool_call("stock", item="x"), down, down, "fine")
        async with scripted_runtime(*replies, settings=on_disk(tmp_path)) as (runtime, provider):
            ctx, agent = (
                in_run(runtime),
                Agent("x", name="a", tools=[stock], retry={"max_attempts": 1}),
            )
            await agent.execute({"text": "one", "session": "s"}, ctx)
            for text in ("two", "three"):
                with pytest.raises(ProviderError):
                    await agent.execute({"text": text, "session": "s"}, ctx)
            await agent.execute({"text": "four", "session": "s"}, ctx)
            shown = provider.requests[-1].messages
            assert [one.text for one in shown] == ["x", "one", "ok", "two", "", "7", "four"]
            assert sendable(shown)
            ends = [one["status"] for one in runtime.sessions.log("s").records if "status" in one]
            assert ends == ["completed", "failed", "failed", "completed"]
            assert (await runtime.sessions.get("s", ctx)).turns == 2

    asyncio.run(main())


def test_a_turn_that_was_cut_off_is_shown_as_far_as_its_calls_were_done() -> None:
    calls = [tool_call("stock", item="x"), tool_call("stock", item="y")]
    said = [
        Message(role="user", content="?"),
        Message(role="assistant", tool_calls=calls),
        Message(role="tool", content="7", tool_call_id=calls[0].id),
        Message(role="assistant", content="and", tool_calls=[tool_call("stock", item="z")]),
    ]
    for length in range(len(said) + 1):
        shown = done_of(said[:length])
        assert sendable(shown)
        assert [one.role for one in shown] == (
            [] if length < 3 else ["user", "assistant", "tool", "tool"]
        )
    assert done_of(said)[-1].text == INTERRUPTED


def test_a_cancelled_turn_lets_go_of_the_session(tmp_path: Path) -> None:
    async def main() -> None:
        slow = scripted_runtime(default="ok", latency_ms=60_000, settings=on_disk(tmp_path))
        async with slow as (runtime, _):
            ctx, agent = in_run(runtime), Agent("x", name="a")
            task = asyncio.ensure_future(agent.execute({"text": "a", "session": "s"}, ctx))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with runtime.sessions.hold("s", ctx, wait_ms=0) as hold:
                # What the user said is kept: he goes on from there.
                assert [one.get("status") for one in hold.log.records] == ["completed"]
            shown = await agent.talks.history("s", ctx)
            assert [one.role for one in shown][:1] == ["user"]

    asyncio.run(main())


def test_two_runs_in_one_session_take_turns(tmp_path: Path) -> None:
    async def main() -> None:
        settings = on_disk(tmp_path, wait_ms=10_000)
        async with scripted_runtime(default="ok", latency_ms=5, settings=settings) as (
            runtime,
            provider,
        ):
            ctx = in_run(runtime)
            await asyncio.gather(
                *(
                    Agent("x", name="a").execute({"text": str(n), "session": "s"}, ctx)
                    for n in range(4)
                )
            )
            assert provider.most_active == 1
            lengths = sorted(len(one.messages) for one in provider.requests)
            assert lengths == [2, 4, 6, 8]

    asyncio.run(main())


def test_a_second_run_is_told_when_the_first_takes_too_long(tmp_path: Path) -> None:
    async def main() -> None:
        slow = scripted_runtime(
            default="ok", latency_ms=700, settings=on_disk(tmp_path, wait_ms=100)
        )
        async with slow as (runtime, _):
            ctx, agent = in_run(runtime), Agent("x", name="a")
            first, second = await asyncio.gather(
                agent.execute({"text": "a", "session": "s"}, ctx),
                agent.execute({"text": "b", "session": "s"}, ctx),
                return_exceptions=True,
            )
            assert not isinstance(first, BaseException)
            assert isinstance(second, StateError)
            assert second.code == "session.busy"

    asyncio.run(main())


@pytest.mark.parametrize("session", [None, "s"])
def test_a_turn_inside_of_itself_is_refused_at_once(session: str | None) -> None:
    async def main() -> None:
        async with scripted_runtime(tool_call("again"), "ok", "other") as (runtime, _):
            ctx = in_run(runtime)
            ctx.overlay.session = session
            codes: list[str] = []
            other = Agent("y", name="other")

            @tool
            async def again() -> str:
                """Ask again."""
                with pytest.raises(AgentError) as caught:
                    await agent.chat("inner")
                codes.append(caught.value.code)
                return await other.chat("another agent may")

            agent = Agent("x", name="a", tools=[again])
            async with asyncio.timeout(20):
                await agent.chat("outer", ctx)
            assert codes == ["agent.busy"]

    asyncio.run(main())


def test_whoever_was_handed_the_conversation_answers_in_the_next_process(tmp_path: Path) -> None:
    async def turn(*replies: Any) -> tuple[str, list[str]]:
        async with scripted_runtime(*replies, settings=on_disk(tmp_path)) as (runtime, provider):
            ctx = in_run(runtime)
            billing = Agent("You do billing.", name="billing")
            triage = Agent("You sort.", name="triage", handoffs=[billing])
            out = await triage.execute({"text": "help", "session": "s"}, ctx)
            return out.agent, [one.messages[0].text for one in provider.requests]

    agent, _ = asyncio.run(turn(tool_call("transfer_to_billing", reason="money"), "Paid."))
    assert agent == "billing"
    agent, prompts = asyncio.run(turn("Still paid."))
    assert agent == "billing"
    assert prompts[0].startswith("You do billing.")


def test_what_is_said_to_a_shared_agent_stays_in_its_run() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            shared = Agent("x", name="shared")
            runtime.base.agents.register("shared", shared, source="python")
            one, two = in_run(runtime, "a.lua"), in_run(runtime, "b.lua")
            for ctx in (one, two):
                found: CoreAgent = ctx.overlay.agents.get("shared")
                assert found is shared
            await shared.chat("my secret", one)
            await shared.chat("hello", two)
            await shared.execute({"text": "c", "context": "c1"}, one)
            await shared.execute({"text": "d", "context": "c1"}, two)
            assert [len(request.messages) for request in provider.requests] == [2, 2, 2, 2]
            assert [one.text for one in shared.history(two)] == ["hello", "ok"]
            assert shared.history() == []

    asyncio.run(main())


def test_a_damaged_message_is_reported(tmp_path: Path) -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok", settings=on_disk(tmp_path)) as (runtime, _):
            ctx = in_run(runtime)
            await runtime.sessions.open("s", ctx)
            async with runtime.sessions.hold("s", ctx) as hold:
                record = {"kind": "end", "status": "completed", "agent": "a", "turn": "1"}
                await hold.append({**record, "messages": [{"role": "nobody"}]})
            with pytest.raises(StateError) as caught:
                await Agent("x", name="a").execute({"text": "a", "session": "s"}, ctx)
            assert caught.value.code == "session.damaged"

    asyncio.run(main())


_TALKER = """
import asyncio, random, sys
from llmspell_agents import Agent
from llmspell_core.testing import scripted_runtime, tool_call
from llmspell_core.tool import tool

@tool
async def note(n: int) -> int:
    "Note it."
    return n

async def main():
    settings = {"state": {"backend": "sqlite", "url": sys.argv[1]}}
    begin = int(sys.argv[2])
    replies = []
    for n in range(begin, begin + 400):
        replies += [[tool_call("note", n=n), tool_call("note", n=-n)], f"answer {n}"]
    async with scripted_runtime(*replies, settings=settings) as (runtime, _):
        agent = Agent("x", name="a", tools=[note])
        for n in range(begin, begin + 400):
            await agent.execute({"text": f"question {n}", "session": "s"}, runtime.context())
            print(n, flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_no_finished_turn_is_lost_by_kills_at_any_time(tmp_path: Path) -> None:
    path, answered = tmp_path / "s.db", []
    dice = random.Random(7)
    for life in range(4):
        begin = (life + 1) * 1_000_000
        talker = subprocess.Popen(
            [sys.executable, "-c", _TALKER, str(path), str(begin)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert talker.stdout is not None
        answered.append(int(talker.stdout.readline()))
        time.sleep(dice.random() * 0.2)
        talker.kill()
        answered += [int(line) for line in talker.stdout.read().split("\n")[:-1]]
        talker.stdout.close()
        talker.wait()

    async def main() -> list[Message]:
        async with scripted_runtime(settings=on_disk(tmp_path)) as (runtime, _):
            ctx = runtime.context()
            return await Agent("x", name="a").talks.history("s", ctx)

    messages = asyncio.run(main())
    assert sendable(messages)
    texts = [one.text for one in messages]
    for n in answered:
        at = texts.index(f"question {n}")
        assert texts[at + 1 : at + 5] == ["", str(n), str(-n), f"answer {n}"]
    assert len(answered) >= 4

"""The events of a run: one stream for all its agents, whose deltas add up to its output."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_agents import Agent
from llmspell_core.errors import Cancelled, LLMSpellError, ProviderError, ToolError
from llmspell_core.run_events import TERMINAL, RunEvent
from llmspell_core.run_events.chunks import chunk_of
from llmspell_core.testing import ScriptedProvider, chunks, scripted_runtime, thought, tool_call
from llmspell_core.tool import tool


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    if item == "nothing":
        raise ToolError("no such item")
    return 7


async def events_of(agent: Agent, *replies: Any, input: Any = "go", **rig: Any) -> list[RunEvent]:
    async with scripted_runtime(*replies, **rig) as (runtime, _):
        return [one async for one in agent.run_events(input, runtime.context())]


def texts(events: list[RunEvent]) -> dict[int, str]:
    """The text of each request, put together from its deltas."""
    found: dict[int, str] = {}
    for one in events:
        if one.type == "text.delta":
            assert one.request is not None
            found[one.request] = found.get(one.request, "") + (one.text or "")
    return found


def check(events: list[RunEvent]) -> RunEvent:
    """What holds for every run; gives the terminal event."""
    assert [one.sequence for one in events] == sorted({one.sequence for one in events})
    assert len({one.run_id for one in events}) == 1
    assert events[0].type == "run.started"
    assert [one.type in TERMINAL for one in events] == [False] * (len(events) - 1) + [True]
    assert all(one.agent_path for one in events)
    return events[-1]


piece = st.one_of(st.text(max_size=5), st.text(min_size=1, max_size=3).map(thought))
pieces = st.lists(piece, min_size=1, max_size=5)
call = st.sampled_from(["x", "nothing", "transfer"])


@settings(max_examples=25, deadline=None)
@given(
    turns=st.lists(st.tuples(pieces, st.lists(call, min_size=1, max_size=3)), max_size=3),
    last=pieces,
    breaks=st.booleans(),
)
def test_the_deltas_of_the_answering_request_are_the_output(
    turns: list[tuple[list[Any], list[str]]], last: list[Any], breaks: bool
) -> None:
    def reply(parts: list[Any], calls: list[str]) -> Any:
        made = [
            tool_call("transfer_to_billing") if one == "transfer" else tool_call("stock", item=one)
            for one in calls
        ]
        return chunks(*parts, *made)

    replies = [reply(*turn) for turn in turns]
    if breaks:
        replies.append(chunks("void ", ProviderError("cut", code="provider.connection")))
    replies.append(chunks(*last))

    async def main() -> list[RunEvent]:
        fields: dict[str, Any] = {
            "tools": [stock],
            "fallback_models": ["scripted/other"],
            "tool_retries": 20,
        }
        async with scripted_runtime(*replies) as (runtime, _):
            billing = Agent("b", name="billing", **fields)
            triage = Agent("t", name="triage", handoffs=[billing], **fields)
            return [one async for one in triage.run_events("go", runtime.context())]

    found = asyncio.run(main())
    ended = check(found)
    assert ended.type == "run.completed"
    assert ended.output is not None
    said = texts(found)
    assert said.get(ended.request or 0, "") == ended.output.text
    whole = "".join(one for one in last if isinstance(one, str))
    if whole:
        assert ended.output.text == whole
    # The chunks of a stream are a view of the same events.
    view = [chunk for one in found if (chunk := chunk_of(one)) is not None]
    kinds = [one.type for one in view]
    voids = [n for n, kind in enumerate(kinds) if kind in ("tool_result", "restart")]
    if whole:
        rest = view[max(voids, default=-1) + 1 :]
        assert "".join(one.text for one in rest if one.type == "text") == whole
    assert kinds.count("done") == 1


def test_each_thing_is_told_with_its_fields() -> None:
    agent = Agent("x", name="shop", tools=[stock])
    replies = [chunks(thought("hm"), "Let me see. ", tool_call("stock", item="x")), "7"]
    found = asyncio.run(events_of(agent, *replies))
    check(found)
    kinds = [one.type for one in found]
    assert kinds == [
        "run.started",
        "reasoning.delta",
        "text.delta",
        "tool_call.started",
        "tool_call.delta",
        "usage",
        "tool_call.ready",
        "tool.started",
        "tool.completed",
        "text.delta",
        "usage",
        "run.completed",
    ]
    by = {one.type: one for one in found}
    ready, done = by["tool_call.ready"], by["tool.completed"]
    assert ready.tool == done.tool == by["tool_call.started"].tool == "stock"
    assert ready.call_id == done.call_id == by["tool.started"].call_id
    assert by["tool_call.delta"].text == '{"item": "x"}'
    assert done.tool_call is not None
    assert (done.text, done.tool_call.result) == ("7", 7)
    assert by["usage"].usage is not None
    assert by["usage"].usage.total_tokens == 15
    assert {one.agent_path for one in found} == {"shop"}


def test_a_tool_that_fails_or_is_called_wrongly_is_told_as_failed() -> None:
    agent = Agent("x", tools=[stock])
    replies = [[tool_call("stock", item="nothing"), tool_call("stok", item="x")], "none"]
    found = [one for one in asyncio.run(events_of(agent, *replies)) if one.type == "tool.failed"]
    assert [one.tool for one in found] == ["stock", "stok"]
    assert found[0].error is not None
    assert found[0].error["message"] == "no such item"
    assert 'unknown tool "stok"' in (found[1].text or "")


def test_a_tool_tells_how_far_it_has_come_and_which_call_it_is() -> None:
    @tool
    async def slow(ctx: Any) -> str:
        """Slow."""
        ctx.progress(1, 2, "half")
        return "ok"

    found = asyncio.run(events_of(Agent("x", tools=[slow]), tool_call("slow"), "ok"))
    one = next(one for one in found if one.type == "tool.progress")
    started = next(one for one in found if one.type == "tool.started")
    assert (one.tool, one.done, one.total, one.text) == ("slow", 1, 2, "half")
    assert one.call_id == started.call_id


def test_agents_below_are_heard_under_their_paths() -> None:
    refunds = Agent("r", name="refunds")
    billing = Agent("b", name="billing", tools=[refunds])
    triage = Agent("t", name="triage", handoffs=[billing])
    replies = [
        tool_call("transfer_to_billing", reason="money"),
        [tool_call("refunds", input="one"), tool_call("refunds", input="two")],
        "first",
        "second",
        "done",
    ]
    found = asyncio.run(events_of(triage, *replies))
    check(found)
    spoken = [(one.agent_path, one.text) for one in found if one.type == "text.delta"]
    assert sorted(spoken) == [
        ("triage/billing", "done"),
        ("triage/billing/refunds", "first"),
        ("triage/billing/refunds#2", "second"),
    ]
    handed = next(one for one in found if one.type == "handoff")
    assert (handed.agent_path, handed.target, handed.reason) == ("triage", "billing", "money")
    assert found[-1].agent_path == "triage"
    # The stream's chunks are of the run's own agents.
    view = [chunk.text for one in found if (chunk := chunk_of(one)) and chunk.type == "text"]
    assert view == ["done"]


def test_an_agent_that_gets_control_back_is_counted() -> None:
    triage = Agent("t", name="triage", handoffs=[{"agent": "billing"}])
    billing = Agent("b", name="billing", handoffs=[triage])

    async def main() -> list[RunEvent]:
        replies = [tool_call("transfer_to_billing"), tool_call("transfer_to_triage"), "back"]
        async with scripted_runtime(*replies) as (runtime, _):
            runtime.base.agents.register("billing", billing)
            return [one async for one in triage.run_events("go", runtime.context())]

    found = asyncio.run(main())
    assert [one.agent_path for one in found if one.type == "text.delta"] == ["triage#2"]


def test_a_visit_is_heard_and_is_no_part_of_the_answer() -> None:
    billing = Agent("b", name="billing")
    triage = Agent("t", name="triage", handoffs=[{"agent": billing, "returns": True}])
    found = asyncio.run(events_of(triage, tool_call("transfer_to_billing"), "it is 5", "five"))
    ended = check(found)
    assert [(one.agent_path, one.text) for one in found if one.type == "text.delta"] == [
        ("triage/billing", "it is 5"),
        ("triage", "five"),
    ]
    assert texts(found)[ended.request or 0] == "five"
    assert [one.text for one in map(chunk_of, found) if one and one.type == "text"] == ["five"]


def test_another_model_begins_anew_as_another_request() -> None:
    broken = ProviderError("cut", code="provider.connection", retryable=True)
    agent = Agent("x", fallback_models=["scripted/other"])
    found = asyncio.run(events_of(agent, chunks("half ", broken), chunks("who", "le")))
    ended = check(found)
    fallback = next(one for one in found if one.type == "fallback")
    assert (fallback.restarted, fallback.to) == (True, "scripted/other")
    assert texts(found) == {fallback.request: "half ", ended.request: "whole"}


def test_a_failed_run_ends_with_its_error_and_raises_nothing() -> None:
    failure = ProviderError("gone", code="provider.auth")
    ended = check(asyncio.run(events_of(Agent("x"), failure)))
    assert ended.type == "run.failed"
    assert ended.error is not None
    assert ended.error["code"] == "provider.auth"


def test_leaving_the_events_early_cancels_the_run() -> None:
    async def main() -> None:
        async with scripted_runtime(chunks(*"words", delay_ms=20)) as (runtime, provider):
            events: Any = Agent("x").run_events("go", runtime.context())
            async with aclosing(events):
                async for one in events:
                    if one.type == "text.delta":
                        break
            assert provider.active == 0

    asyncio.run(main())


def test_code_agents_and_agents_that_know_chunks_only_are_heard() -> None:
    from llmspell_core.agent import Agent as CoreAgent
    from llmspell_core.messages import AgentInput, AgentOutput

    class Foreign(CoreAgent):
        async def run(self, input: AgentInput, ctx: Any) -> AgentOutput:
            return AgentOutput(text="foreign")

    async def main() -> list[RunEvent]:
        async with scripted_runtime() as (runtime, _):
            runtime.base.agents.register("foreign", Foreign("foreign"))
            first = Agent(name="code", execute=lambda _: {"handoff_request": {"target": "foreign"}})
            return [one async for one in first.run_events("go", runtime.context())]

    found = asyncio.run(main())
    ended = check(found)
    assert [(one.agent_path, one.text) for one in found if one.type == "text.delta"] == [
        ("code/foreign", "foreign")
    ]
    assert ended.request == 1


def test_a_run_that_is_started_goes_on_is_waited_for_and_heard_from_the_beginning() -> None:
    async def main() -> None:
        async with scripted_runtime(chunks("a", "b", delay_ms=5)) as (runtime, _):
            run = await Agent("x", name="a").start("go", runtime.context())
            assert run.status() == "running"
            early = asyncio.ensure_future(_all(run))
            assert (await run.wait()).text == "ab"
            assert run.status() == "completed"
            assert (await run.wait()).text == "ab"
            late = await _all(run)
            assert [one.sequence for one in await early] == [one.sequence for one in late]
            check(late)
            assert {one.run_id for one in late} == {run.id}
            assert not await run.cancel()

    asyncio.run(main())


def test_a_run_is_cancelled_by_its_handle_and_with_its_runtime() -> None:
    async def main() -> None:
        slow = chunks(*"word", delay_ms=1000)
        async with scripted_runtime(default=slow) as (runtime, provider):
            run = await Agent("x").start("go", runtime.context())
            left = await Agent("x").start("go", runtime.context())
            await _until(lambda: provider.active == 2)
            assert await run.cancel()
            assert provider.active == 1
            with pytest.raises(Cancelled):
                await run.wait()
            assert run.status() == "cancelled"
            assert (await _all(run))[-1].type == "run.cancelled"
        assert provider.active == 0
        assert left.status() == "cancelled"

    asyncio.run(main())


def test_a_failed_run_raises_where_it_is_waited_for() -> None:
    async def main() -> None:
        async with scripted_runtime(ProviderError("gone", code="provider.auth")) as (runtime, _):
            run = await Agent("x").start("go", runtime.context())
            with pytest.raises(LLMSpellError, match="gone"):
                await run.wait()
            assert run.status() == "failed"

    asyncio.run(main())


def test_nobody_listening_asks_for_whole_answers() -> None:
    async def main() -> None:
        async with scripted_runtime("a", "b") as (runtime, provider):
            asked: list[str] = []
            _note(provider, asked)
            agent = Agent("x")
            await agent.execute("go", runtime.context())
            async for _ in agent.run_events("go", runtime.context()):
                pass
            assert asked == ["complete", "stream"]

    asyncio.run(main())


def _note(provider: ScriptedProvider, asked: list[str]) -> None:
    for name in ("complete", "stream"):
        method = getattr(provider, name)

        def noted(*args: Any, _name: str = name, _method: Any = method) -> Any:
            asked.append(_name)
            return _method(*args)

        setattr(provider, name, noted)


async def _all(run: Any) -> list[RunEvent]:
    return [one async for one in run.events()]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.001)

"""The event stream of a run: numbers, places, who hears what, and what is merged."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmspell_core.chat.errors import Service
from llmspell_core.chat.stream import StreamedAnswer
from llmspell_core.messages import AgentOutput, ToolCall
from llmspell_core.run_events import (
    RUN_EVENT_TYPES,
    TERMINAL,
    EventLog,
    EventQueue,
    RunEvent,
    RunEvents,
    RunEventStream,
)


class Kept:
    """A listener that keeps everything."""

    crowded = False

    def __init__(self) -> None:
        self.events: list[RunEvent] = []

    def take(self, event: RunEvent) -> None:
        self.events.append(event)

    async def room(self) -> None:
        return None


def part(listener: Any, **options: Any) -> RunEvents:
    found = RunEvents(RunEventStream(listener, "run-1", **options)).run_of("triage")
    assert found is not None
    return found


def tell_everything(events: RunEvents) -> None:
    call = ToolCall(id="c1", name="stock", arguments={"item": "x"})
    events.run_started()
    events.request_started()
    events.reasoning("hm")
    events.text("a")
    events.tool_call_started(0, "stock", "c1")
    events.tool_call_delta(0, '{"item"')
    events.tool_call_ready(0, call)
    events.usage(AgentOutput().metadata.usage)
    events.output_partial({"a": 1})
    events.approval_requested("stock", {"item": "x"}, "c1", "destructive")
    events.tool_started(call)
    events.tool_progress(1, 2, "half", "stock")
    events.tool_ended(call, "7")
    events.tool_ended(call.model_copy(update={"error": {"message": "no"}}), "no")
    events.handoff("billing", "money")
    events.compacted("summarize", messages=(40, 12))
    events.retry(1, 500, {"message": "busy"}, "m")
    events.fallback("m", "n", {"message": "busy"})


def test_there_is_a_method_for_each_kind_and_each_event_says_where_it_belongs() -> None:
    kept = Kept()
    events = part(kept)
    tell_everything(events)
    events.run_completed(AgentOutput(text="a"))
    told = {one.type for one in kept.events}
    assert told == set(RUN_EVENT_TYPES) - (TERMINAL - {"run.completed"})
    assert [one.sequence for one in kept.events] == [*range(1, len(kept.events) + 1)]
    assert {(one.run_id, one.agent_path) for one in kept.events} == {("run-1", "triage")}
    for one in kept.events:
        shown = one.to_script().data
        assert {"type", "sequence", "run_id", "agent_path", "elapsed_ms"} <= shown.keys()
        assert None not in shown.values()
        assert "depth" not in shown


def test_a_run_ends_once_and_nothing_comes_after_it() -> None:
    kept = Kept()
    events = part(kept)
    events.run_failed({"message": "no"})
    events.run_completed(AgentOutput())
    events.run_cancelled()
    events.run_paused(AgentOutput())
    tell_everything(events)
    assert [one.type for one in kept.events] == ["run.failed"]


def test_paths_name_the_agents_above_and_count_the_same_agent() -> None:
    events = part(Kept())
    first, second = events.leg_of("billing"), events.leg_of("billing")
    deeper = second.leg_of("refunds")
    back = events.again()
    assert [one.agent_path for one in (events, first, second, deeper, back)] == [
        "triage",
        "triage/billing",
        "triage/billing#2",
        "triage/billing#2/refunds",
        "triage#2",
    ]
    assert second.again().agent_path == "triage/billing#3"


def test_what_runs_inside_of_a_tool_is_heard_only_by_a_deep_listener() -> None:
    kept = Kept()
    inside = part(kept).inside("ask-billing", "c1")
    assert inside is not None
    nested = inside.run_of("billing")
    assert nested is not None
    nested.text("x")
    assert [(one.agent_path, one.depth) for one in kept.events] == [("triage/billing", 2)]
    assert part(Kept(), deep=False).inside("ask-billing") is None


def test_a_run_inside_of_a_run_is_heard_by_both_listeners() -> None:
    around, within = Kept(), Kept()
    outer = part(around)
    outer.request_started()
    inner = part(within, outer=outer)
    inner.run_started()
    inner.request_started()
    inner.text("x")
    inner.run_completed(AgentOutput(text="x"))
    assert [one.type for one in within.events] == ["run.started", "text.delta", "run.completed"]
    only = around.events
    assert [(one.type, one.run_id, one.agent_path, one.request) for one in only] == [
        ("text.delta", "run-1", "triage/triage", 2)
    ]
    assert [one.sequence for one in only] == [1]


def test_a_restart_begins_another_request_and_says_which_one_is_void() -> None:
    kept = Kept()
    events = part(kept)
    events.request_started()
    events.text("half")
    events.fallback("m", "n", {"message": "cut"}, restarted=True)
    events.text("whole")
    assert [(one.type, one.request) for one in kept.events] == [
        ("text.delta", 1),
        ("fallback", 1),
        ("text.delta", 2),
    ]


def test_a_queue_holds_the_model_up_while_its_reader_lags() -> None:
    async def main() -> None:
        queue = EventQueue()
        events = part(queue)
        given = 0

        async def model() -> None:
            nonlocal given
            for _ in range(500):
                events.text("x")
                given += 1
                if events.crowded:
                    await events.room()

        task = asyncio.ensure_future(model())
        await asyncio.sleep(0)
        before = given
        assert before < 500
        await queue.next()
        await asyncio.sleep(0)
        assert given == before + 1
        queue.leave()
        await asyncio.wait_for(task, 5)
        assert given == 500

    asyncio.run(main())


@settings(max_examples=50)
@given(
    pieces=st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from("tr"), st.text(max_size=3)),
        max_size=60,
    ),
    kept=st.integers(1, 20),
    read=st.lists(st.integers(0, 30), max_size=3),
)
def test_what_readers_get_adds_up_however_much_was_merged(
    pieces: list[tuple[str, str, str]], kept: int, read: list[int]
) -> None:
    wanted: dict[tuple[str, str], str] = {}
    for name, kind, text in pieces:
        wanted[name, kind] = wanted.get((name, kind), "") + text

    async def main() -> None:
        log = EventLog(kept)
        root = RunEvents(RunEventStream(log, "run-1"))
        parts = {name: root.leg_of(name) for name in "ab"}

        async def reader(first: int) -> dict[tuple[str, str], str]:
            got: dict[tuple[str, str], str] = {}
            seen = 0
            async for event in log.read():
                assert event.sequence > seen
                seen = event.sequence
                if event.text is not None:
                    key = event.agent_path, event.type[0]
                    got[key] = got.get(key, "") + event.text
                if first and seen >= first:
                    first = 0
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
            return got

        early = [asyncio.ensure_future(reader(first)) for first in read]
        for number, (name, kind, text) in enumerate(pieces):
            (parts[name].text if kind == "t" else parts[name].reasoning)(text)
            if number % 7 == 0:
                await asyncio.sleep(0)
        parts["a"].run_completed(AgentOutput())
        for one in [*early, asyncio.ensure_future(reader(0))]:
            got = await asyncio.wait_for(one, 5)
            assert {(key[0].strip("/"), key[1]): text for key, text in got.items()} == wanted

    asyncio.run(main())


def test_a_log_grows_with_what_is_said_and_not_with_the_pieces() -> None:
    async def main() -> None:
        log = EventLog(100)
        events = part(log)
        for number in range(5000):
            events.text("x")
            events.tool_progress(number, 5000, "", "stock")
            events.output_partial({"n": number})
        assert len(log) <= 100
        events.run_completed(AgentOutput())
        found = [one async for one in log.read()]
        assert "".join(one.text or "" for one in found if one.type == "text.delta") == "x" * 5000
        assert [one.done for one in found if one.type == "tool.progress"][-1] == 4999

    asyncio.run(main())


def test_a_tool_in_a_thread_wakes_the_reader() -> None:
    async def main() -> None:
        queue = EventQueue()
        events = part(queue)
        threading.Timer(0.02, events.text, ["from a thread"]).start()
        found = await asyncio.wait_for(queue.next(), 5)
        assert found.text == "from a thread"

    asyncio.run(main())


@settings(max_examples=50)
@given(
    calls=st.lists(st.lists(st.text('{}:,"ab1', max_size=4), max_size=5), max_size=3),
    late=st.booleans(),
)
def test_the_pieces_of_a_call_add_up_to_its_arguments(calls: list[list[str]], late: bool) -> None:
    answer = StreamedAnswer(Service("s", "http://127.0.0.1/"), "m")
    got: dict[int, str] = {}
    names: dict[int, str] = {}
    for index, parts in enumerate(calls):
        pieces = [
            {"index": index, "id": f"c{index}", "function": {"arguments": one}} for one in parts
        ]
        named = {"index": index, "id": f"c{index}", "function": {"name": f"t{index}"}}
        for piece in [*pieces, named] if late else [named, *pieces]:
            for delta in answer.chunk({"choices": [{"delta": {"tool_calls": [piece]}}]}):
                if delta.call is not None:
                    one = delta.call
                    names[one.index] = names.get(one.index, "") + one.name
                    got[one.index] = got.get(one.index, "") + one.arguments
    assert got == {index: "".join(parts) for index, parts in enumerate(calls)}
    assert names == {index: f"t{index}" for index in range(len(calls))}

"""Publishing, subscribing, receiving, history; runs apart from each other."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.events import MAX_SUBSCRIPTIONS, Event, EventBus, Pattern
from llmspell_core.hooks import HookContext, HookRegistry
from llmspell_core.script.api import Result


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("agent.started", ["agent.started"], ["agent", "agent.started.x", "Agent.started"]),
        ("agent.*", ["agent.started", "agent."], ["agent", "agent.step.started", "agents.x"]),
        ("*.error", ["tool.error"], ["error", "a.b.error", "tool.errors"]),
        ("*", ["tool"], ["tool.error"]),
        ("**", ["tool", "tool.error", "a.b.c"], []),
        ("workflow.**", ["workflow", "workflow.step.started", "workflow.x"], ["workflows.x"]),
        ("**.error", ["error", "a.error", "a.b.error"], ["a.errors"]),
        ("a.**.z", ["a.z", "a.b.z", "a.b.c.z"], ["a.b", "z"]),
        ("tool.in*ed", ["tool.invoked", "tool.ined"], ["tool.in.ed", "tool.invoke"]),
        ("a.**.*", ["a.b", "a.b.c"], ["a"]),
    ],
)
def test_patterns(pattern: str, yes: list[str], no: list[str]) -> None:
    parsed = Pattern(pattern)
    assert [text for text in yes if not parsed.matches(text)] == []
    assert [text for text in no if parsed.matches(text)] == []


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_any_text_is_a_pattern_and_matches_itself(pattern: str, other: str) -> None:
    assert Pattern(pattern).matches(pattern)
    assert Pattern("**").matches(other)
    if "*" not in pattern:
        assert Pattern(pattern).matches(other) == (pattern == other)


def test_a_hostile_pattern_takes_no_time() -> None:
    started = time.perf_counter()
    Pattern("*a" * 127 + "b").matches("a" * 256)
    Pattern("**." * 80 + "b").matches("a." * 127 + "a")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("pattern", ["", "x" * 257, None, 3])
def test_a_wrong_pattern_is_refused(pattern: Any) -> None:
    with pytest.raises(ValidationError, match="pattern must be a text"):
        EventBus().subscribe(pattern)


def test_a_handler_gets_matching_events_in_order() -> None:
    async def main() -> None:
        bus, seen = EventBus(), []

        async def handler(event: Event) -> None:
            await asyncio.sleep(0.001 if event.data == 1 else 0)
            seen.append(event.data)

        bus.subscribe("a.*", handler)
        for number in (1, 2, 3):
            bus.emit("a.x", number)
            bus.emit("b.x", -number)
        assert seen == []
        assert await bus.drain()
        assert seen == [1, 2, 3]

    asyncio.run(main())


def test_an_event_tells_what_where_and_when() -> None:
    bus = EventBus()
    first = bus.emit("a.b", {"x": 1}, correlation_id="c", source="script:s.lua", language="lua")
    second = bus.emit("a.b", priority=5, target="t", ttl_seconds=100)
    assert first.id != second.id
    assert second.sequence > first.sequence
    assert abs(first.timestamp - time.time()) < 5
    seen = first.to_script()
    assert isinstance(seen, Result)
    assert seen.data.pop("timestamp").endswith("Z")
    assert seen.data.pop("id") == first.id
    metadata = seen.data.pop("metadata")
    assert metadata.data == {}
    assert seen.data == {
        "type": "a.b",
        "event_type": "a.b",
        "data": {"x": 1},
        "sequence": first.sequence,
        "source": "script:s.lua",
        "correlation_id": "c",
        "language": "lua",
    }
    assert second.metadata.keys() == {"priority", "target", "expires"}


def test_a_handler_of_a_script_gets_plain_data() -> None:
    class Function:
        where = "spell.lua:1"

        def __init__(self) -> None:
            self.seen: list[Any] = []

        async def __call__(self, event: Any) -> None:
            self.seen.append(event.data["type"])

    async def main() -> None:
        bus, function = EventBus(), Function()
        bus.subscribe("**", function)
        bus.emit("a.b")
        await bus.drain()
        assert await bus.replay({"pattern": "a.*"}, function) == 1
        assert function.seen == ["a.b", "a.b"]

    asyncio.run(main())


def test_a_failing_handler_is_logged_once_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        bus, seen = EventBus(), []

        def handler(event: Event) -> None:
            seen.append(event.type)
            raise ValueError("oh no")

        bus.subscribe("a.*", handler)
        bus.emit("a.b")
        bus.emit("a.c")
        assert await bus.drain()
        assert seen == ["a.b", "a.c"]

    asyncio.run(main())
    assert caplog.text.count("oh no") == 1


def test_receive_waits_for_the_next_event() -> None:
    async def main() -> None:
        bus = EventBus()
        waiting = bus.subscribe("a.*")
        assert await bus.receive(waiting, 0) is None
        assert await bus.receive(waiting, 5) is None
        asyncio.get_running_loop().call_later(0.01, bus.emit, "a.late")
        event = await bus.receive(waiting, 5000)
        assert event is not None
        assert event.type == "a.late"
        bus.emit("a.1")
        bus.emit("a.2")
        assert bus.subscriptions() == [
            {"id": waiting, "pattern": "a.*", "pending": 2, "dropped": 0}
        ]
        assert [(await bus.receive(waiting) or event).type for _ in range(2)] == ["a.1", "a.2"]

    asyncio.run(main())


def test_two_receivers_of_one_subscription_share_its_events() -> None:
    async def main() -> None:
        bus = EventBus()
        waiting = bus.subscribe("a.*")
        both = asyncio.gather(bus.receive(waiting, 1000), bus.receive(waiting, 1000))
        await asyncio.sleep(0)
        bus.emit("a.1")
        bus.emit("a.2")
        assert {event.type for event in await both if event} == {"a.1", "a.2"}

    asyncio.run(main())


def test_a_cancelled_receive_loses_no_event() -> None:
    async def main() -> None:
        bus = EventBus()
        waiting = bus.subscribe("a.*")
        task = asyncio.create_task(bus.receive(waiting))
        await asyncio.sleep(0)
        bus.emit("a.1")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        event = await bus.receive(waiting, 100)
        assert event is not None
        assert event.type == "a.1"

    asyncio.run(main())


def test_an_unknown_subscription_is_an_error() -> None:
    async def main() -> None:
        bus = EventBus()
        mine = bus.subscribe("a")
        with pytest.raises(LLMSpellError) as caught:
            await bus.receive("sub-nothing", 0)
        assert caught.value.code == "event.unknown_subscription"
        assert bus.unsubscribe(mine)
        assert not bus.unsubscribe(mine)
        with pytest.raises(LLMSpellError, match="unknown subscription"):
            await bus.receive(mine, 0)
        handled = bus.subscribe("a", lambda event: None)
        with pytest.raises(LLMSpellError) as caught:
            await bus.receive(handled, 0)
        assert caught.value.code == "event.has_handler"

    asyncio.run(main())


def test_once_ends_after_one_event() -> None:
    async def main() -> None:
        bus, seen = EventBus(), []
        bus.subscribe("a.*", lambda event: seen.append(event.type), once=True)
        waiting = bus.subscribe("a.*", once=True)
        bus.emit("a.1")
        bus.emit("a.2")
        await bus.drain()
        assert seen == ["a.1"]
        event = await bus.receive(waiting, 0)
        assert event is not None
        assert event.type == "a.1"
        assert bus.subscriptions() == []

    asyncio.run(main())


def test_a_full_queue_drops_the_oldest_and_counts() -> None:
    async def main() -> None:
        bus = EventBus(queue=3)
        waiting = bus.subscribe("a.*")
        small = bus.subscribe("a.*", queue=1)
        for number in range(5):
            bus.emit(f"a.{number}")
        assert [one["dropped"] for one in bus.subscriptions()] == [2, 4]
        received = [await bus.receive(waiting, 0) for _ in range(3)]
        assert types([event for event in received if event]) == ["a.2", "a.3", "a.4"]
        last = await bus.receive(small, 0)
        assert last is not None
        assert last.type == "a.4"
        assert bus.stats() == {
            "published": 5,
            "delivered": 4,
            "dropped": 6,
            "subscriptions": 2,
            "history": 5,
        }

    asyncio.run(main())


def test_urgent_events_come_first_and_are_dropped_last() -> None:
    async def main() -> None:
        bus = EventBus(queue=3)
        waiting = bus.subscribe("**")
        for name, priority in (("n1", 0), ("low", 100), ("urgent", -100), ("n2", 0)):
            bus.emit(name, priority=priority)
        received = [await bus.receive(waiting, 0) for _ in range(3)]
        assert types([event for event in received if event]) == ["urgent", "n1", "n2"]

    asyncio.run(main())


def test_an_expired_event_is_not_delivered() -> None:
    async def main() -> None:
        bus = EventBus()
        waiting = bus.subscribe("**")
        bus.emit("short", ttl_seconds=0.001)
        bus.emit("long", ttl_seconds=100)
        await asyncio.sleep(0.01)
        event = await bus.receive(waiting, 0)
        assert event is not None
        assert event.type == "long"
        assert types(bus.history()) == ["long"]

    asyncio.run(main())


def test_a_target_skips_subscriptions_of_other_targets() -> None:
    async def main() -> None:
        bus = EventBus()
        mine, other, everybody = (
            bus.subscribe("x", target="me"),
            bus.subscribe("x", target="other"),
            bus.subscribe("x"),
        )
        bus.emit("x", 1, target="me")
        bus.emit("x", 2)
        pending = {one["id"]: one["pending"] for one in bus.subscriptions()}
        assert pending == {mine: 2, other: 1, everybody: 2}

    asyncio.run(main())


def test_wait_for_sees_only_what_comes() -> None:
    async def main() -> None:
        bus = EventBus()
        bus.emit("a.old")
        assert await bus.wait_for("a.*", 5) is None
        asyncio.get_running_loop().call_soon(bus.emit, "a.new")
        event = await bus.wait_for("a.*", 1000)
        assert event is not None
        assert event.type == "a.new"
        assert bus.subscriptions() == []

    asyncio.run(main())


def test_history_is_bounded_and_filtered() -> None:
    bus = EventBus(history=3)
    for number in range(5):
        bus.emit(f"{'a' if number % 2 else 'b'}.{number}")
    assert types(bus.history()) == ["b.2", "a.3", "b.4"]
    assert types(bus.history("b.*")) == ["b.2", "b.4"]
    assert types(bus.history(limit=1)) == ["b.4"]
    assert bus.history(limit=0) == []
    first = bus.history()[0]
    assert types(bus.history(since=first.timestamp - 1)) == ["b.2", "a.3", "b.4"]
    assert bus.history(since=time.time() + 1) == []
    assert bus.history(since="2999-01-01T00:00:00Z") == []
    with pytest.raises(ValidationError, match="since must be a time"):
        bus.history(since="yesterday")


def test_replay_calls_with_past_events() -> None:
    async def main() -> None:
        bus, seen = EventBus(), []
        for number in range(3):
            bus.emit("a", number)
        assert await bus.replay({"limit": 2}, lambda event: seen.append(event.data)) == 2
        assert seen == [1, 2]

    asyncio.run(main())


def test_a_run_sees_its_own_events_and_the_base_sees_all() -> None:
    async def main() -> None:
        base, seen = EventBus(), []
        one, two = EventBus(parent=base), EventBus(parent=base)
        base.subscribe("**", lambda event: seen.append(("base", event.type)))
        one.subscribe("**", lambda event: seen.append(("one", event.type)))
        one.emit("from.one")
        two.emit("from.two")
        base.emit("from.base")
        for bus in (base, one, two):
            await bus.drain()
        assert sorted(seen) == [
            ("base", "from.base"),
            ("base", "from.one"),
            ("base", "from.two"),
            ("one", "from.one"),
        ]
        assert types(one.history()) == ["from.one"]
        assert types(base.history()) == ["from.one", "from.two", "from.base"]

    asyncio.run(main())


def test_shared_patterns_are_seen_by_other_runs() -> None:
    async def main() -> None:
        base = EventBus()
        one = EventBus(parent=base, share=["news.*"])
        two = EventBus(parent=base, share=["news.*"])
        closed = EventBus(parent=base, share=["**"])
        closed.close()
        waiting = two.subscribe("**")
        one.emit("news.today")
        one.emit("private")
        base.emit("news.base")
        received = [await two.receive(waiting, 0) for _ in range(3)]
        assert [event and event.type for event in received] == ["news.today", "news.base", None]
        assert types(one.history()) == ["news.today", "private", "news.base"]
        assert closed.history() == []

    asyncio.run(main())


def test_a_handler_may_unsubscribe_itself_and_goes_on() -> None:
    async def main() -> None:
        bus = EventBus()
        seen: list[str] = []

        async def handler(event: Event) -> None:
            bus.unsubscribe(mine)
            await asyncio.sleep(0.001)
            seen.append(event.type)

        mine = bus.subscribe("a.*", handler)
        bus.emit("a.1")
        bus.emit("a.2")
        await bus.drain()
        assert seen == ["a.1"]

    asyncio.run(main())


def test_drain_gives_up_on_handlers_that_never_end() -> None:
    async def main() -> None:
        bus = EventBus()
        bus.subscribe("loop", lambda event: bus.emit("loop"))

        async def forever(event: Event) -> None:
            await asyncio.sleep(3600)

        bus.subscribe("wait", forever)
        bus.emit("wait")
        bus.emit("loop")
        assert not await bus.drain(timeout_ms=20)
        bus.close()
        assert await bus.drain(timeout_ms=1000)

    asyncio.run(main())


def test_closing_wakes_whoever_waits() -> None:
    async def main() -> None:
        bus = EventBus()
        waiting = bus.subscribe("a")
        task = asyncio.create_task(bus.receive(waiting))
        await asyncio.sleep(0)
        bus.close()
        assert await task is None
        bus.emit("a")
        assert bus.subscriptions() == []

    asyncio.run(main())


def test_an_event_from_another_thread_is_delivered() -> None:
    async def main() -> None:
        bus, seen = EventBus(), []
        bus.subscribe("a", lambda event: seen.append(threading.current_thread()))
        waiting = bus.subscribe("a")
        receiving = asyncio.create_task(bus.receive(waiting, 5000))
        await asyncio.sleep(0)
        await asyncio.to_thread(bus.emit, "a")
        assert await receiving is not None
        await bus.drain()
        assert seen == [threading.main_thread()]

    asyncio.run(main())


def test_without_a_loop_events_wait() -> None:
    bus, seen = EventBus(), []
    bus.subscribe("a", lambda event: seen.append(event.data))
    bus.emit("a", 1)

    async def main() -> None:
        bus.emit("a", 2)
        await bus.drain()

    asyncio.run(main())
    assert seen == [1, 2]


def test_a_hook_is_not_entered_again_through_an_event() -> None:
    async def main() -> None:
        bus, hooks, seen = EventBus(), HookRegistry(), []

        def tell(ctx: HookContext) -> None:
            seen.append(1)
            bus.emit("seen")

        hooks.register("pre_tool", tell)

        async def handler(event: Event) -> None:
            await hooks.run("before_tool_execution", HookContext("before_tool_execution"))

        bus.subscribe("seen", handler)
        await hooks.run("before_tool_execution", HookContext("before_tool_execution"))
        await bus.drain()
        assert seen == [1]

    asyncio.run(main())


def test_there_is_a_limit_of_subscriptions() -> None:
    bus = EventBus()
    for _ in range(MAX_SUBSCRIPTIONS):
        bus.subscribe("a")
    with pytest.raises(LimitError) as caught:
        bus.subscribe("a")
    assert caught.value.code == "limit.subscriptions"


def test_a_bus_that_nobody_holds_goes_with_its_handlers() -> None:
    async def main() -> None:
        base = EventBus()
        bus = EventBus(parent=base, share=["x"])

        class Handler:
            def __call__(self, event: Event) -> None: ...

        handler = Handler()
        bus.subscribe("a", handler)
        bus.emit("a")
        await bus.drain()
        gone = weakref.ref(handler)
        del handler, bus
        await asyncio.sleep(0)
        gc.collect()
        assert gone() is None

    asyncio.run(main())

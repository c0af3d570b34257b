"""The script globals Hook and Event, as a session calls them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError, NotFoundError, ValidationError
from llmspell_core.globals.event import (
    EventFilter,
    EventGlobal,
    EventOptions,
    EventSpec,
    SubscribeOptions,
)
from llmspell_core.globals.hook import HookFilter, HookGlobal, HookHandle, HookOptions
from llmspell_core.hooks import HookContext
from llmspell_core.runtime import Runtime
from llmspell_core.script.manifest import compile_manifest


class Function:
    """A function of a script, as the host holds it."""

    where = "spell.lua:3"

    def __init__(self, answer: Callable[[dict[str, Any]], Any]) -> None:
        self.answer = answer

    async def __call__(self, *args: Any) -> Any:
        return self.answer(args[0].data)


def in_run(test: Callable[[ExecutionContext], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            await test(
                runtime.context(
                    overlay=runtime.base.child(), state_scope="script:a.lua", language="lua"
                )
            )

    asyncio.run(main())


def nothing(ctx: Any) -> None:
    """A handler that lets everything pass."""


def test_a_hook_is_registered_with_its_options_and_taken_away() -> None:
    async def test(ctx: ExecutionContext) -> None:
        hook = HookGlobal(ctx)
        handle = hook.register(
            "PreTool", HookOptions(handler=Function(nothing), name="mine", tags=["t"], priority=3)
        )
        assert (handle.name(), handle.hook_point()) == ("mine", "before_tool_execution")
        plain = hook.register("post_tool", Function(nothing), "high")
        assert plain.name() == plain.id()
        listed = [one.data for one in hook.list_()]  # type: ignore[attr-defined]
        assert [(one["name"], one["priority"], one["language"]) for one in listed] == [
            (plain.id(), -100, "lua"),
            ("mine", 3, "lua"),
        ]
        assert len(hook.list_(HookFilter(tag="t"))) == 1
        assert len(hook.list_("pre_tool")) == 1
        assert handle.unregister()
        assert not handle.unregister()
        assert hook.unregister(plain.id())
        assert hook.list_() == []

    in_run(test)


def test_a_hook_of_somebody_else_cannot_be_taken_away() -> None:
    async def test(ctx: ExecutionContext) -> None:
        hook = HookGlobal(ctx)
        theirs = ctx.runtime.base.hooks.register("pre_tool", nothing, name="fence", guard=True)
        with pytest.raises(LLMSpellError) as caught:
            hook.unregister(theirs.id)
        assert caught.value.code == "hook.reserved"
        with pytest.raises(NotFoundError) as missing:
            hook.unregister(theirs.id + "0")
        assert missing.value.code == "hook.not_found"
        assert missing.value.hint == f'did you mean "{theirs.id}"?'
        ctx.runtime.base.hooks.enable("metrics")
        assert not hook.disable("metrics")
        hook.enable("logging", {"points": ["pre_tool"]})
        assert hook.disable("logging")

    in_run(test)


def test_options_name_their_mistakes() -> None:
    handler = Function(nothing)
    with pytest.raises(ValueError, match='unknown field "priorty", did you mean "priority"'):
        HookOptions.model_validate({"handler": handler, "priorty": 1})
    with pytest.raises(ValueError, match="timeout_ms"):
        HookOptions.model_validate({"handler": handler, "timeoutMs": 0})
    with pytest.raises(ValueError, match="ScriptFunction"):
        HookOptions.model_validate({"handler": 7})
    assert HookFilter.model_validate({"point": "pre_tool"}).hook_point == "pre_tool"


def test_a_script_function_sees_plain_data_and_decides() -> None:
    async def test(ctx: ExecutionContext) -> None:
        hook = HookGlobal(ctx)
        hook.register("pre_tool", Function(lambda seen: {"type": "cancel", "reason": seen["tool"]}))
        result = await ctx.hooks.run(
            "before_tool_execution", HookContext("before_tool_execution", tool="x")
        )
        assert (result.kind, result.reason) == ("cancel", "x")
        stats = hook.get_stats().data  # type: ignore[attr-defined]
        assert (stats["hooks"], stats["calls"], stats["errors"]) == (1, 1, 0)

    in_run(test)


def test_an_event_says_which_script_sent_it() -> None:
    async def test(ctx: ExecutionContext) -> None:
        event = EventGlobal(ctx)
        first = event.publish("order.created", {"id": 1})
        options = EventOptions(correlation_id="c", language="x", priority="high")
        event.publish("order.paid", {"id": 2}, options)
        event.publish(EventSpec(type="order.sent", data=3, ttl_seconds=60))
        created, paid, sent = event.history("order.*")
        assert created.id == first
        assert (created.source, created.language) == ("script:a.lua", "lua")
        assert created.correlation_id == ctx.correlation_id
        assert (paid.correlation_id, paid.language, paid.priority) == ("c", "x", -100)
        assert (sent.type, sent.data) == ("order.sent", 3)
        with pytest.raises(ValidationError, match="event type must be a text"):
            event.publish("")
        assert EventSpec.model_validate({"eventType": "x"}).type == "x"

    in_run(test)


def test_subscribe_receive_wait_and_replay() -> None:
    async def test(ctx: ExecutionContext) -> None:
        event = EventGlobal(ctx)
        seen: list[Any] = []
        function = Function(lambda found: seen.append(found["data"]))
        handled = event.subscribe("a.*", function)
        queued = event.subscribe("a.*", SubscribeOptions(queue=1))
        event.once("a.*", function)
        with pytest.raises(ValidationError, match="given twice"):
            event.subscribe("a.*", SubscribeOptions(), SubscribeOptions())
        event.publish("a.x", 1)
        event.publish("a.y", 2)
        received = await event.receive(queued, 100)
        assert received is not None
        assert received.data == 2
        await ctx.events.drain()
        assert sorted(seen) == [1, 1, 2]
        assert await event.wait_for("b", 1) is None
        seen.clear()
        assert await event.replay(EventFilter(pattern="a.*", limit=1), function) == 1
        assert seen == [2]
        past = event.history(EventFilter(since=received.timestamp * 1000 - 60_000))
        assert [one.data for one in past] == [1, 2]
        assert event.history(EventFilter(since=received.timestamp * 1000 + 60_000)) == []
        stats = event.get_stats().data  # type: ignore[attr-defined]
        assert (stats["published"], stats["delivered"], stats["dropped"]) == (2, 4, 1)
        assert stats["event_bus_stats"].data["history"] == 2
        assert stats["bridge_stats"].data["pending"] == 0
        assert len(event.list_subscriptions()) == 2
        assert event.unsubscribe(handled)
        assert not event.unsubscribe(handled)

    in_run(test)


@pytest.mark.parametrize("cls", [HookGlobal, EventGlobal])
def test_the_declaration_describes_every_parameter(cls: Any) -> None:
    manifest = compile_manifest(cls)
    for method in manifest["methods"].values():
        assert method["doc"]
        assert all(one["doc"] for one in method["params"]), method
    assert compile_manifest(HookGlobal)["objects"]["hook"]["methods"].keys() == {
        "id", "name", "hook_point", "unregister",
    }  # fmt: skip
    assert HookHandle.type_name == "hook"

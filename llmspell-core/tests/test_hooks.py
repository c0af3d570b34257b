"""Hook points, order, answers, failures and layers."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from llmspell_core.errors import (
    HookError,
    LimitError,
    LLMSpellError,
    NotFoundError,
    ValidationError,
)
from llmspell_core.hooks import (
    CONTINUE,
    POINTS,
    HookContext,
    HookRegistry,
    HookResult,
    point_name,
)
from llmspell_core.script.api import Result

POINT = "before_tool_execution"


class Function:
    """A function of a script, as the host holds it."""

    where = "spell.lua:3"

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer

    async def __call__(self, ctx: Any) -> Any:
        assert isinstance(ctx, Result)
        return self.answer(ctx.data)


def run(registry: HookRegistry, ctx: HookContext | None = None) -> HookResult:
    return asyncio.run(registry.run(POINT, ctx or HookContext(POINT)))


def camel(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


@pytest.mark.parametrize("point", POINTS)
def test_a_point_may_be_written_in_three_ways(point: str) -> None:
    for text in (point, point.replace("_", "-"), camel(point)):
        assert point_name(text) == point


def test_aliases_of_points_and_the_acronym() -> None:
    assert point_name("pre_tool") == point_name("PreTool") == POINT
    assert point_name("post-llm") == "after_llm_call"
    assert point_name("BeforeLLMCall") == "before_llm_call"
    assert point_name("post_workflow") == "after_workflow_complete"


def test_an_unknown_point_names_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        HookRegistry().register("before_tool_exection", lambda ctx: None)
    assert caught.value.code == "hook.unknown_point"
    assert caught.value.hint == 'did you mean "before_tool_execution"?'


def test_lower_priorities_run_first_and_equal_ones_in_order() -> None:
    registry, seen = HookRegistry(), []
    for label, priority in (
        ("normal", 0),
        ("low", "low"),
        ("highest", "highest"),
        ("same", 0),
        ("lowest", "lowest"),
        ("high", "high"),
        ("own", 50.5),
    ):
        registry.register(POINT, lambda ctx, label=label: seen.append(label), priority=priority)
    run(registry)
    assert seen == ["highest", "high", "normal", "same", "own", "low", "lowest"]


@pytest.mark.parametrize("priority", ["urgent", True, float("nan"), None])
def test_a_wrong_priority_is_refused(priority: Any) -> None:
    with pytest.raises(ValidationError, match="priority must be a number or one of highest"):
        HookRegistry().register(POINT, lambda ctx: None, priority=priority)


def test_a_point_without_hooks_is_inactive_in_every_layer() -> None:
    base = HookRegistry()
    layer = HookRegistry(base)
    assert not layer.active(POINT)
    hook = base.register("pre_tool", lambda ctx: None)
    assert layer.active(POINT)
    assert not layer.active("after_tool_execution")
    base.unregister(hook)
    assert not layer.active(POINT)
    layer.register("pre_tool", lambda ctx: None)
    assert layer.active(POINT)
    assert not base.active(POINT)


def test_layers_merge_by_priority_and_do_not_see_each_other() -> None:
    base, seen = HookRegistry(), []
    base.register(POINT, lambda ctx: seen.append("base"))
    one, two = HookRegistry(base), HookRegistry(base)
    one.register(POINT, lambda ctx: seen.append("one early"), priority="high")
    one.register(POINT, lambda ctx: seen.append("one late"), priority="low")
    two.register(POINT, lambda ctx: seen.append("two"))
    run(one)
    assert seen == ["one early", "base", "one late"]
    one.close()
    seen.clear()
    run(one)
    run(two)
    assert seen == ["base", "base", "two"]


def test_changes_reach_the_next_hook_and_the_caller() -> None:
    registry = HookRegistry()
    registry.register(POINT, lambda ctx: {"type": "modified", "data": {"arguments": {"a": 2}}})
    registry.register(POINT, lambda ctx: {"type": "modify", "data": {"metadata": ctx.arguments}})
    ctx = HookContext(POINT, arguments={"a": 1})
    result = run(registry, ctx)
    assert result.kind == "modified"
    assert result.data == {"arguments": {"a": 2}, "metadata": {"a": 2}}
    assert ctx.arguments == ctx.metadata == {"a": 2}


def test_a_returned_ctx_changes_only_what_may_be_changed() -> None:
    registry = HookRegistry()

    def handler(ctx: HookContext) -> HookContext:
        ctx.arguments = {"a": 2}
        ctx.tool = "another"
        return ctx

    registry.register(POINT, handler)
    registry.register(POINT, Function(lambda ctx: {**ctx, "output": "o", "tool": "third"}))
    ctx = HookContext(POINT, tool="first", arguments={"a": 1})
    run(registry, ctx)
    assert (ctx.tool, ctx.arguments, ctx.output) == ("first", {"a": 2}, "o")


def test_a_change_that_is_not_returned_has_no_effect() -> None:
    registry = HookRegistry()

    def handler(ctx: HookContext) -> None:
        ctx.input = "changed"
        assert ctx.arguments is not None
        ctx.arguments["a"] = 2

    registry.register(POINT, handler)
    ctx = HookContext(POINT, input="given", arguments={"a": 1})
    assert run(registry, ctx) is CONTINUE
    assert (ctx.input, ctx.arguments) == ("given", {"a": 1})


def test_an_empty_table_of_a_script_keeps_the_kind_of_the_field() -> None:
    ctx = HookContext(POINT, arguments={"a": 1}, messages=["m"])
    ctx.apply({"arguments": [], "messages": {}, "metadata": []})
    assert (ctx.arguments, ctx.messages, ctx.metadata) == ({}, [], {})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, CONTINUE),
        ("continue", CONTINUE),
        ({"type": "continue"}, HookResult("continue")),
        ("cancel", HookResult("cancel")),
        ({"type": "cancel", "reason": "no"}, HookResult("cancel", reason="no")),
        ({"type": "replace", "result": 7}, HookResult("replace", result=7)),
        ({"type": "replace", "data": 7}, HookResult("replace", result=7)),
        ({"type": "redirect", "target": "t"}, HookResult("redirect", target="t")),
        ({"type": "retry"}, HookResult("retry")),
        ({"type": "retry", "delayMs": 5}, HookResult("retry", delay_ms=5.0)),
        ({"type": "modified", "input": 1}, HookResult("modified", {"input": 1})),
        (3, CONTINUE),
        (True, CONTINUE),
        (False, CONTINUE),
        ([], CONTINUE),
        ({}, CONTINUE),
        (HookResult("retry"), HookResult("retry")),
    ],
)
def test_what_a_handler_may_return(answer: Any, expected: HookResult) -> None:
    assert HookResult.of(answer) == expected


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ("cancle", '"cancle"'),
        ({"type": "cancle"}, 'unknown type "cancle"'),
        ({"type": "redirect"}, "without a target"),
        ({"type": "modified", "data": {"tool": "x", "inptu": 1}}, 'cannot change "inptu"'),
        ({"type": "retry", "delay_ms": "soon"}, "delay_ms"),
        ({"foo": 1}, "a table"),
        ([1], "a list"),
        (object(), "an object"),
    ],
)
def test_other_answers_say_what_is_wrong(answer: Any, part: str) -> None:
    with pytest.raises(HookError) as caught:
        HookResult.of(answer)
    assert caught.value.code == "hook.bad_result"
    assert part in caught.value.message


def test_the_first_decision_ends_it() -> None:
    registry, seen = HookRegistry(), []
    registry.register(POINT, lambda ctx: seen.append(1))
    registry.register(POINT, lambda ctx: {"type": "replace", "result": "r"})
    registry.register(POINT, lambda ctx: seen.append(3))
    assert run(registry) == HookResult("replace", result="r")
    assert seen == [1]


def test_an_ordinary_hook_that_fails_is_reported_and_skipped_and_off_after_five(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry, seen = HookRegistry(), []
    layer = HookRegistry(registry)

    def broken(ctx: HookContext) -> None:
        raise ValueError("oh no")

    hook = registry.register(POINT, broken, name="broken")
    layer.register(POINT, lambda ctx: seen.append(1))
    for _ in range(7):
        assert run(layer) is CONTINUE
    assert (hook.calls, hook.errors, hook.enabled) == (5, 5, False)
    assert len(seen) == 7
    assert caplog.text.count("oh no") == 5
    assert "broken is off after 5 failures" in caplog.text
    registry.register("post_tool", broken)
    assert registry.stats()["switched_off"] == 1


def test_a_success_starts_the_count_again() -> None:
    registry = HookRegistry()
    turns = iter([1, 1, 1, 1, 0, 1, 1, 1, 1, 0])
    hook = registry.register(POINT, lambda ctx: 1 // (1 - next(turns)))
    logging.getLogger("llmspell.hooks").disabled = True
    try:
        for _ in range(10):
            run(registry)
    finally:
        logging.getLogger("llmspell.hooks").disabled = False
    assert hook.enabled
    assert hook.errors == 8


def test_a_guard_fails_closed_and_is_never_switched_off() -> None:
    registry, seen = HookRegistry(), []

    def broken(ctx: HookContext) -> None:
        raise ValueError("oh no")

    hook = registry.register(POINT, broken, name="fence", guard=True)
    registry.register(POINT, lambda ctx: seen.append(1))
    for _ in range(7):
        with pytest.raises(HookError) as caught:
            run(registry)
        assert caught.value.code == "hook.failed"
        assert 'guard "fence" failed at before_tool_execution: oh no' in caught.value.message
    assert hook.enabled
    assert seen == []


def test_a_guard_that_says_false_has_not_said_yes() -> None:
    registry = HookRegistry()
    registry.register(POINT, lambda ctx: False, guard=True)
    with pytest.raises(HookError, match="returned false"):
        run(registry)


@pytest.mark.parametrize("guard", [False, True])
def test_a_hook_that_takes_too_long_has_failed(guard: bool) -> None:
    registry = HookRegistry()
    ended = []

    async def slow(ctx: HookContext) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(1)

    hook = registry.register(POINT, slow, timeout_ms=10, guard=guard)
    if guard:
        with pytest.raises(HookError, match="it took longer than 10 ms"):
            run(registry)
    else:
        assert run(registry) is CONTINUE
    assert hook.errors == 1
    assert ended == [1]


def test_cancelling_the_run_is_no_failure_of_the_hook() -> None:
    registry = HookRegistry()

    async def slow(ctx: HookContext) -> None:
        await asyncio.sleep(30)

    hook = registry.register(POINT, slow)

    async def main() -> None:
        task = asyncio.create_task(registry.run(POINT, HookContext(POINT)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert hook.errors == 0


def test_a_hook_does_not_trigger_itself_but_others() -> None:
    registry, seen = HookRegistry(), []

    async def outer(ctx: HookContext) -> None:
        seen.append("outer")
        inner = asyncio.create_task(registry.run(POINT, HookContext(POINT)))
        await inner

    registry.register(POINT, outer, priority="high")
    registry.register(POINT, lambda ctx: seen.append("other"))
    run(registry)
    assert seen == ["outer", "other", "other"]


def test_a_condition_decides_whether_it_runs() -> None:
    registry, seen = HookRegistry(), []
    hook = registry.register(
        POINT, lambda ctx: seen.append(ctx.tool), condition=lambda ctx: ctx.tool == "yes"
    )
    run(registry, HookContext(POINT, tool="no"))
    run(registry, HookContext(POINT, tool="yes"))
    assert seen == ["yes"]
    assert hook.calls == 1


def test_a_condition_may_be_an_expression() -> None:
    registry, seen = HookRegistry(), []
    registry.register(
        POINT,
        lambda ctx: seen.append(ctx.tool),
        condition="tool == 'yes' and arguments.n > 1",
    )
    for tool, n in (("no", 2), ("yes", 1), ("yes", 2)):
        run(registry, HookContext(POINT, tool=tool, arguments={"n": n}))
    assert seen == ["yes"]
    with pytest.raises(LLMSpellError):
        registry.register(POINT, lambda ctx: None, condition="tool ==")


def test_a_condition_of_a_script_gets_plain_data() -> None:
    registry, seen = HookRegistry(), []
    registry.register(
        POINT,
        Function(lambda ctx: seen.append(ctx["tool"])),
        condition=Function(lambda ctx: ctx["tool"] == "yes"),
    )
    run(registry, HookContext(POINT, tool="no"))
    run(registry, HookContext(POINT, tool="yes"))
    assert seen == ["yes"]


def test_a_condition_that_fails_in_a_guard_refuses() -> None:
    registry = HookRegistry()
    registry.register(POINT, lambda ctx: None, guard=True, condition=lambda ctx: 1 // 0)
    with pytest.raises(HookError, match="failed"):
        run(registry)


def test_scripts_see_only_the_fields_that_there_are() -> None:
    seen: list[Any] = []
    registry = HookRegistry()
    registry.register(POINT, Function(seen.append))
    run(registry, HookContext(POINT, tool="t", arguments={}))
    assert seen == [
        {"point": POINT, "tool": "t", "arguments": {}, "metadata": {}, "language": "python"}
    ]


def test_hooks_are_listed_in_the_order_they_run_and_filtered() -> None:
    base = HookRegistry()
    base.register("post_tool", lambda ctx: None, name="b", tags=("x",))
    layer = HookRegistry(base)
    layer.register(POINT, lambda ctx: None, name="a", priority="high", language="lua")

    def names(wanted: Any = None) -> list[str]:
        return [one["name"] for one in layer.list(wanted)]

    assert names() == ["a", "b"]
    assert names("pre-tool") == ["a"]
    assert names({"hook_point": "post_tool"}) == ["b"]
    assert names({"priority": "high"}) == ["a"]
    assert names({"language": "lua"}) == ["a"]
    assert names({"tag": "x"}) == ["b"]
    assert layer.list("pre_tool")[0].keys() >= {
        "id", "name", "hook_point", "priority", "language", "version", "tags", "calls", "errors",
    }  # fmt: skip


def test_unregister_reaches_the_own_layer_only() -> None:
    base = HookRegistry()
    hook = base.register(POINT, lambda ctx: None)
    layer = HookRegistry(base)
    assert layer.find(hook.id) is hook
    assert not layer.unregister(hook.id)
    assert base.unregister(hook)
    assert not base.unregister(hook)


def test_there_is_a_limit() -> None:
    registry = HookRegistry(limit=2)
    registry.register(POINT, lambda ctx: None)
    registry.register(POINT, lambda ctx: None)
    with pytest.raises(LimitError) as caught:
        registry.register(POINT, lambda ctx: None)
    assert caught.value.code == "limit.hooks"


def test_a_closed_layer_keeps_no_handler_alive() -> None:
    base = HookRegistry()
    layer = HookRegistry(base)
    handler = Function(lambda ctx: None)
    layer.register(POINT, handler)
    gone = weakref.ref(handler)
    run(layer)
    del handler
    layer.close()
    run(layer)
    gc.collect()
    assert gone() is None


def test_the_built_in_hooks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    base = HookRegistry()
    registry = HookRegistry(base)
    base.enable("logging", {"level": "debug", "points": ["post_tool", "tool_error"]})
    registry.enable("metrics")
    registry.enable("debugging", {"points": ["post_tool"], "max_chars": 10})

    async def main() -> None:
        for duration in (1.0, 3.0):
            ctx = HookContext(
                "after_tool_execution", component="calc", duration_ms=duration, output="x" * 50
            )
            await registry.run("after_tool_execution", ctx)
        await registry.run(
            "tool_error", HookContext("tool_error", component="calc", error={"message": "oh"})
        )

    asyncio.run(main())
    assert "after_tool_execution calc 1.0 ms" in caplog.text
    assert "tool_error calc failed: oh" in caplog.text
    assert "output=xxxxxxxxxx... (50 chars)" in caplog.text
    stats = registry.stats()["builtin"]
    assert stats["logging"] == {"records": 3}
    calc = stats["metrics"]["after_tool_execution"]["calc"]
    assert (calc["count"], calc["average_ms"], calc["max_ms"]) == (2, 2.0, 3.0)
    assert not registry.disable("logging")
    assert registry.disable("debug")
    assert registry.disable("metrics")
    assert base.disable("logging")
    assert registry.list() == []


def test_enabling_again_replaces_the_configuration() -> None:
    registry = HookRegistry()
    registry.enable("logging", {"points": ["pre_tool", "post_tool"]})
    registry.enable("logging", {"points": ["pre_tool"]})
    assert len(registry.list()) == 1


def test_a_built_in_hook_names_its_mistakes() -> None:
    registry = HookRegistry()
    with pytest.raises(NotFoundError) as caught:
        registry.enable("loging")
    assert caught.value.hint == 'did you mean "logging"?'
    with pytest.raises(ValidationError, match='unknown field "levl"'):
        registry.enable("logging", {"levl": "info"})

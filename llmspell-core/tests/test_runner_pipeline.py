"""The one pipeline around every run, seen from outside: tools and agents through a Runtime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from llmspell_core.account import Account, Limits
from llmspell_core.agent import Agent
from llmspell_core.approval import CallbackApprover
from llmspell_core.context import ExecutionContext, current
from llmspell_core.errors import LLMSpellError
from llmspell_core.hooks import HookContext
from llmspell_core.messages import AgentInput, AgentOutput, StreamChunk
from llmspell_core.runtime import Runtime
from llmspell_core.tool import FunctionTool, tool

Body = Callable[[ExecutionContext], Awaitable[Any]]


def in_runtime(body: Body, **options: Any) -> Any:
    """Run `body` with a context over a run's own overlay."""

    async def main() -> Any:
        async with Runtime({"state": {"backend": "memory"}}, **options) as runtime:
            return await body(runtime.context(overlay=runtime.base.child()))

    return asyncio.run(main())


@tool
async def double(number: int) -> int:
    """Twice the NUMBER."""
    return 2 * number


@tool(timeout_ms=20)
async def slow() -> str:
    """Takes longer than it may."""
    await asyncio.sleep(5)
    return "never"


@tool
def broken() -> None:
    """Raises what no tool should."""
    raise KeyError("secret-detail")


class Echo(Agent):
    """Says what it heard."""

    async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
        return AgentOutput(text=input.text, agent=self.name)

    async def run_stream(
        self, input: AgentInput, ctx: ExecutionContext
    ) -> AsyncIterator[StreamChunk]:
        for word in input.text.split(" "):
            yield StreamChunk(type="text", text=word)
        yield StreamChunk(type="done", output=await self.run(input, ctx))


def code_of(work: Body, **options: Any) -> str:
    with pytest.raises(LLMSpellError) as caught:
        in_runtime(work, **options)
    return caught.value.code


def test_a_call_gives_the_result_and_says_what_it_took() -> None:
    result = in_runtime(lambda ctx: double.call({"number": 21}, ctx))
    assert result.output == 42
    assert result.metadata["tool"] == "double"
    assert result.metadata["execution_time_ms"] > 0


def test_wrong_arguments_name_the_field() -> None:
    with pytest.raises(LLMSpellError, match='double: number must be a whole number, not "many"'):
        in_runtime(lambda ctx: double.call({"number": "many"}, ctx))


def test_a_deadline_ends_the_call_with_its_own_code() -> None:
    assert code_of(lambda ctx: slow.call({}, ctx)) == "tool.timeout"


def test_the_smaller_deadline_wins() -> None:
    async def body(ctx: ExecutionContext) -> float:
        return (ctx.child(deadline=ctx.within(50)).within(10_000) or 0) - (ctx.within(50) or 0)

    assert abs(in_runtime(body)) < 1


def test_an_exception_becomes_a_tool_error_without_a_traceback() -> None:
    with pytest.raises(LLMSpellError) as caught:
        in_runtime(lambda ctx: broken.call({}, ctx))
    assert caught.value.code == "tool.failed"
    assert "Traceback" not in caught.value.message
    assert caught.value.details["exception"] == "KeyError"


def test_hooks_change_cancel_replace_and_redirect_a_call() -> None:
    async def body(ctx: ExecutionContext) -> list[Any]:
        hooks = ctx.hooks
        ctx.overlay.tools.register("double", double)
        ctx.overlay.tools.register(
            "triple", FunctionTool(lambda number: 3 * number, name="triple", description="")
        )
        seen: list[Any] = []
        answers: list[Any] = [
            {"type": "modified", "data": {"arguments": {"number": 5}}},
            {"type": "replace", "result": 99},
            {"type": "cancel", "reason": "not today"},
            {"type": "redirect", "target": "triple"},
        ]
        hooks.register("before_tool_execution", lambda _: answers.pop(0) if answers else None)
        for _ in range(4):
            try:
                result = await double.call({"number": 1}, ctx)
            except LLMSpellError as error:
                seen.append((error.code, error.message))
            else:
                seen.append(result.output)
        return seen

    assert in_runtime(body) == [10, 99, ("hook.cancelled", "double: not today"), 3]


def test_a_hook_may_ask_for_another_attempt_three_times_at_most() -> None:
    async def body(ctx: ExecutionContext) -> Any:
        ctx.hooks.register("tool_error", lambda _: {"type": "retry", "delay_ms": 1})
        return await broken.call({}, ctx)

    assert code_of(body) == "hook.retries"


def test_hooks_that_send_a_call_to_and_fro_end_it() -> None:
    async def body(ctx: ExecutionContext) -> Any:
        for name in ("here", "there"):
            made = FunctionTool(lambda number: number, name=name, description="")
            ctx.overlay.tools.register(name, made)

        def away(hook: HookContext) -> dict[str, Any]:
            return {"type": "redirect", "target": "there" if hook.tool == "here" else "here"}

        ctx.hooks.register("before_tool_execution", away)
        return await ctx.overlay.tools.get("here").call({"number": 1}, ctx)

    assert code_of(body) == "hook.redirects"


def test_an_error_hook_may_replace_the_failure() -> None:
    async def body(ctx: ExecutionContext) -> Any:
        ctx.hooks.register("tool_error", lambda _: {"type": "replace", "result": "fallback"})
        return (await broken.call({}, ctx)).output

    assert in_runtime(body) == "fallback"


def test_an_after_hook_changes_the_output() -> None:
    async def body(ctx: ExecutionContext) -> Any:
        ctx.hooks.register(
            "after_tool_execution", lambda _: {"type": "modified", "data": {"output": "changed"}}
        )
        return (await double.call({"number": 1}, ctx)).output

    assert in_runtime(body) == "changed"


def test_every_run_tells_when_it_starts_and_how_it_ends() -> None:
    async def body(ctx: ExecutionContext) -> list[str]:
        await double.call({"number": 1}, ctx)
        with pytest.raises(LLMSpellError):
            await broken.call({}, ctx)
        await Echo("echo").execute("hi", ctx)
        return [event.type for event in ctx.events.history()]

    assert in_runtime(body) == [
        "tool.invoked",
        "tool.completed",
        "tool.invoked",
        "tool.failed",
        "agent.started",
        "agent.completed",
    ]


def test_a_cancelled_run_is_told_as_failed() -> None:
    async def body(ctx: ExecutionContext) -> Any:
        task = asyncio.ensure_future(slow.call({}, ctx))
        await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ctx.events.history()[-1]

    event = in_runtime(body)
    assert (event.type, event.data["error"]["code"]) == ("tool.failed", "cancelled")


def test_a_limit_on_tool_calls_holds_for_everything_nested() -> None:
    async def body(ctx: ExecutionContext) -> Any:
        limited = ctx.child(account=Account(Limits(tool_calls=2)))
        for _ in range(3):
            await double.call({"number": 1}, limited)

    assert code_of(body) == "agent.limit_exceeded"


def test_what_a_person_must_approve_is_refused_when_nobody_answers() -> None:
    careful = tool(requires_approval=True, name="careful")(double.function)
    settings = {"security": {"tools": {"require_approval": ["careful"]}}}

    async def body(approve: Any) -> Any:
        async with Runtime(settings, approver=approve) as runtime:
            runner = runtime.runner
            ctx = runtime.context()
            return await runner.run_tool(careful, {"number": 1}, ctx, chosen_by_model=True)

    with pytest.raises(LLMSpellError) as caught:
        asyncio.run(body(None))
    assert caught.value.code == "tool.not_approved"
    yes = CallbackApprover(lambda _: True)
    assert asyncio.run(body(yes)).output == 2
    edit = CallbackApprover(lambda _: {"arguments": {"number": 4}})
    assert asyncio.run(body(edit)).output == 8


def test_a_stream_gives_pieces_and_then_the_output() -> None:
    async def body(ctx: ExecutionContext) -> list[StreamChunk]:
        return [chunk async for chunk in Echo("echo").stream("a b c", ctx)]

    chunks = in_runtime(body)
    assert [chunk.text for chunk in chunks[:-1]] == ["a", "b", "c"]
    assert chunks[-1].output is not None
    assert chunks[-1].output.text == "a b c"


def test_leaving_a_stream_early_cancels_the_run() -> None:
    class Endless(Echo):
        ended = False

        async def run_stream(
            self, input: AgentInput, ctx: ExecutionContext
        ) -> AsyncIterator[StreamChunk]:
            try:
                while True:
                    yield StreamChunk(type="text", text="x")
                    await asyncio.sleep(0)
            finally:
                Endless.ended = True

    async def body(ctx: ExecutionContext) -> None:
        stream = Endless("endless").stream("", ctx)
        await anext(aiter(stream))
        await stream.aclose()  # type: ignore[attr-defined]

    in_runtime(body)
    assert Endless.ended


def test_components_nest_to_a_bounded_depth() -> None:
    class Nested(Agent):
        async def run(self, input: AgentInput, ctx: ExecutionContext) -> AgentOutput:
            assert current() is ctx
            return await ctx.run(self, input)

    assert code_of(lambda ctx: Nested("nested").execute("", ctx)) == "agent.too_deep"


def test_python_code_without_a_runtime_gets_one_that_is_closed_with_its_loop() -> None:
    stopped: list[str] = []

    async def main() -> Runtime:
        assert (await double.call({"number": 4})).output == 8
        runtime = await Runtime.default()
        assert await Runtime.default() is runtime
        runtime.base.hooks.register("system_shutdown", lambda _: stopped.append("stopped"))
        return runtime

    assert asyncio.run(main()) is not asyncio.run(main())
    assert stopped == ["stopped", "stopped"]

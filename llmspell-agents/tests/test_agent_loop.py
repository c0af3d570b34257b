"""The loop: order, concurrency, what the model is told of calls that went wrong, hooks, events."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.errors import AgentError, LLMSpellError, ProviderError, ToolFailed, ToolRetry
from llmspell_core.messages import ToolCall
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.testing import ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.tool import tool


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store.

    Args:
        item: the article's name
    """
    return 7


@tool
async def breaks() -> int:
    """Always raises."""
    raise RuntimeError("the drawer is stuck")


def asked(provider: ScriptedProvider, number: int = -1) -> list[str]:
    """The texts of the tool messages of one request."""
    return [one.text for one in provider.requests[number].messages if one.role == "tool"]


async def ask(*replies: Any, tools: list[Any], **fields: Any) -> tuple[Any, ScriptedProvider]:
    async with scripted_runtime(*replies) as (runtime, provider):
        agent = Agent("Be brief.", tools=tools, **fields)
        return await agent.execute("Any kettles?", runtime.context()), provider


def test_an_answer_without_tools_is_one_request() -> None:
    out, provider = asyncio.run(ask("No.", tools=[]))
    assert (out.text, out.success, out.metadata.iterations) == ("No.", True, 1)
    roles = [message.role for message in provider.requests[0].messages]
    assert roles == ["system", "user"]
    assert provider.requests[0].tools == []
    assert out.metadata.usage.total_tokens == 15


def test_a_tool_is_offered_with_its_schema_called_and_its_result_fed_back() -> None:
    out, provider = asyncio.run(ask(tool_call("stock", item="kettle"), "We have 7.", tools=[stock]))
    offered = provider.requests[0].tools[0]
    assert offered.name == "stock"
    assert offered.parameters["properties"]["item"]["description"] == "the article's name"
    assert asked(provider) == ["7"]
    assert out.text == "We have 7."
    call = out.tool_calls[0]
    assert (call.name, call.arguments, call.result) == ("stock", {"item": "kettle"}, 7)
    assert call.duration_ms is not None
    assert out.metadata.usage.total_tokens == 30


def test_calls_run_together_and_results_keep_the_order_of_the_calls() -> None:
    active = most = 0

    @tool
    async def wait(ms: float, label: str) -> str:
        """Wait."""
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(ms / 1000)
        active -= 1
        return label

    calls = [tool_call("wait", ms=40 - 10 * n, label=str(n)) for n in range(4)]
    out, provider = asyncio.run(ask(calls, "done", tools=[wait]))
    assert asked(provider) == ["0", "1", "2", "3"]
    assert [call.result for call in out.tool_calls] == ["0", "1", "2", "3"]
    assert most == 4


def test_no_more_than_max_parallel_tools_run_at_once() -> None:
    active = most = 0

    @tool
    async def wait() -> None:
        """Wait."""
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0.002)
        active -= 1

    calls = [tool_call("wait") for _ in range(9)]
    asyncio.run(ask(calls, "done", tools=[wait], max_parallel_tools=3))
    assert most == 3


def test_a_sequential_tool_runs_alone_between_the_others() -> None:
    log: list[str] = []

    def made(name: str, **options: Any) -> Any:
        async def body() -> None:
            log.append(f"+{name}")
            await asyncio.sleep(0.005)
            log.append(f"-{name}")

        body.__name__ = name
        body.__doc__ = name
        return tool(**options)(body)

    tools = [made("a"), made("b"), made("alone", sequential=True), made("c")]
    calls = [tool_call(name) for name in ("a", "b", "alone", "c")]
    asyncio.run(ask(calls, "done", tools=tools))
    assert log[:2] == ["+a", "+b"]
    assert log[4:] == ["+alone", "-alone", "+c", "-c"]


def test_a_tool_that_raises_is_a_failed_result_without_a_traceback_and_its_siblings_go_on() -> None:
    calls = [tool_call("breaks"), tool_call("stock", item="kettle")]
    out, provider = asyncio.run(ask(calls, "Sorry.", tools=[breaks, stock]))
    failed, fine = asked(provider)
    assert failed.startswith("failed: ")
    assert "the drawer is stuck" in failed
    assert "Traceback" not in failed
    assert fine == "7"
    assert out.tool_calls[0].error is not None
    assert out.success


def test_an_unknown_tool_is_answered_with_the_nearest_name() -> None:
    _, provider = asyncio.run(ask(tool_call("stok", item="x"), "ok", tools=[stock]))
    assert 'unknown tool "stok", did you mean "stock"?' in asked(provider)[0]


def test_wrong_arguments_are_answered_naming_each_field() -> None:
    _, provider = asyncio.run(
        ask(tool_call("stock", itm="x"), tool_call("stock", item="x"), "ok", tools=[stock])
    )
    text = asked(provider, 1)[0]
    assert 'unknown field "itm"' in text
    assert 'did you mean "item"' in text
    assert asked(provider, 2)[-1] == "7"


def test_arguments_that_are_no_json_are_answered() -> None:
    bad = ToolCall(id="1", name="stock", raw_arguments='{"item": ')
    _, provider = asyncio.run(ask([bad], "ok", tools=[stock]))
    assert "no JSON object" in asked(provider)[0]


def test_a_tool_may_ask_for_other_arguments_or_fail_the_call() -> None:
    @tool
    async def picky(n: int) -> int:
        """Takes even numbers."""
        if n == 0:
            raise ToolFailed("zero is out of stock")
        if n % 2:
            raise ToolRetry("n must be even")
        return n

    replies = [tool_call("picky", n=1), tool_call("picky", n=0), tool_call("picky", n=2), "ok"]
    _, provider = asyncio.run(ask(*replies, tools=[picky]))
    assert [text.split(":")[0] for text in asked(provider)] == ["error", "failed", "2"]
    assert "n must be even" in asked(provider)[0]
    assert "zero is out of stock" in asked(provider)[1]


def test_a_model_that_goes_on_calling_wrongly_is_stopped() -> None:
    replies = [tool_call("stock") for _ in range(5)]
    with pytest.raises(AgentError, match="called stock wrongly 3 times") as caught:
        asyncio.run(ask(*replies, tools=[stock], tool_retries=2))
    assert caught.value.code == "agent.tool_retries"
    assert "item is required" in caught.value.message


def test_a_tool_that_takes_too_long_fails_and_the_run_goes_on() -> None:
    @tool
    async def slow() -> None:
        """Sleep."""
        await asyncio.sleep(10)

    out, provider = asyncio.run(
        ask(tool_call("slow"), "It hangs.", tools=[slow], tool_timeout_ms=20)
    )
    assert asked(provider)[0].startswith("failed: slow took longer")
    assert out.text == "It hangs."


def test_names_that_services_refuse_are_changed_on_the_wire_and_mapped_back() -> None:
    named = tool(name="mein lager für kessel")(stock.function)

    def call_it(request: ModelRequest) -> ToolCall:
        wire = request.tools[0].name
        assert wire.isascii()
        assert " " not in wire
        return tool_call(wire, item="x")

    _, provider = asyncio.run(ask(call_it, "ok", tools=[named]))
    assert asked(provider) == ["7"]


def test_two_tools_of_one_name_are_refused_naming_it() -> None:
    with pytest.raises(LLMSpellError, match='two tools are named "stock"'):
        asyncio.run(ask("x", tools=[stock, tool(name="stock")(stock.function)]))


def test_an_unknown_tool_name_in_the_configuration_is_an_error_before_any_request() -> None:
    with pytest.raises(LLMSpellError, match='unknown tool "calculatr"'):
        asyncio.run(ask("x", tools=["calculatr"]))


def test_a_forced_tool_choice_holds_for_the_first_request_only() -> None:
    _, provider = asyncio.run(
        ask(tool_call("stock", item="x"), "ok", tools=[stock], tool_choice="required")
    )
    assert [request.tool_choice for request in provider.requests] == ["required", "auto"]


def test_a_deadline_ends_with_agent_timeout_and_cancels_the_request() -> None:
    async def main() -> ScriptedProvider:
        async with scripted_runtime("late", latency_ms=5_000) as (runtime, provider):
            agent = Agent(timeout_ms=30)
            with pytest.raises(LLMSpellError) as caught:
                await agent.execute("x", runtime.context())
            assert caught.value.code == "agent.timeout"
            return provider

    assert asyncio.run(main()).active == 0


def test_fifty_runs_at_once_overlap() -> None:
    async def main() -> ScriptedProvider:
        async with scripted_runtime(default="ok", latency_ms=20) as (runtime, provider):
            agent = Agent("x")
            ctx = runtime.context()
            outs = await asyncio.gather(*(agent.execute(str(n), ctx) for n in range(50)))
            assert {out.text for out in outs} == {"ok"}
            return provider

    assert asyncio.run(main()).most_active == 50


def test_fallback_models_answer_when_the_first_one_is_down() -> None:
    async def main() -> None:
        down = ProviderError("down", code="provider.server", retryable=True)
        async with scripted_runtime(down) as (runtime, _):
            spare = ScriptedProvider("from the spare", name="spare")
            runtime.add_provider(spare)
            out = await Agent("x", fallback_models=["spare/m"]).execute("y", runtime.context())
            assert out.text == "from the spare"
            assert (out.metadata.provider, out.metadata.model) == ("spare", "m")

    asyncio.run(main())


def test_a_rejected_key_is_not_tried_with_another_model() -> None:
    async def main() -> None:
        wrong = ProviderError("no", code="provider.auth")
        async with scripted_runtime(wrong) as (runtime, _):
            spare = ScriptedProvider("x", name="spare")
            runtime.add_provider(spare)
            agent = Agent("x", fallback_models=["spare/m"])
            with pytest.raises(ProviderError):
                await agent.execute("y", runtime.context())
            assert not spare.requests

    asyncio.run(main())


def test_events_tell_of_the_run_its_requests_and_its_tools_in_order() -> None:
    async def main() -> list[str]:
        async with scripted_runtime(tool_call("stock", item="x"), "ok") as (runtime, _):
            ctx = runtime.context()
            await Agent("x", name="teller", tools=[stock]).execute("y", ctx)
            return [event.type for event in ctx.events.history()]

    assert asyncio.run(main()) == [
        "agent.started",
        "llm.requested",
        "llm.completed",
        "tool.invoked",
        "tool.completed",
        "llm.requested",
        "llm.completed",
        "agent.completed",
    ]


def test_hooks_around_the_model_may_change_the_messages_and_the_answer() -> None:
    async def main() -> None:
        async with scripted_runtime("secret plan") as (runtime, provider):
            seen: list[Any] = []

            def before(ctx: Any) -> Any:
                seen.append(ctx.component)
                messages = [*ctx.messages, {"role": "user", "content": "and be polite"}]
                return {"type": "modified", "data": {"messages": messages}}

            def after(ctx: Any) -> Any:
                return {
                    "type": "modified",
                    "data": {"output": ctx.output.replace("secret", "public")},
                }

            runtime.base.hooks.register("before_llm_call", before)
            runtime.base.hooks.register("after_llm_call", after)
            out = await Agent("x", name="a").execute("y", runtime.context())
            assert seen == ["a"]
            assert provider.requests[0].messages[-1].text == "and be polite"
            assert out.text == "public plan"

    asyncio.run(main())


def test_a_hook_may_answer_instead_of_the_model_cancel_or_stand_in_for_a_failure() -> None:
    async def main() -> None:
        down = ProviderError("down", code="provider.server")
        async with scripted_runtime(down) as (runtime, provider):
            ctx = runtime.context()
            agent = Agent("x")
            instead = {"type": "replace", "result": "instead"}
            hook = runtime.base.hooks.register("before_llm_call", lambda _: instead)
            assert (await agent.execute("y", ctx)).text == "instead"
            assert not provider.requests
            runtime.base.hooks.unregister(hook)
            hook = runtime.base.hooks.register("llm_error", lambda _: instead)
            assert (await agent.execute("y", ctx)).text == "instead"
            runtime.base.hooks.unregister(hook)
            no = {"type": "cancel", "reason": "not today"}
            runtime.base.hooks.register("before_llm_call", lambda _: no)
            with pytest.raises(LLMSpellError, match="not today") as caught:
                await agent.execute("y", ctx)
            assert caught.value.code == "hook.cancelled"

    asyncio.run(main())


def test_an_agents_own_hooks_hear_its_runs_only() -> None:
    async def main() -> None:
        async with scripted_runtime(default=ModelResponse("ok")) as (runtime, _):
            heard: list[str] = []

            def note(ctx: Any) -> None:
                heard.append(f"{ctx.point}:{ctx.component}")

            mine = Agent("x", name="mine", hooks={"before_agent_execution": note, "pre_llm": note})
            other = Agent("x", name="other")
            ctx = runtime.context()
            await mine.execute("a", ctx)
            await other.execute("b", ctx)
            assert heard == ["before_agent_execution:mine", "before_llm_call:mine"]

    asyncio.run(main())

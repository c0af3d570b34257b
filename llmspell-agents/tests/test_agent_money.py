"""Money: what is charged, also for what gave no answer, and when nothing is asked at all."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.account import Account, Limits
from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.messages import Usage
from llmspell_core.provider import ModelRequest
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI, ScriptedProvider, scripted_runtime, tool_call
from llmspell_core.testing.openai_server import Raw, chunk_of, completion

#: A dollar for each token that is sent.
DEAR = {"input": 1_000_000, "output": 0}


def priced(*names: str) -> dict[str, Any]:
    return {"prices": {f"{name}/scripted-model": DEAR for name in names}}


def failing(tokens: int, code: str = "provider.server") -> Any:
    """A failure that reports what it has used."""

    def reply(request: ModelRequest) -> Exception:
        request.wasted.append(Usage(input_tokens=tokens, total_tokens=tokens))
        return ProviderError("broke", code=code)

    return reply


def test_failed_attempts_and_fallbacks_are_paid_each_at_its_own_price() -> None:
    async def main() -> None:
        settings = priced("scripted")
        settings["prices"]["spare/m"] = {"input": 2_000_000, "output": 0}
        async with scripted_runtime(failing(3), settings=settings) as (runtime, _):
            usage = Usage(input_tokens=5, total_tokens=5)
            runtime.add_provider(ScriptedProvider("fine", name="spare", usage=usage))
            ctx = runtime.context(account=Account())
            out = await Agent("x", fallback_models=["spare/m"]).execute("y", ctx)
            assert out.metadata.usage.cost_usd == pytest.approx(3 * 1 + 5 * 2)
            assert out.metadata.usage.total_tokens == 8
            assert ctx.account.usage == out.metadata.usage
            assert ctx.account.requests == 2

    asyncio.run(main())


def test_a_run_that_only_fails_is_paid_too_and_ends_at_the_limit() -> None:
    async def main() -> None:
        async with scripted_runtime(failing(7), settings=priced("scripted")) as (runtime, _):
            ctx = runtime.context(account=Account(Limits(cost_usd=7)))
            with pytest.raises(ProviderError):
                await Agent("x").execute("y", ctx)
            assert ctx.account.usage.cost_usd == 7
            with pytest.raises(LLMSpellError) as caught:
                await Agent("x").execute("y", ctx)
            assert caught.value.code == "agent.limit_exceeded"

    asyncio.run(main())


def test_an_unknown_price_is_null_also_beside_known_ones() -> None:
    async def main() -> None:
        settings = priced("scripted")
        async with scripted_runtime(failing(3), "known", settings=settings) as (runtime, _):
            runtime.add_provider(ScriptedProvider("fine", name="spare"))
            ctx, agent = runtime.context(), Agent("x", fallback_models=["spare/m"])
            out = await agent.execute("y", ctx)
            assert out.metadata.usage.cost_usd is None
            assert "cost_usd" not in out.metadata.usage.to_script().data
            assert agent.metrics.cost_usd is None
            other = Agent("x")
            assert (await other.execute("y", ctx)).metadata.usage.cost_usd == 10
            assert other.metrics.cost_usd == 10

    asyncio.run(main())


def test_a_hidden_unknown_price_is_found_before_its_own_first_request() -> None:
    async def main() -> None:
        call = tool_call("helper", input="go")
        async with scripted_runtime(call, "ok", settings=priced("scripted")) as (runtime, provider):
            other = ScriptedProvider("never", name="other")
            runtime.add_provider(other)
            helper = Agent("x", name="helper", model="other/m")
            boss = Agent("x", tools=[helper], max_cost_usd=100)
            out = await boss.execute("y", runtime.context())
            error = out.tool_calls[0].error
            assert error is not None
            assert error["code"] == "agent.price_unknown"
            assert other.requests == []
            # Without a limit nobody asks for prices.
            assert (await helper.execute("y", runtime.context())).text == "never"
            assert len(provider.requests) == 2

    asyncio.run(main())


def test_nested_agents_spend_their_callers_money() -> None:
    async def main() -> None:
        replies = [tool_call("helper", input="go"), "inner", tool_call("helper", input="go")]
        async with scripted_runtime(*replies, default="end", settings=priced("scripted")) as (
            runtime,
            provider,
        ):
            helper = Agent("x", name="helper")
            boss = Agent("x", tools=[helper], max_cost_usd=20)
            out = await boss.execute("y", runtime.context())
            assert len(provider.requests) == 2
            assert out.metadata.limit == {"name": "cost_usd", "value": 20, "used": 20}

    asyncio.run(main())


def in_all(entry: Agent, *replies: Any) -> tuple[int, int]:
    """The tokens that a run says it has used, and how many requests it has made."""

    async def main() -> tuple[int, int]:
        async with scripted_runtime(*replies) as (runtime, provider):
            out = await entry.execute("y", runtime.context())
            provider.assert_all_used()
            return out.metadata.usage.total_tokens, len(provider.requests)

    return asyncio.run(main())


def test_the_usage_of_a_run_is_that_of_everything_in_it() -> None:
    def clerk(**fields: Any) -> Agent:
        return Agent("x", name="clerk", **fields)

    def judge() -> Agent:
        return Agent("y", name="judge", response_format={"type": "boolean"})

    as_tool = Agent("z", tools=[clerk()])
    assert in_all(as_tool, tool_call("clerk", input="a"), "b", "c") == (45, 3)
    summed = Agent("z", handoffs=[{"agent": clerk(), "history": "summary"}])
    assert in_all(summed, tool_call("transfer_to_clerk"), "In short.", "c") == (45, 3)
    and_back = Agent("z", handoffs=[{"agent": clerk(), "returns": True}])
    assert in_all(and_back, tool_call("transfer_to_clerk"), "b", "c") == (45, 3)
    guarded = Agent("z", guardrails={"output": [judge()]})
    assert in_all(guarded, "b", "true") == (30, 2)
    own_limits = Agent("z", tools=[clerk(max_iterations=2)], max_iterations=9)
    assert in_all(own_limits, tool_call("clerk", input="a"), "b", "c") == (45, 3)

    async def calls_clerk(_: Any) -> Any:
        return (await clerk().execute("a")).text

    assert in_all(Agent(name="code", execute=calls_clerk), "b") == (15, 1)


def test_a_hook_that_asks_again_uses_up_requests_and_what_it_threw_away_is_paid() -> None:
    async def main() -> None:
        async with scripted_runtime(default="no", settings=priced("scripted")) as (runtime, asked):
            runtime.base.hooks.register("after_llm_call", lambda _: {"type": "retry"})
            ctx = runtime.context(account=Account())
            with pytest.raises(LLMSpellError, match="limit requests reached"):
                await Agent("x", max_iterations=2).execute("y", ctx)
            assert len(asked.requests) == 2
            assert ctx.account.requests == 2
            assert ctx.account.usage.cost_usd == 20

    asyncio.run(main())


def on(server: FakeOpenAI, **more: Any) -> dict[str, Any]:
    return {
        "default": {"model": "fake/m"},
        "providers": {"fake": {"type": "openai", "base_url": server.base_url, "max_retries": 1}},
        "prices": {"fake/m": DEAR},
        "state": {"backend": "memory"},
        **more,
    }


@pytest.mark.parametrize("stream", [False, True])
def test_answers_of_a_real_service_that_broke_are_paid(stream: bool) -> None:
    used = {"usage": {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}}
    if stream:
        first = json.dumps({**chunk_of("Half"), **used})
        broken = Raw(content_type="text/event-stream", pieces=[f"data: {first}\n\n"], cut=True)
    else:
        broken = Raw(json.dumps({"choices": [], **used}))

    async def main() -> None:
        async with FakeOpenAI(broken, "fine") as server, Runtime(on(server)) as runtime:
            ctx = runtime.context(account=Account())
            agent = Agent("x", retry={"max_attempts": 1}, fallback_models=["fake/m"])
            if stream:
                found = [chunk async for chunk in agent.stream("y", ctx)]
                output = found[-1].output
            else:
                output = await agent.execute("y", ctx)
            assert output is not None
            assert output.text == "fine"
            assert output.metadata.usage.cost_usd == 4 + 9
            assert ctx.account.usage.cost_usd == 4 + 9

    asyncio.run(main())


def test_tokens_out_of_a_cache_have_their_own_price() -> None:
    body = completion("fine")
    body["usage"] = {
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "prompt_tokens_details": {"cached_tokens": 8},
    }

    async def main() -> None:
        prices = {"fake/m": {**DEAR, "cached_input": 500_000}}
        async with FakeOpenAI(body) as server, Runtime(on(server, prices=prices)) as runtime:
            out = await Agent("x").execute("y", runtime.context())
            assert out.metadata.usage.cost_usd == 2 + 8 * 0.5

    asyncio.run(main())


def test_only_the_service_itself_has_the_prices_of_the_table() -> None:
    async def main() -> None:
        settings: dict[str, Any] = {
            "providers": {
                "openai": {"api_key": "sk-0123456789"},
                "mine": {"type": "openai", "base_url": "http://127.0.0.1:9/v1"},
            },
            "state": {"backend": "memory"},
        }
        async with Runtime(settings) as runtime:
            price = runtime.provider("openai").price("gpt-4o-mini")
            assert price is not None
            assert price.input == 0.15
            assert runtime.provider("mine").price("gpt-4o-mini") is None
            local = runtime.provider("ollama").price("llama3")
            assert local is not None
            assert (local.input, local.output) == (0, 0)
            assert runtime.provider("ollama").price("gpt-oss:120b-cloud") is None

    asyncio.run(main())

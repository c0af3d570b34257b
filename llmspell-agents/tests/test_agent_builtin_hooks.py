"""Built-in hooks around real runs of agents: cache, redact, retry, rate limits, looking on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.errors import HookError, LLMSpellError, ProviderError
from llmspell_core.runtime import Runtime
from llmspell_core.testing import ScriptedProvider, chunks, scripted_runtime, tool_call
from llmspell_core.tool import tool

KEY = "sk-abcdefghijklmnopqrstuvwx"


def run(replies: list[Any], body: Any) -> None:
    async def main() -> None:
        async with scripted_runtime(*replies) as (runtime, provider):
            await body(runtime, provider)

    asyncio.run(main())


def test_a_cached_answer_is_given_without_asking_and_costs_nothing() -> None:
    @tool
    async def stock(item: str) -> int:
        """Stock."""
        return 7

    async def body(runtime: Runtime, provider: ScriptedProvider) -> None:
        runtime.base.hooks.enable("cache")
        for expected in (2, 2):
            out = await Agent("x", name="a", tools=[stock]).execute("go", runtime.context())
            assert (out.text, [call.result for call in out.tool_calls]) == ("We have 7.", [7])
            assert len(provider.requests) == expected
        assert out.metadata.usage.total_tokens == 0
        await Agent("y", name="a", tools=[stock]).execute("go", runtime.context())
        assert len(provider.requests) == 3

    run([tool_call("stock", item="x"), "We have 7.", "other"], body)


def test_redact_keeps_secrets_from_models_and_from_whoever_asked() -> None:
    async def body(runtime: Runtime, provider: ScriptedProvider) -> None:
        runtime.base.hooks.enable("redact", {"patterns": ["Ada"], "mask": "N.N."})
        out = await Agent("x").execute(f"I am Ada, {KEY}", runtime.context())
        assert provider.requests[0].messages[-1].text == "I am N.N., ***"
        assert out.text == "Hello N.N."

    run(["Hello Ada"], body)


def test_retry_asks_again_and_gives_up() -> None:
    async def body(runtime: Runtime, provider: ScriptedProvider) -> None:
        hook = {"backoff_ms": 0, "codes": ["provider.server"], "max_attempts": 2}
        runtime.base.hooks.enable("retry", hook)
        agent = Agent("x", retry={"max_attempts": 1})
        assert (await agent.execute("go", runtime.context())).text == "ok"
        with pytest.raises(LLMSpellError, match="down"):
            await agent.execute("go", runtime.context())
        stats = runtime.base.hooks.stats()["builtin"]["retry"]
        assert stats == {"retries": 2, "given_up": 1}
        provider.assert_all_used()

    down = ProviderError("down", code="provider.server")
    run([down, "ok", down, down], body)


def test_a_rate_limit_and_a_budget_refuse_the_request() -> None:
    async def body(runtime: Runtime, provider: ScriptedProvider) -> None:
        hooks = runtime.base.hooks
        hooks.enable("rate_limit", {"requests_per_minute": 1, "on_limit": "refuse"})
        await Agent("x").execute("go", runtime.context())
        with pytest.raises(HookError, match="more than 1 model requests in a minute"):
            await Agent("x").execute("go", runtime.context())
        hooks.disable("rate_limit")
        hooks.enable("cost", {"max_usd": 0})
        with pytest.raises(HookError, match="budget of 0 USD is used up"):
            await Agent("x").execute("go", runtime.context())
        assert len(provider.requests) == 1

    run(["a", "b"], body)


def test_hooks_that_only_look_on_leave_streams_in_pieces() -> None:
    async def body(runtime: Runtime, _: ScriptedProvider) -> None:
        async def pieces() -> list[str]:
            agent = Agent("x")
            chunks_ = [one async for one in agent.stream("go", runtime.context())]
            return [one.text for one in chunks_ if one.type == "text"]

        runtime.base.hooks.enable("metrics")
        assert await pieces() == ["a", "b"]
        seen = runtime.base.hooks.stats()["builtin"]["metrics"]
        assert len(seen["after_llm_call"]) == 1
        runtime.base.hooks.enable("cache")
        assert await pieces() == ["cd"]

    run([chunks("a", "b"), chunks("c", "d")], body)

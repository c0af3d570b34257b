"""Faults that are injected into providers and tools, and assertions about an agent's way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from llmspell_core.errors import ProviderError, ToolError
from llmspell_core.messages import AgentOutput, Message, ToolCall
from llmspell_core.provider import ModelRequest
from llmspell_core.runtime import Runtime
from llmspell_core.testing import (
    ScriptedProvider,
    assert_handoffs,
    assert_tool_calls,
    chunks,
    cut,
    fail,
    faulty,
    garble,
    hang,
    slow,
    tool_call,
)
from llmspell_core.tool import tool


def request(timeout_ms: float | None = None) -> ModelRequest:
    return ModelRequest("m", [Message(role="user", content="hi")], timeout_ms=timeout_ms)


def test_faults_come_when_they_should_and_everything_else_goes_through() -> None:
    provider = faulty(
        ScriptedProvider("one", tool_call("f", item="kettle"), default="more"),
        {1: fail("provider.rate_limit", details={"retry_after_ms": 1}), 3: garble(), 4: hang()},
    )

    async def main() -> None:
        ask: Any = provider.complete
        with pytest.raises(ProviderError, match="injected") as found:
            await ask(request(), None)
        assert (found.value.retryable, found.value.details) == (True, {"retry_after_ms": 1})
        assert (await ask(request(), None)).text == "one"
        call = (await ask(request(), None)).tool_calls[0]
        assert (call.arguments, call.raw_arguments) == ({}, '{"item": ')
        with pytest.raises(ProviderError, match="no answer"):
            await ask(request(10), None)
        assert (await ask(request(), None)).text == "more"

    asyncio.run(main())
    assert (provider.faults.count, provider.faults.injected) == (5, [1, 3, 4])
    assert provider.default_model == "scripted-model"


def test_a_stream_breaks_after_so_many_pieces() -> None:
    provider = faulty(ScriptedProvider(default=chunks("a", "b", "c")), {1: cut(2), 2: slow(1)})

    async def pieces() -> list[str]:
        found: list[str] = []
        source: Any = provider.stream(request(), None)  # type: ignore[arg-type]
        try:
            async for delta in source:
                found.append(delta.text)  # noqa: PERF401 - what came before the break counts
        except ProviderError as error:
            found.append(error.code)
        return found

    assert asyncio.run(pieces()) == ["a", "b", "provider.connection"]
    assert asyncio.run(pieces()) == ["a", "b", "c", ""]


def test_chance_repeats_itself() -> None:
    def failed(seed: int) -> list[int]:
        provider = faulty(ScriptedProvider(default="x"), rate=0.3, of=[fail(), cut()], seed=seed)

        async def main() -> None:
            for _ in range(50):
                with contextlib.suppress(ProviderError):
                    await provider.complete(request(), None)  # type: ignore[arg-type]

        asyncio.run(main())
        return provider.faults.injected

    assert failed(7) == failed(7)
    assert failed(7) != failed(8)
    assert 5 < len(failed(7)) < 28


def test_a_tool_fails_as_its_caller_would_see_it() -> None:
    @tool(aliases=("store",), open_world=True)
    def stock(item: str) -> int:
        """How many."""
        return len(item)

    flaky = faulty(stock, {2: fail("tool.failed", "out of order")})
    assert (flaky.name, flaky.schema(), flaky.open_world) == ("stock", stock.schema(), True)

    async def main() -> None:
        async with Runtime({"state": {"backend": "memory"}}) as runtime:
            ctx = runtime.context()
            assert (await flaky.call({"item": "abc"}, ctx)).output == 3
            with pytest.raises(ToolError, match="out of order"):
                await flaky.call({"item": "abc"}, ctx)
            assert (await flaky.call({"item": "abcd"}, ctx)).output == 4

    asyncio.run(main())


def test_the_way_of_an_agent_is_checked_by_names_arguments_and_order() -> None:
    calls = [
        ToolCall(id="1", name="stock", arguments={"item": "kettle", "deep": {"a": 1, "b": 2}}),
        ToolCall(id="2", name="web-search"),
        ToolCall(id="3", name="price"),
    ]
    output = AgentOutput(tool_calls=calls, handoff=["billing", "refunds"])
    assert_tool_calls(output, ("stock", {"deep": {"b": 2}}), "web_search", "price")
    assert_tool_calls(output, "stock", "price", match="in_order")
    assert_tool_calls(output, "price", "stock", match="any_order")
    assert_handoffs(output, "billing", "refunds")
    for wanted, match, said in (
        (["stock"], "exact", "called stock.*, web-search, price, not stock"),
        (["price", "stock"], "in_order", "no stock after that"),
        (["price", "price"], "any_order", "no price"),
        ([("stock", {"item": "pan"})], "any_order", 'no stock\\(item="pan"\\)'),
    ):
        with pytest.raises(AssertionError, match=said):
            assert_tool_calls(output, *wanted, match=match)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="handed over to billing, refunds, not to none"):
        assert_handoffs(output)

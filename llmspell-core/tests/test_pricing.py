"""What model requests cost, and what is not known."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.account import Account, Booked, Limits
from llmspell_core.errors import AgentError
from llmspell_core.messages import Usage
from llmspell_core.pricing import FREE, ModelPrice, price_of, require_prices, shipped, taken
from llmspell_core.testing import ScriptedProvider, scripted_runtime


def used(input: int, output: int = 0, cached: int = 0, written: int = 0) -> Usage:
    return Usage(
        input_tokens=input,
        output_tokens=output,
        total_tokens=input + output,
        cache_read_tokens=cached,
        cache_write_tokens=written,
    )


def test_the_table_is_dated_and_knows_models_by_their_names_with_a_date_too() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", taken())
    known = shipped("openai", "gpt-4o-mini")
    assert known is not None
    assert (known.input, known.output, known.cached_input) == (0.15, 0.6, 0.075)
    assert shipped("openai", "gpt-4o-mini-2024-07-18") == known
    # This one has another price than the name without its date.
    early, now = shipped("openai", "gpt-4o-2024-05-13"), shipped("openai", "gpt-4o")
    assert early is not None
    assert now is not None
    assert early.input > now.input
    assert shipped("openai", "gpt-nobody") is None
    assert shipped("nobody", "gpt-4o-mini") is None


def test_cached_tokens_and_long_prompts_have_prices_of_their_own() -> None:
    price = ModelPrice(2.0, 10.0, 0.5, 1000, ModelPrice(4.0, 20.0))
    assert price.of(used(1000, 100)) == pytest.approx(0.003)
    assert price.of(used(1000, 100, cached=800)) == pytest.approx(0.0018)
    assert price.of(used(1001, 100)) == pytest.approx(0.006004)
    assert ModelPrice(2.0, 10.0).of(used(1000, cached=1000)) == pytest.approx(0.002)
    assert FREE.of(used(5, 5)) == 0.0


def test_what_a_service_writes_into_its_cache_has_a_price_too() -> None:
    price = ModelPrice(2.0, 10.0, 0.5, cache_write=2.5)
    assert price.of(used(1000, cached=400, written=500)) == pytest.approx(0.00165)
    assert ModelPrice(2.0, 10.0).of(used(1000, written=500)) == pytest.approx(0.002)
    # A service that counts more than there is does not make the rest negative.
    assert price.of(used(1000, cached=900, written=500)) == pytest.approx(0.0007)
    known = shipped("anthropic", "claude-sonnet-4-5")
    assert known is not None
    assert (known.input, known.cached_input, known.cache_write) == (3.0, 0.3, 3.75)


def test_the_configuration_decides_before_the_table_and_unknown_is_none() -> None:
    async def main() -> None:
        row = {"input": 1, "output": 2, "cached_input": 0.25, "cache_write": 1.25}
        given = {"scripted/known": row}
        async with scripted_runtime(settings={"prices": given}) as (runtime, provider):
            found = price_of(provider, "known", runtime)
            assert found == ModelPrice(1.0, 2.0, 0.25, cache_write=1.25)
            assert price_of(provider, "other", runtime) is None

            class Local(ScriptedProvider):
                local = True

            assert price_of(Local(), "any", runtime) == FREE

    asyncio.run(main())


parts = st.lists(
    st.tuples(st.integers(0, 50), st.none() | st.floats(0, 1, allow_nan=False)), max_size=6
)


@given(parts)
def test_a_sum_is_known_only_where_all_of_its_parts_are(given: list[tuple[int, Any]]) -> None:
    whole = Usage()
    for tokens, cost in given:
        whole.add(Usage(total_tokens=tokens, cost_usd=cost if tokens else None))
    costs = [cost for tokens, cost in given if tokens]
    if not costs or None in costs:
        assert whole.cost_usd is None
    else:
        assert whole.cost_usd == pytest.approx(sum(costs))


def test_a_limit_on_money_anywhere_above_needs_known_prices() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, provider):
            models: list[Any] = [(provider, "m")]
            require_prices(models, Account(), runtime)
            nested = Account(Limits(cost_usd=1)).child(Limits(requests=3))
            with pytest.raises(AgentError) as caught:
                require_prices(models, nested, runtime)
            assert caught.value.code == "agent.price_unknown"
            assert 'prices."scripted/m"' in str(caught.value.hint)

    asyncio.run(main())


def test_a_tool_that_asks_the_model_pays_like_an_agent() -> None:
    async def main() -> None:
        prices = {"prices": {"scripted/scripted-model": {"input": 100_000, "output": 0}}}
        async with scripted_runtime("a", "b", settings=prices) as (runtime, provider):
            ctx = runtime.context(account=Account(Limits(cost_usd=1.0)))
            response = await runtime.ask_model("x", ctx)
            assert response.usage.cost_usd == pytest.approx(1.0)
            with pytest.raises(AgentError, match="limit cost_usd reached") as caught:
                await runtime.ask_model("y", ctx)
            assert caught.value.code == "agent.limit_exceeded"
            assert len(provider.requests) == 1
        async with scripted_runtime("a") as (runtime, provider):
            ctx = runtime.context(account=Account(Limits(cost_usd=1.0)))
            with pytest.raises(AgentError) as caught:
                await runtime.ask_model("x", ctx)
            assert caught.value.code == "agent.price_unknown"
            assert provider.requests == []

    asyncio.run(main())


def test_a_batch_is_booked_whole_or_not_at_all_and_given_back_once() -> None:
    above = Account(Limits(tool_calls=4, per_tool={"a_b": 2}))
    account = above.child(Limits())
    booked = account.book(["a-b", "c", "a-b"])
    assert isinstance(booked, list)
    assert above.tool_calls == 3
    hit = account.book(["a-b"])
    assert not isinstance(hit, list)
    assert (hit.name, hit.value, hit.used) == ("per_tool.a_b", 2, 2)
    assert not isinstance(account.book(["c", "c"]), list)
    first = booked[0]
    assert isinstance(first, Booked)
    assert not first.take("c")
    assert first.take("a-b")
    assert not first.take("a-b")
    for one in (*booked, *booked):
        one.release()
    assert (above.tool_calls, account.per_tool) == (1, {"a-b": 1, "c": 0})

"""What happens when a model fails: another attempt, another model, a rest; limits for all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_core.chat.breaker import FAILURES
from llmspell_core.errors import LLMSpellError, ProviderError
from llmspell_core.runtime import Runtime
from llmspell_core.testing.openai_server import FakeOpenAI, Raw, chunk_of

FAST = {"max_attempts": 4, "backoff_ms": 1}


@asynccontextmanager
async def two(first: FakeOpenAI, second: FakeOpenAI, **table: Any) -> AsyncIterator[Runtime]:
    async with first, second:
        settings = {
            "providers": {
                "a": {"type": "openai", "base_url": first.base_url, **table},
                "b": {"type": "openai", "base_url": second.base_url},
            },
            "default": {"model": "a/m"},
            "state": {"backend": "memory"},
        }
        async with Runtime(settings) as runtime:
            yield runtime


def agent(**fields: Any) -> Agent:
    return Agent("x", **{"retry": FAST, "fallback_models": ["b/m"], **fields})


def error_of(status: int) -> Raw:
    return Raw('{"error": {"message": "no"}}', status, {"retry-after": "20"})


def test_a_busy_model_is_not_waited_for_while_another_one_is_left() -> None:
    async def main() -> None:
        first, second = FakeOpenAI(error_of(429)), FakeOpenAI("from b")
        async with two(first, second) as runtime:
            ctx = runtime.context()
            started = time.monotonic()
            output = await agent().execute("go", ctx)
            assert time.monotonic() - started < 5
            assert (output.text, output.metadata.provider) == ("from b", "b")
            assert (len(first.requests), len(second.requests)) == (1, 1)
            # Both count: money may have been spent on both.
            assert ctx.account.requests == 2
            (event,) = ctx.events.history("llm.fallback")
            assert (event.data["model"], event.data["to"]) == ("a/m", "b/m")
            assert event.data["error"]["code"] == "provider.rate_limit"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "asked", "answered"), [(500, 4, True), (408, 4, True), (400, 1, False)]
)
def test_other_failures_are_tried_again_first_and_a_wrong_request_is_wrong_everywhere(
    status: int, asked: int, answered: bool
) -> None:
    async def main() -> None:
        first = FakeOpenAI(Raw('{"error": {"message": "no"}}', status))
        second = FakeOpenAI("from b")
        async with two(first, second) as runtime:
            ctx = runtime.context()
            if answered:
                assert (await agent().execute("go", ctx)).text == "from b"
            else:
                with pytest.raises(LLMSpellError):
                    await agent().execute("go", ctx)
            assert len(first.requests) == asked
            assert len(ctx.events.history("llm.retry")) == asked - 1

    asyncio.run(main())


def test_an_answer_that_breaks_in_the_middle_is_begun_anew_by_the_next_model() -> None:
    async def main() -> None:
        half = f"data: {json.dumps(chunk_of('half of '))}\n\n"
        first = FakeOpenAI(Raw(content_type="text/event-stream", pieces=[half], cut=True))
        async with two(first, FakeOpenAI("all of it")) as runtime:
            ctx = runtime.context()
            chunks = [chunk async for chunk in agent().stream("go", ctx)]
            kinds = [chunk.type for chunk in chunks]
            assert kinds.count("restart") == 1
            place = kinds.index("restart")
            assert "".join(one.text for one in chunks[:place] if one.type == "text") == "half of "
            after = "".join(one.text for one in chunks[place:] if one.type == "text")
            assert chunks[-1].output is not None
            assert after == chunks[-1].output.text == "all of it"
            assert ctx.events.history("llm.fallback")[0].data["restarted"] is True
            assert len(first.requests) == 1

    asyncio.run(main())


def test_a_model_that_failed_too_often_is_not_asked_and_the_next_one_is() -> None:
    async def main() -> None:
        first = FakeOpenAI(Raw("{}", 500))
        async with two(first, FakeOpenAI("from b")) as runtime:
            ctx = runtime.context()
            alone = agent(fallback_models=[], retry={"max_attempts": 1})
            for _ in range(FAILURES):
                with pytest.raises(ProviderError):
                    await alone.execute("go", ctx)
            with pytest.raises(ProviderError) as caught:
                await alone.execute("go", ctx)
            assert caught.value.code == "provider.circuit_open"
            assert (await agent().execute("go", ctx)).text == "from b"
            assert len(first.requests) == FAILURES
            # Another model of the service is none of its business.
            with pytest.raises(ProviderError) as caught:
                await agent(model="a/n", fallback_models=[]).execute("go", ctx)
            assert caught.value.code == "provider.server"

    asyncio.run(main())


def test_the_limit_of_a_provider_holds_for_all_its_agents() -> None:
    async def main() -> None:
        first = FakeOpenAI("hello")
        async with two(first, FakeOpenAI("x"), requests_per_minute=2) as runtime:
            ctx = runtime.context()
            agents = [agent(name=f"one-{n}", fallback_models=[]) for n in range(2)]
            for one in agents:
                await one.execute("go", ctx)
            with pytest.raises(LLMSpellError) as caught:
                await agents[0].execute("go", ctx.child(deadline=ctx.within(2000)))
            assert caught.value.code == "provider.rate_limit"
            assert "requests_per_minute" in str(caught.value.hint)
            assert len(first.requests) == 2

    asyncio.run(main())

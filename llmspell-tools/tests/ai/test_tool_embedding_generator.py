from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from llmspell_core.account import Account, Limits
from llmspell_core.errors import LLMSpellError, ProviderError, ToolFailed, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI, ScriptedProvider, scripted_runtime
from llmspell_tools.ai.embedding_generator import EmbeddingGenerator


def test_a_text_and_a_list_of_texts() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, provider):
            ctx = runtime.context()
            one = await EmbeddingGenerator().call({"input": "abba"}, ctx)
            assert one.result["dimensions"] == len(one.output) == 8
            assert one.output == one.result["embedding"]
            assert math.isclose(sum(value * value for value in one.output), 1)
            assert one.result["model"] == "scripted-embeddings"
            assert one.text == "1 embedding of 8 dimensions by scripted-embeddings"
            raw = await EmbeddingGenerator().call({"text": ["abba", "b"], "normalize": False}, ctx)
            assert raw.output == [[0, 2, 2, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0]]
            assert raw.result["count"] == 2
            assert not raw.result["normalized"]
            empty = await EmbeddingGenerator().call({"input": []}, ctx)
            assert empty.output == []
            named = await EmbeddingGenerator().call({"input": "a", "model": "scripted/x"}, ctx)
            assert named.result["model"] == "x"
            assert [len(r.inputs) for r in provider.embedding_requests] == [1, 2, 1]

    asyncio.run(main())


def test_many_texts_go_in_batches_and_count_in_the_budget() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, provider):
            account = Account(Limits(requests=3))
            ctx = runtime.context(account=account)
            result = await EmbeddingGenerator().call({"input": ["x"] * 130}, ctx)
            assert result.result["count"] == 130
            assert account.requests == 3
            assert account.usage.total_tokens == 45 == result.metadata["usage"]["total_tokens"]
            with pytest.raises(LLMSpellError) as caught:
                await EmbeddingGenerator().call({"input": "x"}, ctx)
            assert caught.value.code == "agent.limit_exceeded"
            assert len(provider.embedding_requests) == 3

    asyncio.run(main())


def test_what_cannot_be_embedded() -> None:
    async def main() -> None:
        answers: dict[str, list[float]] = {"nan": [math.nan], "none": [], "b": [1, 2]}
        provider: dict[str, Any] = {"embed": lambda text: answers.get(text, [0.0])}
        async with scripted_runtime(**provider) as (runtime, _):
            ctx = runtime.context()
            for wrong in ("", ["a", " "], {"a": 1}, None, [1, [2]], ["x"] * 10_001):
                with pytest.raises(ValidationError, match="input"):
                    await EmbeddingGenerator().call({"input": wrong}, ctx)
            for bad in ("nan", "none", ["a", "b"]):
                with pytest.raises(ToolFailed, match="no vector of numbers"):
                    await EmbeddingGenerator().call({"input": bad}, ctx)
            # A vector of zeros has no direction.
            assert (await EmbeddingGenerator().call({"input": "a"}, ctx)).output == [0.0]

    asyncio.run(main())


def test_the_model_is_the_configured_one() -> None:
    class Chat(ScriptedProvider):
        default_embedding_model = ""

    async def main() -> None:
        settings = {"default": {"model": "chat/any"}}
        async with Runtime(settings) as runtime:
            runtime.add_provider(Chat(name="chat"))
            with pytest.raises(ProviderError) as caught:
                await EmbeddingGenerator().call({"input": "a"}, runtime.context())
            assert caught.value.code == "provider.not_configured"
            assert "embedding_model" in (caught.value.hint or "")
        settings["default"]["embedding_model"] = "other/vectors"
        async with Runtime(settings) as runtime:
            runtime.add_provider(ScriptedProvider(name="other"))
            made = await EmbeddingGenerator().call({"input": "a"}, runtime.context())
            assert made.result["model"] == "vectors"

    asyncio.run(main())


def test_embeddings_of_a_service_that_speaks_the_protocol() -> None:
    async def main() -> None:
        async with FakeOpenAI() as server:
            settings: dict[str, Any] = {
                "default": {"embedding_model": "fake/vectors"},
                "providers": {"fake": {"type": "openai", "base_url": server.base_url}},
            }
            async with Runtime(settings) as runtime:
                params = {"input": ["one two", "x"], "normalize": False}
                made = await EmbeddingGenerator().call(params, runtime.context())
                assert made.output == [[7.0, 2.0, 3.0], [1.0, 1.0, 0.0]]
                assert made.metadata["usage"]["input_tokens"] == 10
                assert server.requests == [{"model": "vectors", "input": ["one two", "x"]}]

    asyncio.run(main())

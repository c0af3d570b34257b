"""Embeddings of OpenAI-compatible services: the shapes they come in, and the service itself."""

from __future__ import annotations

import asyncio
import base64
import struct
from typing import Any

import pytest

from llmspell_core.chat.embeddings import parse_embeddings
from llmspell_core.chat.errors import Service
from llmspell_core.errors import ProviderError
from llmspell_core.provider import EmbeddingRequest, EmbeddingResponse
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI

SERVICE = Service("fake", "http://127.0.0.1:1/v1")


def parsed(*rows: Any, count: int = 2, **more: Any) -> EmbeddingResponse:
    request = EmbeddingRequest("m", ["x"] * count)
    return parse_embeddings({"data": list(rows), **more}, SERVICE, request)


def test_vectors_are_in_the_order_of_the_texts() -> None:
    rows = {"index": 1, "embedding": [1, 2]}, {"index": 0, "embedding": [3.5, 4]}
    found = parsed(*rows, usage={"prompt_tokens": 7, "total_tokens": 7})
    assert found.vectors == [[3.5, 4.0], [1.0, 2.0]]
    assert found.model == "m"
    assert found.usage.input_tokens == 7
    packed = base64.b64encode(struct.pack("<2f", 0.5, -1)).decode()
    assert parsed({"embedding": packed}, count=1, model="n").vectors == [[0.5, -1.0]]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"embedding": [1]}],
        [{"embedding": [1]}, {"index": 0, "embedding": [1]}],
        [{"embedding": [1]}, {"embedding": ["a"]}],
        [{"embedding": [1]}, {"embedding": "===="}],
        [{"embedding": [1]}, {"index": "1", "embedding": [1]}],
        [{"embedding": [1]}, None],
    ],
)
def test_an_answer_without_a_vector_for_each_text_is_refused(rows: list[Any]) -> None:
    with pytest.raises(ProviderError) as caught:
        parsed(*rows)
    assert caught.value.code == "provider.bad_response"


@pytest.mark.parametrize("data", [None, [], {}, {"data": 3}, {"error": {"message": "no"}}])
def test_what_is_no_answer_is_refused(data: Any) -> None:
    with pytest.raises(ProviderError):
        parse_embeddings(data, SERVICE, EmbeddingRequest("m", ["x"]))


def test_a_service_is_asked() -> None:
    async def main() -> None:
        async with FakeOpenAI(key="k") as server:
            fake = {"type": "openai", "base_url": server.base_url, "api_key": "k"}
            async with Runtime({"providers": {"fake": fake}}) as runtime:
                request = EmbeddingRequest("fake/v", ["one two"])
                answer = await runtime.ask_embeddings(request, runtime.context())
                assert answer.vectors == [[7.0, 2.0, 3.0]]
                assert server.headers[0]["authorization"] == "Bearer k"

    asyncio.run(main())


def test_a_provider_without_embeddings_says_so() -> None:
    async def main() -> None:
        settings = {"providers": {"openai": {"api_key": "k"}, "groq": {"api_key": "k"}}}
        async with Runtime({**settings, "default": {"model": "groq/x"}}) as runtime:
            with pytest.raises(ProviderError, match="no model of embeddings"):
                runtime.providers.resolve_embedding(None)
            assert runtime.provider("openai").default_embedding_model == "text-embedding-3-small"

    asyncio.run(main())

"""Vectors by the real model: alike for texts alike, bounded, stopped."""

from __future__ import annotations

import asyncio

import pytest

from llmspell_core.errors import ProviderError
from llmspell_core.provider import EmbeddingRequest
from llmspell_core.runtime import Runtime

pytestmark = [pytest.mark.model, pytest.mark.timeout(300)]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_texts_alike_have_vectors_alike() -> None:
    texts = [
        "a cat sleeps on the sofa",
        "a kitten naps on the couch",
        "the stock market fell today",
        *["word"] * 9,
    ]

    async def main() -> None:
        async with Runtime({"providers": {"local": {"context_tokens": 512}}}) as runtime:
            ctx = runtime.context()
            answer = await runtime.ask_embeddings(EmbeddingRequest("", texts), ctx)
            vectors = answer.vectors
            assert len(vectors) == 12
            assert dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2]) + 0.05
            assert vectors[3:] == [pytest.approx(vectors[3], abs=1e-3)] * 9
            assert answer.model == "smollm2-135m"
            assert answer.usage.total_tokens > 20
            assert ctx.account.usage.total_tokens == answer.usage.total_tokens
            long = EmbeddingRequest("local/smollm2-135m", ["word " * 600])
            with pytest.raises(ProviderError) as caught:
                await runtime.ask_embeddings(long, ctx)
            assert caught.value.code == "provider.context_length"
            # The provider still answers.
            await runtime.ask_embeddings(EmbeddingRequest("", ["again"]), ctx)

    asyncio.run(main())

"""Vectors of texts by llama.cpp, a few texts at once."""

from __future__ import annotations

from llmspell_core.errors import ProviderError
from llmspell_core.messages import Usage
from llmspell_core.provider import EmbeddingRequest, EmbeddingResponse
from llmspell_local.answers import provider_error
from llmspell_local.engine import Engine, EngineError

#: Between two calls of llama.cpp a request can be stopped.
_AT_ONCE = 8


async def embed(
    engine: Engine, request: EmbeddingRequest, name: str, deadline: float | None
) -> EmbeddingResponse:
    """One vector for each text; `provider.context_length` for one that is too long."""
    vectors: list[list[float]] = []
    tokens = 0
    for start in range(0, len(request.inputs), _AT_ONCE):
        try:
            found = await engine.embed(request.inputs[start : start + _AT_ONCE], deadline)
        except EngineError as error:
            raise _error(error, name, engine.options.context) from None
        rows = sorted(found["data"], key=lambda row: int(row["index"]))
        vectors += [row["embedding"] for row in rows]
        tokens += found.get("usage", {}).get("prompt_tokens", 0)
    usage = Usage(input_tokens=tokens, total_tokens=tokens, cost_usd=0.0)
    return EmbeddingResponse(vectors, name, usage)


def _error(error: EngineError, name: str, context: int) -> ProviderError:
    if "too large to process" not in str(error):
        return provider_error(error, name)
    return ProviderError(
        f"the local model {name} takes texts of {context} tokens at most: {error}",
        code="provider.context_length",
        hint="shorter texts, or a larger [providers.local] context_tokens",
        details={"max_context_tokens": context, "model": name},
    )

"""The tool `embedding-generator`: vectors of texts, by the configured model of embeddings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydantic import Field

from llmspell_core.errors import ToolFailed
from llmspell_core.messages import Usage
from llmspell_core.provider import EmbeddingRequest
from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Texts, check_size, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_BATCH = 64
_MOST_TEXTS = 10_000


class EmbeddingParameters(ToolParameters):
    """The texts and the model."""

    input: Texts = Field(description="The text, or a list of texts")
    model: str = Field(
        "", description="The model of embeddings, as provider/model; else the configured one"
    )
    normalize: bool = Field(
        True, description="Make each vector's length 1: their dot product is their similarity"
    )


class EmbeddingGenerator(Tool):
    """Makes vectors of texts."""

    name = "embedding-generator"
    description = (
        "Turns texts into vectors (embeddings) for search and comparison, with the configured "
        "model of embeddings."
    )
    category = "ai"
    Parameters = EmbeddingParameters
    timeout_ms = 600_000
    examples = (
        ({"input": "a cat on the sofa"}, "a vector"),
        ({"input": ["a cat", "a kitten", "a train"]}, "three vectors, the first two alike"),
    )

    async def run_tool(self, params: EmbeddingParameters, ctx: ToolContext) -> ToolResult:
        single = isinstance(params.input, str)
        texts: list[str] = [params.input] if isinstance(params.input, str) else params.input
        self._check(texts)
        vectors: list[list[float]] = []
        usage, model = Usage(), ""
        for start in range(0, len(texts), _BATCH):
            if len(texts) > _BATCH:
                ctx.progress(start, len(texts), "texts")
            response = await ctx.embed(
                EmbeddingRequest(params.model, texts[start : start + _BATCH])
            )
            usage.add(response.usage)
            model = response.model
            vectors += response.vectors
        self._check_vectors(vectors, len(texts))
        if params.normalize:
            vectors = [_unit(vector) for vector in vectors]
        result: dict[str, Any] = {
            "dimensions": len(vectors[0]) if vectors else 0,
            "count": len(vectors),
            "model": model,
            "normalized": params.normalize,
        }
        if single:
            result["embedding"] = vectors[0]
        else:
            result["embeddings"] = vectors
        many = f"{len(vectors)} embedding{'s' * (len(vectors) != 1)}"
        text = f"{many} of {result['dimensions']} dimensions by {model}"
        output: Any = vectors[0] if single else vectors
        return ToolResult(result, output=output, text=text, metadata={"usage": usage.model_dump()})

    def _check(self, texts: list[str]) -> None:
        if len(texts) > _MOST_TEXTS:
            raise wrong(self.name, "input", f"must be {_MOST_TEXTS} texts at most")
        check_size(self.name, sum(map(len, texts)))
        for index, text in enumerate(texts):
            if not text.strip():
                raise wrong(self.name, "input", f"text {index + 1} must not be empty")

    def _check_vectors(self, vectors: list[list[float]], count: int) -> None:
        sizes = {len(vector) for vector in vectors}
        finite = all(math.isfinite(sum(vector)) for vector in vectors)
        if len(vectors) != count or len(sizes) > 1 or sizes == {0} or not finite:
            raise ToolFailed(
                f"{self.name}: the model gave no vector of numbers for each text",
                code="tool.bad_answer",
            )


def _unit(vector: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(value * value for value in vector))
    return [value / length for value in vector] if length else vector

"""The answer of ``POST /embeddings`` as an `EmbeddingResponse`."""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any

from llmspell_core.chat.errors import Service, answer_error, bad_response
from llmspell_core.chat.usage import usage_of
from llmspell_core.provider import EmbeddingRequest, EmbeddingResponse


def parse_embeddings(data: Any, service: Service, request: EmbeddingRequest) -> EmbeddingResponse:
    """The vectors in the order of the inputs; `provider.bad_response` when some are missing."""
    if isinstance(data, dict) and data.get("error"):
        raise answer_error(service, data["error"], request.model)
    rows = data.get("data") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise bad_response(service, "no list of embeddings in it")
    vectors: dict[int, list[float]] = {}
    for place, row in enumerate(rows):
        index = row.get("index", place) if isinstance(row, dict) else None
        vector = _vector(row.get("embedding")) if isinstance(row, dict) else None
        if not isinstance(index, int) or vector is None:
            raise bad_response(service, "an embedding that is no list of numbers")
        vectors[index] = vector
    count = len(request.inputs)
    if sorted(vectors) != list(range(count)):
        raise bad_response(service, f"{len(rows)} embeddings for {count} texts")
    return EmbeddingResponse(
        [vectors[index] for index in range(count)],
        str(data.get("model") or request.model),
        usage_of(data.get("usage")),
    )


def _vector(given: Any) -> list[float] | None:
    """The numbers: a list, or 32-bit floats in base64 as some services send unasked."""
    if isinstance(given, str):
        try:
            raw = base64.b64decode(given, validate=True)
            return list(struct.unpack(f"<{len(raw) // 4}f", raw))
        except (binascii.Error, struct.error, ValueError):
            return None
    numbers = isinstance(given, list) and all(
        isinstance(one, (int, float)) and not isinstance(one, bool) for one in given
    )
    return [float(one) for one in given] if numbers else None

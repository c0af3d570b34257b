"""What the head of a GGUF file says of its model, read without loading it."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from llmspell_core.errors import ProviderError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_SCALARS[12] = "d"
_STRING, _ARRAY = 8, 9
_MAX_TEXT = 1 << 20
_MAX_PAIRS = 10_000
#: Files below this have less than about 400 million parameters, whatever their quantisation.
SMALL_BYTES = 300_000_000


@dataclass(frozen=True, slots=True)
class ModelHead:
    """`context` is the length in tokens it was trained with, 0 when the file does not say.

    `pooled`: the file says how its vectors of tokens become one, as models of embeddings do.
    """

    context: int
    size: int
    pooled: bool = False

    @property
    def small(self) -> bool:
        """Whether the model needs demonstrations and few choices to do what it is asked."""
        return self.size < SMALL_BYTES


def read_head(path: Path) -> ModelHead:
    """The head of a model's file; `provider.model_missing` when it is no GGUF file."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            pairs = _pairs(file)
            return ModelHead(_context(pairs), size, _pooled(pairs))
    except (OSError, ValueError, struct.error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ProviderError(
            f"{path} is no model file that can be read: {why}",
            code="provider.model_missing",
            hint="local models are single GGUF files",
        ) from None


def _context(pairs: dict[str, Any]) -> int:
    kind = pairs.get("general.architecture", "")
    found = pairs.get(f"{kind}.context_length", 0)
    return found if isinstance(found, int) else 0


def _pooled(pairs: dict[str, Any]) -> bool:
    kind = pairs.get("general.architecture", "")
    return bool(pairs.get(f"{kind}.pooling_type", 0))


def _pairs(file: BinaryIO) -> dict[str, Any]:
    if file.read(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version, _tensors, count = struct.unpack("<IQQ", file.read(20))
    if version not in (2, 3) or count > _MAX_PAIRS:
        raise ValueError(f"GGUF version {version} with {count} entries")
    found: dict[str, Any] = {}
    for _ in range(count):
        key = _text(file)
        # The vocabulary comes last and is long.
        if key.startswith("tokenizer."):
            break
        found[key] = _value(file, _number(file, "I"))
    return found


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind == _ARRAY:
        inner, count = _number(file, "I"), _number(file, "Q")
        if count > _MAX_TEXT or inner == _ARRAY:
            raise ValueError("an array that is too long")
        return [_value(file, inner) for _ in range(count)]
    if kind not in _SCALARS:
        raise ValueError(f"unknown kind of value {kind}")
    return _number(file, _SCALARS[kind])


def _text(file: BinaryIO) -> str:
    length = _number(file, "Q")
    if length > _MAX_TEXT:
        raise ValueError("a text that is too long")
    return file.read(length).decode(errors="replace")


def _number(file: BinaryIO, form: str) -> Any:
    form = f"<{form}"
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]

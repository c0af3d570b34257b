"""Scopes and keys as databases keep them: bytes, so that any text is kept and ordered exactly."""

from __future__ import annotations

import random


def as_bytes(text: str) -> bytes:
    """A scope or a key as it is stored, halves of characters included."""
    return text.encode("utf-8", "surrogatepass")


def as_text(data: bytes) -> str:
    """A stored scope or key as it was given."""
    return data.decode("utf-8", "surrogatepass")


def end_of(prefix: bytes) -> bytes:
    """The first bytes that are after all that begin with a prefix, which is not empty."""
    # UTF-8 has no byte 0xFF: there is a next greater last byte.
    return prefix[:-1] + bytes([prefix[-1] + 1])


def new_version() -> int:
    """A version for a changed row."""
    # Random instead of counted: no second row to write, and no way to meet an old one again.
    return random.getrandbits(62) + 1

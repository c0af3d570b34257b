"""The tokens of an answer, by the names that services count them under."""

from __future__ import annotations

from typing import Any

from llmspell_core.messages import Usage


def usage_of(data: Any) -> Usage:
    """The tokens used; zeros where the service does not say.

    What was read from the service's prompt cache or written to it is part of `input_tokens`,
    what was thought part of `output_tokens`.
    """
    if not isinstance(data, dict):
        return Usage.model_construct()
    taken = _count(data, "prompt_tokens", "input_tokens")
    given = _count(data, "completion_tokens", "output_tokens")
    read_in = _details(data, "prompt_tokens_details", "input_tokens_details")
    thought = _details(data, "completion_tokens_details", "output_tokens_details")
    return Usage(
        input_tokens=taken,
        output_tokens=given,
        total_tokens=_count(data, "total_tokens") or taken + given,
        cache_read_tokens=_count(read_in, "cached_tokens", "cache_read_tokens")
        or _count(data, "prompt_cache_hit_tokens", "cache_read_input_tokens"),
        cache_write_tokens=_count(read_in, "cache_write_tokens", "cache_creation_tokens")
        or _count(data, "cache_creation_input_tokens"),
        reasoning_tokens=_count(thought, "reasoning_tokens"),
    )


def _details(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return next((data[name] for name in names if isinstance(data.get(name), dict)), {})


def _count(data: dict[str, Any], *names: str) -> int:
    for name in names:
        value = data.get(name)
        if isinstance(value, (int, float)) and value > 0:
            return int(value)
    return 0

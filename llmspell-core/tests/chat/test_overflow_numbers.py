"""The numbers in which services say that a request is too long."""

from __future__ import annotations

import pytest

from llmspell_core.chat.overflow import overflow_numbers


@pytest.mark.parametrize(
    ("text", "tokens", "most"),
    [
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted "
            "in 9000 tokens.",
            9000,
            8192,
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", 210_000, 200_000),
        (
            "The input token count (1,200,000) exceeds the maximum number of tokens allowed "
            "(1,048,576).",
            1_200_000,
            1_048_576,
        ),
        ('{"n_prompt_tokens": 5000, "n_ctx": 4096}', 5000, 4096),
        ("the request (5000 tokens) exceeds the available context size (4096 tokens)", 5000, 4096),
        ("maximum context length is 8192 tokens", 0, 8192),
        ("too long", 0, 0),
    ],
)
def test_both_numbers_are_found_where_they_are_said(text: str, tokens: int, most: int) -> None:
    found = overflow_numbers(text)
    assert (found.get("tokens", 0), found.get("max_context_tokens", 0)) == (tokens, most)

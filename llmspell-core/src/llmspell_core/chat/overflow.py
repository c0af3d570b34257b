"""How long a request was and how long it may be, out of a service's refusal."""

from __future__ import annotations

import re

_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+)"
#: Of the words that services put around the two numbers.
_MOST = (
    rf"maximum context length (?:is|of)\D{{0,20}}{_NUMBER}",
    rf"maximum (?:number of tokens )?allowed\D{{0,20}}{_NUMBER}",
    rf"> {_NUMBER} maximum",
    rf"context (?:size|window|length)\D{{0,30}}{_NUMBER}",
    rf"n_ctx\W{{1,4}}{_NUMBER}",
)
_TOKENS = (
    rf"(?:resulted in|you requested|requested about|contains at least|has) {_NUMBER}",
    rf"too long: {_NUMBER}",
    rf"token count \({_NUMBER}\)",
    rf"request \({_NUMBER} tokens\)",
    rf"n_prompt_tokens\W{{1,4}}{_NUMBER}",
)


def overflow_numbers(text: str) -> dict[str, int]:
    """`tokens` of the request and `max_context_tokens`, each where the text says it."""
    found = {"tokens": _first(_TOKENS, text), "max_context_tokens": _first(_MOST, text)}
    return {name: number for name, number in found.items() if number}


def _first(patterns: tuple[str, ...], text: str) -> int:
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE):
            return int(match[1].replace(",", ""))
    return 0

"""The agents, as plain data: each says what it changes in the one it extends."""

from __future__ import annotations

from typing import Any

MARKET_RESEARCH: dict[str, Any] = {
    "extends": "research",
    "description": "Watches a market and its competitors.",
    "parameters": {
        "topic": "markets",  # a new default of an inherited one
        "market": {"type": "string", "required": True},
        "competitors": {"type": "array", "items": {"type": "string"}, "default": []},
    },
    "prompt_append": (
        "You watch the market for {{ market }}."
        "{% if competitors %} Compare {{ competitors | join(', ') }}.{% endif %}"
    ),
    "tools_add": ["csv-analyzer"],
    "tools_remove": ["citation-formatter"],
    "capabilities": ["market-research"],
    "limits": {"requests": 20},
}

TEA_MARKET: dict[str, Any] = {
    "extends": "market-research",
    "parameters": {"market": "tea", "depth": "quick"},
    "prompt_append": "Answer in at most three sentences.",
}

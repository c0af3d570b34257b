"""What litellm's own table says of prices, read from its file: importing litellm takes seconds."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from llmspell_core.pricing import ModelPrice

_FILE = "model_prices_and_context_window_backup.json"
_MILLION = 1_000_000


def listed(route: str) -> ModelPrice | None:
    """The price of a model as litellm calls it (`service/model`); None where it knows none."""
    service, _, name = route.partition("/")
    known = _table().get(route)
    if known is None:
        known = _table().get(name)
        if not isinstance(known, dict) or known.get("litellm_provider") != service:
            # Another service's price for a model of this name.
            return None
    into, out = known.get("input_cost_per_token"), known.get("output_cost_per_token")
    if not into and not out:
        # It says 0 where it knows nothing.
        return None
    return ModelPrice(
        (into or 0.0) * _MILLION,
        (out or 0.0) * _MILLION,
        _a_million(known.get("cache_read_input_token_cost")),
        cache_write=_a_million(known.get("cache_creation_input_token_cost")),
    )


def _a_million(price: float | None) -> float | None:
    return None if price is None else price * _MILLION


@cache
def _table() -> dict[str, Any]:
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    try:
        found = json.loads((Path(spec.origin).parent / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

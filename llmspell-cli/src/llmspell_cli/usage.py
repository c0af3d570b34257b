"""What models have used, as rows for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmspell_core.messages import Usage


def usage_rows(usage: Usage) -> dict[str, str]:
    """Tokens, and what they cost where every price is known."""
    cost = "unknown" if usage.cost_usd is None else f"{usage.cost_usd:.6f} USD"
    return {"tokens": f"{usage.input_tokens} in, {usage.output_tokens} out", "cost": cost}

"""Write `llmspell_core/prices.json`: what well-known models cost, from the table of litellm.

    python scripts/prices.py 2026-11-20

The date is the one of the installed litellm's release: its table is what is copied. Prices are
USD per million tokens; see `llmspell_core.pricing`.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "llmspell-core/src/llmspell_core/prices.json"
SOURCE = "model_prices_and_context_window_backup.json"
MODES = ("chat", "responses", "embedding")
#: Services, and what their models' names must not have in them: other media, and trials.
SERVICES = ("openai", "anthropic", "gemini", "mistral", "groq", "deepseek", "xai")
SKIPPED = re.compile(
    r"audio|realtime|search|tts|image|vision-exp|robotics|lyria|ft:|container|computer-use|beta"
    r"|experimental|preview|exp-|learnlm|guard|deep-research|omni|vibe|labs-|cyber|rosalind"
    r"|daybreak|gv2|law"
)
DATED = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")
LONG = re.compile(r"input_cost_per_token_above_(\d+)k_tokens$")


def main(date: str) -> None:
    """Write the table."""
    prices: dict[str, Any] = {}
    for name, known in _litellm().items():
        service = known.get("litellm_provider")
        if service not in SERVICES or known.get("mode") not in MODES or SKIPPED.search(name):
            continue
        row = _row(known)
        if row is not None:
            prices[f"{service}/{name.removeprefix(f'{service}/')}"] = row
    # A dated name is looked up without its date, so it is named where it costs something else.
    kept = {
        name: row
        for name, row in prices.items()
        if not DATED.search(name) or prices.get(DATED.sub("", name)) != row
    }
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(kept[name])}" for name in sorted(kept))
    head = f'  "taken": "{date}",\n  "unit": "USD per million tokens",\n'
    TABLE.write_text(f'{{\n{head}  "prices": {{\n{lines}\n  }}\n}}\n', encoding="utf-8")
    print(f"{len(kept)} prices")


def _litellm() -> dict[str, dict[str, Any]]:
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("litellm is not installed")
    found: dict[str, dict[str, Any]] = json.loads(
        (Path(spec.origin).parent / SOURCE).read_text(encoding="utf-8")
    )
    return found


def _row(known: dict[str, Any], tier: str = "") -> dict[str, Any] | None:
    names = {
        "input": f"input_cost_per_token{tier}",
        "output": f"output_cost_per_token{tier}",
        "cached_input": f"cache_read_input_token_cost{tier}",
        "cache_write": f"cache_creation_input_token_cost{tier}",
    }
    row = {
        key: round(known[name] * 1_000_000, 6)
        for key, name in names.items()
        if known.get(name) is not None
    }
    if "input" not in row or not (row["input"] or row.get("output")):
        return None
    row.setdefault("output", 0.0)
    if not tier:
        found = next((match for key in known if (match := LONG.match(key))), None)
        if found:
            long = _row(known, f"_above_{found[1]}k_tokens")
            if long:
                row["long_from"] = int(found[1]) * 1000
                row["long"] = long
    return row


if __name__ == "__main__":
    main(sys.argv[1])

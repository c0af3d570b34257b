"""Labels that a model chooses from, and the schemas of its choice."""

from __future__ import annotations

from typing import Any

from llmspell_tools._parameters import wrong

_MOST_LABELS = 200
_LONGEST_LABEL = 100


def check_labels(tool: str, labels: list[str], *, least: int) -> list[str]:
    """The labels, trimmed and each once; `input.invalid` for too few, too many or empty ones."""
    found = list(dict.fromkeys(label.strip() for label in labels))
    if not all(0 < len(label) <= _LONGEST_LABEL for label in found):
        raise wrong(tool, "labels", f"must be texts of 1 to {_LONGEST_LABEL} characters")
    if not least <= len(found) <= _MOST_LABELS:
        counts = f"{least} to {_MOST_LABELS}"
        raise wrong(tool, "labels", f"must be {counts} different labels, not {len(found)}")
    return found


def object_schema(properties: dict[str, Any]) -> dict[str, Any]:
    """An object of exactly these fields: what services can hold a model to strictly."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def confidence_schema() -> dict[str, Any]:
    """A number from 0 to 1."""
    return {"type": "number", "minimum": 0, "maximum": 1}

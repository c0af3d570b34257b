"""JSON Schema where it may take long: run in a helper process, so it imports little."""

from __future__ import annotations

import json
from typing import Any

_MOST_MISTAKES = 100
_SLOW = frozenset(("pattern", "patternProperties", "$ref", "$dynamicRef", "uniqueItems"))


def mistakes(schema: str, document: str) -> str:
    """Where a JSON text breaks a JSON schema: `{"errors"}` or `{"error"}`, as JSON."""
    from llmspell_core.schema import schema_mistakes

    try:
        found = schema_mistakes(json.loads(schema), json.loads(document))
    except RecursionError:
        return json.dumps({"error": "the schema or the value is nested too deep"})
    except Exception as error:  # noqa: BLE001 - a `$ref` to nowhere, a pattern that is none: theirs
        return json.dumps({"error": f"{type(error).__name__}: {error}"})
    errors = [{"path": one["field"], "message": one["message"]} for one in found]
    return json.dumps({"errors": errors[:_MOST_MISTAKES]})


def is_quick(schema: Any) -> bool:
    """Whether nothing in a schema can take long: no regular expressions, no references."""
    if isinstance(schema, dict):
        return not _SLOW & schema.keys() and all(map(is_quick, schema.values()))
    return all(map(is_quick, schema)) if isinstance(schema, list) else True

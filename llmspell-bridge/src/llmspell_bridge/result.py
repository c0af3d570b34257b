"""What a script gives back, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import Usage
from llmspell_core.script.api import ScriptObject


@dataclass(slots=True)
class ScriptResult:
    """How a run ended. `value` is JSON-like data; `exit_code` is what `os.exit` was given.

    `unhandled` are the errors of tasks that nobody waited for, `unhandled_more` how many more
    than these there were.
    """

    value: Any = None
    exit_code: int | None = None
    unhandled: list[LLMSpellError] = field(default_factory=list)
    unhandled_more: int = 0
    usage: Usage = field(default_factory=Usage)
    duration_ms: float = 0.0
    host_calls: int = 0
    stdout: str = ""
    stderr: str = ""


def plain(value: Any) -> Any:
    """Data for people and JSON: host objects as `{type, name, id}`, functions left out."""
    if isinstance(value, ScriptObject):
        fields = value.script_fields()
        return {"type": value.type_name, "name": fields.get("name"), "id": fields.get("id")}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if not _is_function(one)}
    if isinstance(value, list):
        return [plain(one) for one in value if not _is_function(one)]
    if _is_function(value):
        return None
    return value


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, ScriptObject)

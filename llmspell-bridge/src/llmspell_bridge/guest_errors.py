"""Errors of a guest as exceptions, and which of them end its session."""

from __future__ import annotations

import copy
from typing import Any

from llmspell_core.errors import LLMSpellError, ScriptError

#: After one of these nothing of the script runs.
FATAL = frozenset(
    {
        "script.memory_limit",
        "script.cpu_limit",
        "script.wall_limit",
        "script.host_calls_limit",
        "script.output_limit",
        "script.instructions_limit",
        "script.callback_limit",
        "script.crashed",
        "script.protocol",
        "script.exit",
    }
)

_FIELDS = frozenset({"message", "code", "hint", "details", "retryable", "source", "stack"})

#: What Lua itself says; an allocation may fail where no prelude can put it into better words.
_NO_MEMORY = "not enough memory"

_HINTS = {
    "script.memory_limit": "raise [security.limits] memory_mb",
    "script.cpu_limit": "raise [security.limits] cpu_s",
    "script.instructions_limit": "raise [security.limits] instructions",
}


def script_error(data: Any) -> LLMSpellError:
    """The error fields that a guest sent, as an exception."""
    if not isinstance(data, dict):
        return ScriptError(str(data))
    details = data.get("details")
    extra = {key: value for key, value in data.items() if key not in _FIELDS}
    message = str(data.get("message", "the script failed"))
    code = str(data.get("code") or "script.error")
    if code == "script.error" and message == _NO_MEMORY:
        code, message = "script.memory_limit", "the script used up its memory"
    return ScriptError(
        message,
        code=code,
        hint=_text(data, "hint") or _HINTS.get(code),
        details={**(details if isinstance(details, dict) else {}), **extra},
        retryable=bool(data.get("retryable")),
        source=_text(data, "source"),
        stack=_text(data, "stack"),
    )


def again(error: LLMSpellError) -> LLMSpellError:
    """The same error, to be raised once more: an exception keeps every frame it went through."""
    return copy.copy(error)


def _text(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None

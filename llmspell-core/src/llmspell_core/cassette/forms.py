"""What is asked, in the form that a recording is found by: the same on every machine.

Left out is what says nothing about the answer: timeouts and retries. Ids of tool calls, which
every run makes anew, become their number, media become their hash, and tools and the keys of
JSON results are in order.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from llmspell_core.json_text import read_json
from llmspell_core.security.redact import MASK

if TYPE_CHECKING:
    from llmspell_core.provider import EmbeddingRequest, ModelRequest
    from llmspell_core.security.redact import Redactor

_NOT_ASKED = frozenset({"timeout_ms", "retry", "model"})
#: Of a call that stands in a message: how it ended is in the tool's own message.
_ENDS = {"result", "error", "duration_ms"}
_KEY_LENGTH = 32
#: Names whose text is a secret whatever it looks like; `key` and `token` are ordinary words.
_SECRET = re.compile(
    r"(api[-_]?keys?|authorization|passw(or)?ds?|passphrase|secrets?|access[-_]?token|"
    r"auth[-_]?token|bearer|cookies?|credentials?|private[-_]?key)$",
    re.IGNORECASE,
)


def model_form(provider: str, request: ModelRequest) -> dict[str, Any]:
    """A request to a model."""
    form = {"model": f"{provider}/{request.model}", **_given(request)}
    form["messages"] = _messages(request.messages)
    if "tools" in form:
        form["tools"] = sorted(form["tools"], key=lambda tool: str(tool["name"]))
    else:
        # Without tools there is nothing to choose.
        form.pop("tool_choice", None)
    return form


def embedding_form(provider: str, request: EmbeddingRequest) -> dict[str, Any]:
    """A request for vectors."""
    return {"model": f"{provider}/{request.model}", "inputs": [*request.inputs]}


def tool_form(name: str, params: Any) -> dict[str, Any]:
    """A call of a tool."""
    return {"tool": name, "arguments": plain(params)}


def without_secrets(value: Any, redactor: Redactor | None) -> Any:
    """The data with known secrets, what looks like one, and values of telling names removed."""
    value = _unnamed(value)
    return value if redactor is None else redactor.value(value)


def key_of(kind: str, form: dict[str, Any]) -> str:
    """What a recording of this request is found by."""
    text = json.dumps([kind, form], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_KEY_LENGTH]


def plain(value: Any) -> Any:
    """A value as JSON data; what JSON cannot hold is left out as null."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json", exclude_defaults=True)
    return value if value is None or isinstance(value, (str, int, float, bool)) else None


def _given(request: ModelRequest) -> dict[str, Any]:
    """The fields that differ from their defaults: a field that is new changes no old key."""
    found: dict[str, Any] = {}
    for one in fields(request):
        value = getattr(request, one.name)
        if one.name not in _NOT_ASKED and value != _default(one):
            found[one.name] = plain(value)
    return found


def _default(one: Field[Any]) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    return None if one.default is MISSING else one.default


def _messages(messages: list[Any]) -> list[Any]:
    numbers: dict[str, str] = {}
    return [_message(one, numbers) for one in messages]


def _message(message: Any, numbers: dict[str, str]) -> dict[str, Any]:
    # What was thought follows from the answers before, and services sign it anew each time.
    excluded: Any = {"tool_calls": {"__all__": _ENDS}, "reasoning": True}
    data: dict[str, Any] = message.model_dump(mode="json", exclude_defaults=True, exclude=excluded)
    for call in data.get("tool_calls", ()):
        call["id"] = numbers.setdefault(call["id"], f"call_{len(numbers) + 1}")
    if "tool_call_id" in data:
        known = data["tool_call_id"]
        data["tool_call_id"] = numbers.setdefault(known, f"call_{len(numbers) + 1}")
    if data["role"] == "tool":
        data["content"] = _ordered(data.get("content", ""))
    if isinstance(data.get("content"), list):
        data["content"] = [_part(part) for part in data["content"]]
    return data


def _ordered(content: Any) -> Any:
    """A tool's result that is JSON with its keys in order: tables of scripts have none."""
    if not isinstance(content, str) or content[:1] not in ("{", "["):
        return content
    try:
        return json.dumps(read_json(content), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return content


def _part(part: Any) -> Any:
    if isinstance(part, dict) and part.get("data"):
        return {**part, "data": "sha256:" + hashlib.sha256(part["data"].encode()).hexdigest()}
    return part


def _unnamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(inner, str) and _SECRET.search(key) else _unnamed(inner)
            for key, inner in value.items()
        }
    return [_unnamed(inner) for inner in value] if isinstance(value, list) else value

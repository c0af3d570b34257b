"""What a model thought, in the fields that services send it in and want it back in.

Fields in use: `reasoning_content` (DeepSeek, vLLM, llama.cpp, Moonshot), `reasoning` and
`reasoning_details` (OpenRouter, Ollama, Groq), `thinking_blocks` (Anthropic, as litellm writes
it), parts of `content` (Mistral), and `extra_content` or `provider_specific_fields` of a tool
call (Gemini's thought signatures).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.provider import ReasoningOptions

_TEXTS = ("reasoning_content", "reasoning")
_LISTS = ("reasoning_details", "thinking_blocks")
#: Of what litellm puts here, only this is a model's and not litellm's own.
_OTHER = "provider_specific_fields"
_THOUGHT = ("thought_signature", "thought_signatures")
_OF_CALLS = ("extra_content", _OTHER)
_THINKING_PARTS = ("thinking", "reasoning")
#: Keys of a block that come piece by piece.
_GROWING = ("text", "thinking", "summary", "data")

#: Tokens that stand for an effort, where a service takes no number.
_BUDGETS = ((0, "none"), (1024, "low"), (8192, "medium"))


def reasoning_of(message: dict[str, Any]) -> str:
    """What the model thought aloud, under either of the names in use."""
    for name in _TEXTS:
        if isinstance(message.get(name), str) and message[name]:
            return str(message[name])
    content = message.get("content")
    return "".join(map(_part_text, content)) if isinstance(content, list) else ""


def signature_of(message: dict[str, Any]) -> dict[str, Any] | None:
    """The fields of an answer that its service wants back verbatim, or None.

    `tool_calls` has one entry for each call of the message, in their order.
    """
    found = {name: message[name] for name in (*_TEXTS, *_LISTS) if message.get(name)}
    content = message.get("content")
    if isinstance(content, list) and any(map(_part_text, content)):
        found["content"] = content
    if other := _thoughts(message.get(_OTHER)):
        found[_OTHER] = other
    given = message.get("tool_calls")
    calls = [call_signature(one) for one in given] if isinstance(given, list) else []
    if any(calls):
        found["tool_calls"] = calls
    return found or None


def call_signature(call: Any) -> dict[str, Any]:
    """The fields of one tool call that its service wants back."""
    found: dict[str, Any] = {}
    for name in _OF_CALLS if isinstance(call, dict) else ():
        value = _thoughts(call.get(name)) if name == _OTHER else call.get(name)
        if value:
            found[name] = value
    return found


def replay(body: dict[str, Any], signature: dict[str, Any]) -> None:
    """Put the fields of `signature_of` into the body of a message that goes to the same service."""
    for name, value in signature.items():
        if name != "tool_calls":
            body[name] = value
            continue
        calls = body.get("tool_calls") or ()
        # Of other calls than those that were signed nothing is known.
        for call, more in zip(calls, value if len(value) == len(calls) else (), strict=False):
            call.update(more)


@dataclass(slots=True)
class SignatureParts:
    """`signature_of` for an answer that comes in pieces."""

    _texts: dict[str, list[str]] = field(default_factory=dict)
    _lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _other: dict[str, Any] = field(default_factory=dict)

    def add(self, delta: dict[str, Any]) -> None:
        """Take what one chunk brings."""
        for name in _TEXTS:
            if isinstance(delta.get(name), str) and delta[name]:
                self._texts.setdefault(name, []).append(delta[name])
        for name in _LISTS:
            if isinstance(delta.get(name), list):
                blocks = self._lists.setdefault(name, [])
                for piece in delta[name]:
                    if isinstance(piece, dict):
                        _join(blocks, piece)
        self._other.update(_thoughts(delta.get(_OTHER)))

    def whole(self, calls: list[dict[str, Any]]) -> dict[str, Any] | None:
        """All of it; `calls` are the fields of each call."""
        found: dict[str, Any] = {name: "".join(parts) for name, parts in self._texts.items()}
        found.update({name: blocks for name, blocks in self._lists.items() if blocks})
        if self._other:
            found[_OTHER] = self._other
        if any(calls):
            found["tool_calls"] = calls
        return found or None


def effort_of(options: ReasoningOptions) -> str | None:
    """The effort that was asked for, where a service takes no budget of tokens."""
    if options.effort is not None or options.budget_tokens is None:
        return options.effort
    budget = options.budget_tokens
    return next((name for most, name in _BUDGETS if budget <= most), "high")


def reasoning_body(options: ReasoningOptions, *, nested: bool) -> dict[str, Any]:
    """The fields of a request that say how much to think.

    Args:
        options: what is asked for.
        nested: as OpenRouter takes it, which knows budgets too; else `reasoning_effort`.
    """
    if not nested:
        return {"reasoning_effort": effort_of(options)}
    if options.budget_tokens:
        return {"reasoning": {"max_tokens": options.budget_tokens}}
    return {"reasoning": {"effort": effort_of(options)}}


def _join(blocks: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    """Add a piece to the block that it goes on with, or begin another one."""
    last = blocks[-1] if blocks else None
    if last is None or not _goes_on(last, piece):
        blocks.append(dict(piece))
        return
    for key, value in piece.items():
        if key in _GROWING and isinstance(value, str):
            last[key] = (last.get(key) or "") + value
        elif value not in (None, ""):
            last[key] = value


def _goes_on(last: dict[str, Any], piece: dict[str, Any]) -> bool:
    if last.get("type") != piece.get("type") or last.get("index") != piece.get("index"):
        return False
    if piece.get("id") and last.get("id") and piece["id"] != last["id"]:
        return False
    # A signature ends a block, and what is redacted comes in one piece.
    fresh = any(piece.get(key) for key in _GROWING)
    whole = last.get("signature") or (last.get("data") and "index" not in last)
    return not (fresh and whole)


def _thoughts(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    return {key: given[key] for key in _THOUGHT if given.get(key)}


def _part_text(part: Any) -> str:
    """The text of a part of `content` that is thought and not said."""
    if not isinstance(part, dict) or part.get("type") not in _THINKING_PARTS:
        return ""
    inner = part.get("thinking") or part.get("text") or part.get("reasoning")
    if isinstance(inner, list):
        return "".join(str(one.get("text") or "") for one in inner if isinstance(one, dict))
    return inner if isinstance(inner, str) else ""

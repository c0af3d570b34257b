"""`Content`: prompts, answers, arguments and results as the conventions write them.

Only what the user asked for is captured, after the redactor, and at most 16 KiB an attribute.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.messages import Message
    from llmspell_core.provider import ModelRequest, ModelResponse
    from llmspell_core.security.redact import Redactor

MAX_BYTES = 16 * 1024
#: A single text is cut to this many characters first, then to less and less.
_FIRST_CUT = 8192
_LAST_CUT = 64


class Content:
    """Captures content: on spans, in events, or both.

    Args:
        redactor: takes secrets out
        where: `spans`, `events` or `both`
    """

    def __init__(self, redactor: Redactor, where: str) -> None:
        self._redactor = redactor
        self.on_spans = where in ("spans", "both")
        self.in_events = where in ("events", "both")

    def text(self, value: Any) -> str:
        """A value as JSON: redacted, and cut where it is too long."""
        found = self._redactor.value(_plain(value))
        text = _json(found)
        cut = _FIRST_CUT
        while len(text.encode()) > MAX_BYTES:
            if cut >= _LAST_CUT:
                text = _json(_shortened(found, cut))
                cut //= 2
            elif isinstance(found, list) and len(found) > 1:
                # Of a conversation the latest messages say most.
                found = found[(len(found) + 1) // 2 :]
                text = _json(_shortened(found, _LAST_CUT))
            else:
                return json.dumps(text[: MAX_BYTES // 16])
        return text

    def asked(self, request: ModelRequest) -> dict[str, str]:
        """What a request holds, by attribute."""
        from llmspell_core.telemetry import names

        system = [one for one in request.messages if one.role == "system"]
        rest = [one for one in request.messages if one.role != "system"]
        found = {names.INPUT_MESSAGES: self.text([_message(one) for one in rest])}
        if system:
            parts = [part for one in system for part in _parts(one)]
            found[names.SYSTEM_INSTRUCTIONS] = self.text(parts)
        if request.tools:
            found[names.TOOL_DEFINITIONS] = self.text(
                [
                    {
                        "type": "function",
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    }
                    for tool in request.tools
                ]
            )
        return found

    def answered(self, response: ModelResponse) -> dict[str, str]:
        """What an answer holds, by attribute."""
        from llmspell_core.telemetry import names

        parts: list[dict[str, Any]] = []
        if response.reasoning:
            parts.append({"type": "reasoning", "content": response.reasoning})
        if response.text:
            parts.append({"type": "text", "content": response.text})
        parts += [_call(one) for one in response.tool_calls]
        message = {"role": "assistant", "parts": parts, "finish_reason": response.finish_reason}
        return {names.OUTPUT_MESSAGES: self.text([message])}

    def said(self, role: str, text: str) -> str:
        """One message of text, as a list of messages."""
        return self.text([{"role": role, "parts": [{"type": "text", "content": text}]}])


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        answer = {
            "type": "tool_call_response",
            "id": message.tool_call_id,
            "response": message.text,
        }
        return {"role": "tool", "parts": [answer]}
    parts = [*_parts(message), *map(_call, message.tool_calls)]
    return {"role": message.role, "parts": parts}


def _parts(message: Message) -> list[dict[str, Any]]:
    if isinstance(message.content, str):
        return [{"type": "text", "content": message.content}] if message.content else []
    # Of media only that they were there: their bytes are no use in a trace.
    return [
        {"type": "text", "content": part.text}
        if part.type == "text"
        else {"type": "uri", "modality": part.type, "uri": part.url or part.path}
        for part in message.content
    ]


def _call(call: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}


def _plain(value: Any) -> Any:
    """JSON-like data of anything, so that the redactor sees every text in it."""
    try:
        if hasattr(value, "model_dump"):
            value = value.model_dump(exclude_none=True)
        return json.loads(json.dumps(value, default=str))
    except Exception:  # noqa: BLE001 - what tools give back may be anything, and traces may not fail
        return f"a {type(value).__name__}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shortened(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[:most]}... ({len(value)} characters)"
    if isinstance(value, dict):
        return {name: _shortened(part, most) for name, part in value.items()}
    if isinstance(value, Sequence):
        return [_shortened(part, most) for part in value]
    return value

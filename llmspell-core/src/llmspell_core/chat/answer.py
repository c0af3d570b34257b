"""A chat completion as a `ModelResponse`, whatever shape the service gives it."""

from __future__ import annotations

import json
from typing import Any

from llmspell_core.chat.errors import Service, answer_error, bad_response
from llmspell_core.chat.media_parts import MediaParts
from llmspell_core.chat.reasoning import reasoning_of, signature_of
from llmspell_core.chat.usage import usage_of
from llmspell_core.json_text import read_json
from llmspell_core.messages import ToolCall
from llmspell_core.provider import ModelRequest, ModelResponse

_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "error": "error",
}


def parse_answer(data: Any, service: Service, model: str) -> ModelResponse:
    """The response; `provider.bad_response` when there is none in it."""
    if not isinstance(data, dict):
        raise bad_response(service, f"JSON that is no object: {json.dumps(data)[:100]}")
    if data.get("error"):
        raise answer_error(service, data["error"], model)
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise bad_response(service, "no choices in it")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise bad_response(service, "no message in its first choice")
    text, thought = split_thoughts(text_of(message.get("content")))
    refusal = refusal_of(message)
    calls = tool_calls_of(message)
    media = MediaParts()
    words = media.add(message)
    return ModelResponse(
        text=(text or words) + refusal,
        tool_calls=calls,
        finish_reason=finish_reason(
            "content_filter" if refusal else choices[0].get("finish_reason"), calls
        ),
        usage=usage_of(data.get("usage")),
        model=str(data.get("model") or model),
        reasoning=reasoning_of(message) or thought,
        signature=signature_of(message),
        id=str(data.get("id") or ""),
        parts=media.found(),
    )


def text_of(content: Any) -> str:
    """The text of a `content` field: a string, a list of parts, or null."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(
            str(part.get("text") or "") if isinstance(part, dict) else str(part) for part in content
        )
    return ""


def refusal_of(message: dict[str, Any]) -> str:
    """Why the model does not answer, which some services send beside the content."""
    found = message.get("refusal")
    return found if isinstance(found, str) else ""


def finish_reason(given: Any, calls: list[ToolCall]) -> str:
    """One of our finish reasons: services disagree, and some say `stop` beside tool calls."""
    if calls:
        return "tool_calls"
    return _REASONS.get(str(given or "stop").lower(), "stop")


def note_waste(request: ModelRequest, data: Any) -> None:
    """Keep what an answer that is none says it has used: it is paid for like any other."""
    usage = usage_of(data.get("usage") if isinstance(data, dict) else None)
    if usage.total_tokens:
        request.wasted.append(usage)


def tool_calls_of(message: dict[str, Any]) -> list[ToolCall]:
    """The tool calls of a message, each with an id of its own."""
    given = message.get("tool_calls")
    found = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    old_form = message.get("function_call")
    if not found and isinstance(old_form, dict):
        found = [{"function": old_form}]
    calls: list[ToolCall] = []
    used: set[str] = set()
    for index, one in enumerate(found):
        function = one.get("function")
        function = function if isinstance(function, dict) else one
        id_ = str(one.get("id") or "")
        if not id_ or id_ in used:
            id_ = f"{id_ or 'call'}_{index}"
        used.add(id_)
        calls.append(make_call(id_, str(function.get("name") or ""), function.get("arguments")))
    return calls


def make_call(id_: str, name: str, arguments: Any) -> ToolCall:
    """A call from what the service sent as arguments: text, an object, nothing, JSON in JSON."""
    value = arguments
    for _ in range(2):
        if not isinstance(value, str):
            break
        if not value.strip():
            value = {}
            break
        try:
            value = read_json(value)
        except ValueError:
            return ToolCall(id=id_, name=name, raw_arguments=str(arguments))
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return ToolCall(id=id_, name=name, raw_arguments=raw)
    return ToolCall(id=id_, name=name, arguments=value)


_OPEN, _CLOSE = "<think>", "</think>"


def split_thoughts(text: str) -> tuple[str, str]:
    """(text, thoughts): a leading ``<think>…</think>`` is reasoning, not part of the answer."""
    start = text.lstrip()
    if not start.startswith(_OPEN):
        return text, ""
    thought, closed, rest = start[len(_OPEN) :].partition(_CLOSE)
    return (rest.lstrip() if closed else ""), thought.strip()


class ThoughtSplitter:
    """`split_thoughts` for text that comes in pieces; holds back only what may be a tag."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def feed(self, piece: str) -> tuple[str, str]:
        """(text, thoughts) that this piece makes certain."""
        if self._state == "text":
            return piece, ""
        if self._state == "blank":
            return self._after(piece), ""
        self._held += piece
        return self._start() if self._state == "start" else self._inside()

    def end(self) -> tuple[str, str]:
        """What is still held back when the answer is over."""
        held, self._held = self._held, ""
        return ("", held) if self._state == "inside" else (held, "")

    def _start(self) -> tuple[str, str]:
        start = self._held.lstrip()
        if start.startswith(_OPEN):
            self._state, self._held = "inside", start[len(_OPEN) :]
            return self._inside()
        if _OPEN.startswith(start):
            return "", ""
        self._state = "text"
        return self.end()

    def _inside(self) -> tuple[str, str]:
        thought, closed, rest = self._held.partition(_CLOSE)
        if closed:
            self._state, self._held = "blank", ""
            return self._after(rest), thought
        keep = _partial(self._held)
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(ready) :]
        return "", ready

    def _after(self, piece: str) -> str:
        # The blank lines after the thoughts are not part of the answer either.
        text = piece.lstrip()
        if text:
            self._state = "text"
        return text


def _partial(text: str) -> int:
    """How many characters at the end may be the beginning of the closing tag."""
    return next((n for n in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:n])), 0)

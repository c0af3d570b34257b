"""What the services refuse: the rules of three wire dialects, as strictly as any of them is.

    assert openai_mistakes(body) == []

Sources: OpenAI's reference of chat completions and the answers of its API to wrong requests,
Anthropic's "Messages" and "Tool use" (tool results right after their calls, first in their
message), Google's "Function calling" (as many responses as calls, right after them).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")
_ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]+\Z")
_LONGEST_OPENAI_ID = 40

Data = dict[str, Any]


def openai_mistakes(body: Data) -> list[str]:
    """What is wrong with the body of ``POST /chat/completions``."""
    return list(_openai(body.get("messages") or []))


def anthropic_mistakes(body: Data) -> list[str]:
    """What is wrong with the body of ``POST /v1/messages``."""
    return list(_anthropic(body.get("messages") or []))


def gemini_mistakes(body: Data) -> list[str]:
    """What is wrong with the body of ``models.generateContent``."""
    return list(_gemini(body.get("contents") or []))


def _openai(messages: list[Data]) -> Iterator[str]:
    waiting: list[str] = []
    if not any(one.get("role") != "system" for one in messages):
        yield "no message"
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                yield f"{where}: a result without a call before it"
            else:
                waiting.remove(message["tool_call_id"])
            if not isinstance(message.get("content"), (str, list)):
                yield f"{where}: a result needs content"
            continue
        if waiting:
            yield f"{where}: calls without a result: {waiting}"
        yield from _openai_message(where, message)
        waiting = [str(call.get("id")) for call in message.get("tool_calls") or ()]
    if waiting:
        yield f"calls without a result: {waiting}"


def _openai_message(where: str, message: Data) -> Iterator[str]:
    role, content, calls = message.get("role"), message.get("content"), message.get("tool_calls")
    if role not in ("system", "user", "assistant"):
        yield f"{where}: unknown role {role}"
    if not isinstance(content, (str, list)) and not (content is None and calls):
        yield f"{where}: content is missing"
    if calls is not None:
        if role != "assistant" or not calls:
            yield f"{where}: tool_calls are an assistant's, and never empty"
        yield from _openai_calls(where, calls)


def _openai_calls(where: str, calls: list[Data]) -> Iterator[str]:
    ids = [call.get("id") for call in calls]
    if len({*ids}) < len(ids):
        yield f"{where}: an id twice"
    for call in calls:
        id_, function = call.get("id"), call.get("function") or {}
        if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_OPENAI_ID:
            yield f"{where}: id {id_!r}"
        if not _NAME.match(str(function.get("name") or "")):
            yield f"{where}: name {function.get('name')!r}"
        if not isinstance(_json(function.get("arguments")), dict):
            yield f"{where}: arguments are no JSON object"


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def _anthropic(messages: list[Data]) -> Iterator[str]:
    yield from _ends(messages)
    used: set[str] = set()
    called: list[str] = []
    for index, message in enumerate(messages):
        where, role = f"messages.{index}", message.get("role")
        if index and role == messages[index - 1].get("role"):
            yield f"{where}: roles must alternate"
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        if not blocks:
            yield f"{where}: content must not be empty"
        for block in blocks:
            yield from _anthropic_block(where, block, role)
        yield from _anthropic_results(where, blocks, called)
        called = [str(one.get("id")) for one in blocks if one.get("type") == "tool_use"]
        for id_ in called:
            if id_ in used:
                yield f"{where}: tool_use ids must be unique: {id_}"
            used.add(id_)
    if called:
        yield f"tool_use without tool_result: {called}"


def _ends(messages: list[Data]) -> Iterator[str]:
    """Anthropic and Gemini: user first and last, and only one other role."""
    roles = [one.get("role") for one in messages]
    if not roles or roles[0] != "user":
        yield "the first message must be a user's"
    if roles and roles[-1] != "user":
        yield "the last message must be a user's, or results"
    if {*roles} - {"user"} not in ({"assistant"}, {"model"}, set()):
        yield f"unknown roles: {roles}"


def _anthropic_block(where: str, block: Data, role: Any) -> Iterator[str]:
    kind = block.get("type")
    if kind == "text" and not str(block.get("text") or "").strip():
        yield f"{where}: text must contain non-whitespace text"
    if kind == "tool_use":
        if role != "assistant":
            yield f"{where}: tool_use of a {role}"
        if not _ANTHROPIC_ID.match(str(block.get("id") or "")):
            yield f"{where}: id {block.get('id')!r}"
        if not _NAME.match(str(block.get("name") or "")):
            yield f"{where}: name {block.get('name')!r}"
        if not isinstance(block.get("input"), dict):
            yield f"{where}: input must be an object"
    if kind == "tool_result" and role != "user":
        yield f"{where}: tool_result of a {role}"
    if kind == "thinking" and not block.get("signature"):
        yield f"{where}: thinking without signature"


def _anthropic_results(where: str, blocks: list[Data], called: list[str]) -> Iterator[str]:
    kinds = [one.get("type") for one in blocks]
    ids = [str(one.get("tool_use_id")) for one in blocks if one.get("type") == "tool_result"]
    for id_ in ids:
        if id_ not in called:
            yield f"{where}: tool_result without tool_use in the message before: {id_}"
    missing = [id_ for id_ in called if id_ not in ids]
    if missing:
        yield f"{where}: tool_use without tool_result right after: {missing}"
    if len({*ids}) < len(ids):
        yield f"{where}: more than one tool_result for a tool_use"
    if ids and kinds[: len(ids)] != ["tool_result"] * len(ids):
        yield f"{where}: tool_result must come before anything else"


def _gemini(contents: list[Data]) -> Iterator[str]:
    yield from _ends(contents)
    called: list[str] = []
    for index, content in enumerate(contents):
        where, parts = f"contents.{index}", content.get("parts") or []
        if not parts:
            yield f"{where}: parts must not be empty"
        for part in parts:
            yield from _gemini_part(where, part)
        answered = [str(_of(one, "response").get("name")) for one in parts if _of(one, "response")]
        if answered and not called:
            yield f"{where}: function responses must come right after function calls"
        if called and answered != called:
            yield f"{where}: responses {answered} to the calls {called}"
        called = [str(_of(one, "call").get("name")) for one in parts if _of(one, "call")]
        if called and (not index or contents[index - 1].get("role") != "user"):
            yield f"{where}: a call must come after a user turn or function responses"
    if called:
        yield f"calls without a response: {called}"


def _gemini_part(where: str, part: Data) -> Iterator[str]:
    call, response = _of(part, "call"), _of(part, "response")
    kinds = bool(call) + bool(response) + ("text" in part) + _media(part)
    if kinds != 1:
        yield f"{where}: a part must have one kind of data: {sorted(part)}"
    if "text" in part and not part["text"]:
        yield f"{where}: an empty text"
    if call and not (_NAME.match(str(call.get("name"))) and isinstance(call.get("args"), dict)):
        yield f"{where}: call {call}"
    if response and not isinstance(response.get("response"), dict):
        yield f"{where}: a response must be an object"


def _media(part: Data) -> bool:
    return any(key in part for key in ("inlineData", "inline_data", "fileData", "file_data"))


def _of(part: Data, what: str) -> Data:
    found = part.get(f"function_{what}") or part.get(f"function{what.capitalize()}")
    return found if isinstance(found, dict) else {}

"""A request as the JSON body of a chat completion."""

from __future__ import annotations

import json
from typing import Any

from llmspell_core.chat.reasoning import reasoning_body, replay
from llmspell_core.messages import ContentPart, Message, ToolCall
from llmspell_core.provider import ModelRequest, ToolDefinition


def request_body(
    request: ModelRequest,
    *,
    stream: bool,
    max_tokens_field: str = "max_tokens",
    stream_options: bool = True,
    nested_reasoning: bool = False,
    grammar_field: str = "",
) -> dict[str, Any]:
    """The body of ``POST /chat/completions``; `settings` win over everything else.

    The messages come last, so that the next request of the conversation has the same beginning.
    A grammar and tools exclude each other in the services that have both: while tools may be
    called, only the prompt says what the answer is.

    Args:
        request: what is asked.
        stream: whether the answer shall come in pieces.
        max_tokens_field: what the service calls the bound of the answer's length.
        stream_options: whether the service takes `stream_options`.
        nested_reasoning: whether the service takes `reasoning` instead of `reasoning_effort`.
        grammar_field: the field of the schema that the service makes a grammar of; with a dot,
            a field in an object. Without it there is only `response_format`.
    """
    body: dict[str, Any] = {"model": request.model}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body[max_tokens_field] = request.max_tokens
    if request.stop:
        body["stop"] = request.stop
    if request.reasoning is not None:
        body.update(reasoning_body(request.reasoning, nested=nested_reasoning))
    body.update(_offered(request, grammar_field))
    if stream:
        body["stream"] = True
        if stream_options:
            body["stream_options"] = {"include_usage": True}
    body.update(request.settings)
    body.setdefault("messages", [message_body(message) for message in request.messages])
    return body


def _offered(request: ModelRequest, grammar_field: str) -> dict[str, Any]:
    """The tools, and what holds the answer to the schema."""
    found: dict[str, Any] = {}
    by_grammar = request.grammar and bool(grammar_field)
    if request.tools and not (by_grammar and request.tool_choice == "none"):
        found["tools"] = [tool_body(tool) for tool in request.tools]
        if request.tool_choice != "auto":
            found["tool_choice"] = tool_choice_body(request.tool_choice)
    if request.schema is not None and not by_grammar:
        found["response_format"] = schema_body(request.schema)
    if by_grammar and "tools" not in found:
        outer, dot, inner = grammar_field.partition(".")
        found[outer] = {inner: request.schema} if dot else request.schema
    return found


def message_body(message: Message) -> dict[str, Any]:
    """One message on the wire."""
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    body: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.name:
        body["name"] = message.name
    if message.tool_calls:
        body["tool_calls"] = [call_body(call) for call in message.tool_calls]
        body["content"] = body["content"] or None
    if message.reasoning is not None and message.reasoning.signature:
        replay(body, message.reasoning.signature)
    return body


def _content(message: Message) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str):
        return message.content
    return [_part(part) for part in message.content]


def _part(part: ContentPart) -> dict[str, Any]:
    if part.type == "text":
        return {"type": "text", "text": part.text}
    if part.type == "audio":
        kind = part.media_type.rpartition("/")[2]
        audio = {"data": part.data, "format": _AUDIO.get(kind, kind or "wav")}
        return {"type": "input_audio", "input_audio": audio}
    media = part.media_type or "application/octet-stream"
    address = part.url or f"data:{media};base64,{part.data}"
    if part.type == "image":
        return {"type": "image_url", "image_url": {"url": address}}
    return {"type": "file", "file": {"filename": part.name or "file", "file_data": address}}


#: What the protocol calls a format of sound, where it is not the media type's own name.
_AUDIO = {"mpeg": "mp3", "mp4": "m4a", "x-wav": "wav"}


def call_body(call: ToolCall) -> dict[str, Any]:
    """A tool call of the model as it is shown to the model again."""
    arguments = (
        call.raw_arguments
        if call.raw_arguments is not None
        else json.dumps(call.arguments, ensure_ascii=False)
    )
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def tool_body(tool: ToolDefinition) -> dict[str, Any]:
    """A tool as the model is offered it."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def tool_choice_body(choice: str) -> Any:
    """``none`` and ``required`` as they are, a tool's name as the protocol's object."""
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def schema_body(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema as `response_format`; strict where the schema allows it to be."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": _may_be_strict(schema)},
    }


def _may_be_strict(node: Any) -> bool:
    """Strict mode refuses objects with optional or further properties."""
    if isinstance(node, list):
        return all(_may_be_strict(value) for value in node)
    if not isinstance(node, dict):
        return True
    if node.get("type") == "object" or "properties" in node:
        properties = node.get("properties", {})
        if node.get("additionalProperties") is not False:
            return False
        if set(node.get("required", ())) != set(properties):
            return False
    return all(_may_be_strict(value) for value in node.values())

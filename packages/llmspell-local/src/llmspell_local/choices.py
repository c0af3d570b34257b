"""What the model may write: a call of one offered tool, an answer, or JSON of a schema."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import Any

from llmspell_core.errors import ProviderError, did_you_mean
from llmspell_core.messages import ToolCall
from llmspell_core.provider import ModelRequest, ToolDefinition
from llmspell_local.copying import in_words, words_of
from llmspell_local.schemas import simplify

#: How long a string in the arguments of a small model gets before it is certainly a ramble.
_SMALL_STRING = 300
_SMALL_LIST = 10
_SCALARS = ("string", "number", "integer", "boolean")


class Form(Enum):
    """How an answer is written: plain text, JSON of the caller's schema, or a choice."""

    TEXT = "text"
    JSON = "json"
    CHOICE = "choice"


@dataclass(slots=True)
class Choice:
    """What one request offers the model. `answer` is False when a tool must be called."""

    form: Form
    tools: list[ToolDefinition]
    answer: bool = True
    answer_schema: dict[str, Any] | None = None

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of all that may be written; None for plain text."""
        if self.form is Form.TEXT:
            return None
        if self.form is Form.JSON:
            return self.answer_schema
        forms = [
            _object(tool={"const": tool.name}, arguments=tool.parameters) for tool in self.tools
        ]
        if self.answer:
            forms.append(_object(answer=self.answer_schema or {"type": "string"}))
        return forms[0] if len(forms) == 1 else {"anyOf": forms}

    def read(self, text: str) -> tuple[str, list[ToolCall]]:
        """The answer's text and the tool calls in what the model wrote, cut off or whole."""
        if self.form is not Form.CHOICE:
            return text.strip() if self.form is Form.TEXT else text, []
        try:
            value = json.loads(text)
        except ValueError:
            return "", self._cut_off(text)
        if "tool" in value:
            call = ToolCall(id=_new_id(), name=value["tool"], arguments=value["arguments"])
            return "", [call]
        answer = value["answer"]
        return (answer if self.answer_schema is None else json.dumps(answer)), []

    def _cut_off(self, text: str) -> list[ToolCall]:
        """The call that the limit of tokens cut off, for the loop to complain about."""
        for tool in self.tools:
            if text.replace(" ", "").startswith('{"tool":' + json.dumps(tool.name)):
                return [ToolCall(id=_new_id(), name=tool.name, raw_arguments=text)]
        return []


def choose(request: ModelRequest, *, small: bool) -> Choice:
    """What this request offers: tools by `tool_choice`, answers by `schema`.

    A small model goes on calling tools for ever, so after a result it may only answer, unless
    the request demands a call. It is also shown short forms of the tools (`shorten`).
    """
    schema = None if request.schema is None else simplify(request.schema)
    tools = _offered(request)
    words = words_of([one for one in request.messages if one.role != "system"]) if small else []
    schema = schema and in_words(schema, words)
    must = request.tool_choice not in ("auto", "none")
    if small and not must and request.messages and request.messages[-1].role == "tool":
        tools = []
    if not tools:
        return Choice(Form.TEXT if schema is None else Form.JSON, [], answer_schema=schema)
    shown = [
        ToolDefinition(
            tool.name,
            tool.description,
            in_words(shorten(tool.parameters), words) if small else whole(tool.parameters),
        )
        for tool in tools
    ]
    return Choice(Form.CHOICE, shown, answer=not must, answer_schema=schema)


def shorten(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters a small model is asked for, all of them required.

    These are the required ones and `input`; where a tool has neither, those without a stated
    default. Of several types the simplest is taken, texts and lists are bounded.
    """
    simple = whole(parameters)
    properties: dict[str, Any] = simple["properties"]
    stated = parameters.get("properties", {})
    names = [name for name in properties if name in simple["required"] or name == "input"]
    if not names:
        names = [name for name in properties if "default" not in stated.get(name, {})]
    made = {name: _bounded(_simplest(properties[name])) for name in names}
    return {
        "type": "object",
        "properties": made,
        "required": names,
        "additionalProperties": False,
    }


def _offered(request: ModelRequest) -> list[ToolDefinition]:
    wanted = request.tool_choice
    if wanted == "none":
        return []
    if wanted in ("auto", "required", "any"):
        return request.tools
    found = [tool for tool in request.tools if tool.name == wanted]
    if not found:
        raise ProviderError(
            f'tool_choice names "{wanted}", which is not among the tools',
            code="provider.invalid_request",
            hint=did_you_mean(wanted, [tool.name for tool in request.tools])
            or 'tool_choice is "auto", "none", "required" or the name of a tool',
        )
    return found


def whole(parameters: dict[str, Any]) -> dict[str, Any]:
    """All parameters, in a schema that llama.cpp can hold."""
    simple = simplify(parameters)
    simple.setdefault("type", "object")
    simple.setdefault("properties", {})
    simple.setdefault("required", [])
    simple.setdefault("additionalProperties", False)
    return simple


def _simplest(schema: dict[str, Any]) -> dict[str, Any]:
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    if options:
        scalar = (one for one in options if one.get("type") in _SCALARS)
        return _simplest(next(scalar, options[0]))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        named = [kind for kind in kinds if kind != "null"]
        return {**schema, "type": next((k for k in named if k in _SCALARS), named[0])}
    return schema


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    made = dict(schema)
    if made.get("type") == "string" and not {"enum", "const", "pattern", "format"} & set(made):
        made["maxLength"] = min(made.get("maxLength", _SMALL_STRING), _SMALL_STRING)
    if made.get("type") == "array":
        made["maxItems"] = min(made.get("maxItems", _SMALL_LIST), _SMALL_LIST)
        if isinstance(made.get("items"), dict):
            made["items"] = _bounded(made["items"])
    if isinstance(made.get("properties"), dict):
        made["properties"] = {key: _bounded(one) for key, one in made["properties"].items()}
    return made


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex[:12]}"

"""Structured output: the schema an answer must meet, and what is said when it does not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from llmspell_core.canonical import canonical_schema
from llmspell_core.provider import ToolDefinition
from llmspell_core.schema import check_schema, mistakes_text, schema_mistakes

if TYPE_CHECKING:
    from llmspell_agents.output_modes import Mode
    from llmspell_core.messages import ToolCall

#: The tool by which an answer is given in the mode `tool`.
FINAL_TOOL = "final_result"
#: Levels of an answer: what checks it and writes it down goes down level by level.
MAX_DEPTH = 100

_FENCE = re.compile(r"```(?:json)?[ \t\r]*\n(.*?)```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")
#: Places at which a value is looked for in an answer: a model may write nothing but brackets.
_MOST_STARTS = 10_000
#: What stays at the root of a schema when that is put into another one.
_DEFINITIONS = ("$defs", "definitions")
_ROOT_ONLY = frozenset({*_DEFINITIONS, "$schema", "$id"})

Mistakes = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """The JSON schema of an answer, and the mode in which the model is asked for it.

    Services and tools take objects only, so in the modes `native` and `tool` another kind of
    value is asked for under `value` of an object.
    """

    schema: dict[str, Any]
    mode: Mode
    #: Whether the value stands under `value` of an object.
    wrapped: bool
    #: What the provider is asked to hold; None where it is not.
    wire: dict[str, Any] | None
    #: The tool that gives the answer, in the mode `tool`.
    tool: ToolDefinition | None

    @classmethod
    def of(cls, given: dict[str, Any], mode: Mode) -> AnswerSchema:
        """From a JSON schema, or from the form of OpenAI's `response_format` around one."""
        given = canonical_schema(asked_schema(given))
        wrapped = mode in ("native", "tool") and given.get("type") != "object"
        shown = canonical_schema(_wrapped(given)) if wrapped else given
        tool = None
        if mode == "tool":
            about = given.get("description")
            text = f" {about}" if isinstance(about, str) else ""
            tool = ToolDefinition(
                FINAL_TOOL, f"Give the final answer, when everything is known.{text}", shown
            )
        return cls(given, mode, wrapped, shown if mode in ("native", "grammar") else None, tool)

    def instruction(self, *, known: bool = False) -> str:
        """What the prompt says; `known`: the provider itself shows the model a grammar's schema."""
        if self.mode == "tool":
            return f"Give the final answer by calling {FINAL_TOOL}."
        if self.mode == "native" or (self.mode == "grammar" and known):
            return ""
        text = json.dumps(self.schema, ensure_ascii=False)
        return (
            "Answer with one JSON value that is valid against this JSON schema, "
            f"and with nothing else:\n{text}"
        )

    def read(self, text: str) -> tuple[Any, Mistakes]:
        """(value, mistakes) of an answer; the value counts only without mistakes."""
        try:
            value = find_json(text)
        except ValueError:
            if self.schema.get("type") != "string" or self.mode != "prompted":
                return None, [{"field": "", "message": "the answer is no JSON"}]
            value = text.strip()
        return self._unwrapped(value)

    def read_call(self, call: ToolCall) -> tuple[Any, Mistakes]:
        """As `read`, of a call of the final tool."""
        if call.raw_arguments is not None:
            return None, [{"field": "", "message": "the arguments are no JSON object"}]
        return self._unwrapped(call.arguments)

    def complaint(self, mistakes: Mistakes) -> str:
        """The message to the model that asks for another answer, in the same mode."""
        again = (
            f"Call {FINAL_TOOL} again with the corrected arguments."
            if self.mode == "tool"
            else "Answer again with the corrected JSON only."
        )
        return f"That answer does not fit the required schema: {mistakes_text(mistakes)}. {again}"

    def text_of(self, value: Any, written: str | None) -> str:
        """The answer as text: a string itself, other values as JSON, as the model wrote it."""
        if isinstance(value, str):
            return value
        if written is not None and not self.wrapped:
            try:
                _loads(written)
            except ValueError:
                pass
            else:
                return written
        return json.dumps(value, ensure_ascii=False)

    @property
    def opens(self) -> str:
        """The brackets that the answer may begin with; what else it may be has no parts."""
        kind = "object" if self.wrapped else self.schema.get("type")
        if not isinstance(kind, str):
            return "{["
        return {"object": "{", "array": "["}.get(kind, "")

    def part(self, value: Any) -> tuple[bool, Any]:
        """(whether there is one, the partial value) of what was written so far."""
        if not self.wrapped:
            return True, value
        if isinstance(value, dict) and "value" in value:
            return True, value["value"]
        return False, None

    def check(self, value: Any) -> tuple[Any, Mistakes]:
        """As `read`, of a value itself."""
        if _is_deep(value):
            message = f"is nested deeper than {MAX_DEPTH} levels"
            return value, [{"field": "", "message": message}]
        return value, schema_mistakes(self.schema, value)

    def _unwrapped(self, value: Any) -> tuple[Any, Mistakes]:
        if self.wrapped and isinstance(value, dict) and set(value) == {"value"}:
            value = value["value"]
        return self.check(value)


def asked_schema(given: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema in a `response_format`. Raises `input.invalid` for one that is none."""
    inner = given.get("json_schema")
    if given.get("type") == "json_schema" and isinstance(inner, dict):
        given = inner.get("schema", inner)
    elif given.get("type") == "json_object":
        given = {"type": "object"}
    check_schema(given, "response_format")
    return given


def find_json(text: str) -> Any:
    """The JSON value in an answer: the whole of it, a fenced block, or the first that parses."""
    for candidate in (text, *(match[1] for match in _FENCE.finditer(text))):
        try:
            return _loads(candidate)
        except ValueError:
            continue
    for match in islice(_STARTS.finditer(text), _MOST_STARTS):
        try:
            return _DECODER.raw_decode(text, match.start())[0]
        except ValueError:
            continue
        except RecursionError:
            # The brackets after it are as deep, and each would be tried in vain.
            break
    raise ValueError("no JSON value")


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too deep") from None


def _is_deep(value: Any) -> bool:
    """Whether a value is too deep for what checks and writes it, level by level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of objects whose `value` has this schema."""
    inner = {key: part for key, part in schema.items() if key not in _ROOT_ONLY}
    # References are written from the root: the definitions stay there, the rest has moved.
    defs = {key: _moved(schema[key]) for key in _DEFINITIONS if key in schema}
    return {
        "type": "object",
        "properties": {"value": _moved(inner)},
        "required": ["value"],
        "additionalProperties": False,
        **defs,
    }


def _moved(node: Any) -> Any:
    if isinstance(node, list):
        return [_moved(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _reference(one) if key == "$ref" and isinstance(one, str) else _moved(one)
        for key, one in node.items()
    }


def _reference(target: str) -> str:
    stays = target.startswith(tuple(f"#/{name}/" for name in _DEFINITIONS))
    if stays or (target != "#" and not target.startswith("#/")):
        return target
    return f"#/properties/value{target[1:]}"

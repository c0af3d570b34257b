"""Structured output: the schema an answer must meet, and what is said when it does not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from llmspell_core.canonical import canonical_schema
from llmspell_core.schema import check_schema, mistakes_text, schema_mistakes

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")


@dataclass(frozen=True, slots=True)
class AnswerSchema:
    """The JSON schema of an answer.

    `native`: the provider constrains the model to it; else the schema is part of the prompt.
    Services constrain objects only, so another kind of value is asked for inside of one.
    """

    schema: dict[str, Any]
    native: bool

    @classmethod
    def of(cls, given: dict[str, Any], *, native: bool) -> AnswerSchema:
        """From a JSON schema, or from the form of OpenAI's `response_format` around one."""
        inner = given.get("json_schema")
        if given.get("type") == "json_schema" and isinstance(inner, dict):
            given = inner.get("schema", inner)
        elif given.get("type") == "json_object":
            given = {"type": "object"}
        check_schema(given, "response_format")
        return cls(canonical_schema(given), native)

    @property
    def wrapped(self) -> bool:
        """Whether the value stands under `value` of an object."""
        return self.native and self.schema.get("type") != "object"

    @property
    def wire(self) -> dict[str, Any] | None:
        """What the provider is asked to hold; None when the prompt asks for it."""
        if not self.native:
            return None
        if not self.wrapped:
            return self.schema
        # References are written from the root, so the definitions stay there.
        inner = {k: v for k, v in self.schema.items() if k not in ("$defs", "definitions")}
        defs = {k: v for k, v in self.schema.items() if k in ("$defs", "definitions")}
        return {
            "type": "object",
            "properties": {"value": inner},
            "required": ["value"],
            "additionalProperties": False,
            **defs,
        }

    @property
    def instruction(self) -> str:
        """What the prompt says where the provider cannot hold the schema."""
        if self.native:
            return ""
        text = json.dumps(self.schema, ensure_ascii=False)
        return (
            "Answer with one JSON value that is valid against this JSON schema, "
            f"and with nothing else:\n{text}"
        )

    def read(self, text: str) -> tuple[Any, list[dict[str, str]]]:
        """(value, mistakes) of an answer; the value counts only without mistakes."""
        try:
            value = find_json(text)
        except ValueError:
            if self.schema.get("type") != "string" or self.wrapped:
                return None, [{"field": "", "message": "the answer is no JSON"}]
            value = text.strip()
        if self.wrapped and isinstance(value, dict) and set(value) == {"value"}:
            value = value["value"]
        return value, schema_mistakes(self.schema, value)

    def complaint(self, mistakes: list[dict[str, str]]) -> str:
        """The message to the model that asks for another answer."""
        return (
            f"That answer does not fit the required schema: {mistakes_text(mistakes)}. "
            "Answer again with the corrected JSON only."
        )


def find_json(text: str) -> Any:
    """The JSON value in an answer: the whole of it, a fenced block, or the first that parses."""
    for candidate in (text, *(match[1] for match in _FENCE.finditer(text))):
        try:
            return json.loads(candidate)
        except ValueError:
            continue
    decoder = json.JSONDecoder()
    for match in _STARTS.finditer(text):
        try:
            return decoder.raw_decode(text, match.start())[0]
        except ValueError:
            continue
    raise ValueError("no JSON value")

"""The JSON schema of agent files, for editors."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from llmspell_agents.templates.model import AgentTemplate
from llmspell_core.guardrail import PLACES


class _OfData(GenerateJsonSchema):
    """Without the fields that are functions: a file has none."""

    def function_plain_schema(
        self, schema: core_schema.PlainValidatorFunctionSchema
    ) -> JsonSchemaValue:
        raise PydanticOmit


#: A guardrail of a file; what else it may have is for the guardrail to say.
_GUARD = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "of a built-in one, or how it is called"},
        "agent": {"type": "string", "description": "the agent that judges"},
        "timeout_ms": {"type": "number", "exclusiveMinimum": 0},
        "tools": {"type": "array", "items": {"type": "string"}},
    },
    "anyOf": [{"required": ["name"]}, {"required": ["agent"]}],
}


def agent_schema() -> dict[str, Any]:
    """What an agent file may hold (entry-point group ``llmspell.schemas``)."""
    made = AgentTemplate.model_json_schema(schema_generator=_OfData)
    properties = {
        name: {key: value for key, value in spec.items() if key != "title"}
        for name, spec in made["properties"].items()
    }
    for alias, name in AgentTemplate.aliases.items():
        if name in properties:
            properties[alias] = {**properties[name], "description": f"the same as {name}"}
    _as_read(properties, made["$defs"])
    properties["tools"]["items"] = properties["tools_add"]["items"] = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An agent of llmspell",
        "description": "*.agent.yaml, *.agent.toml, *.agent.json, or the front of *.agent.md",
        "type": "object",
        "additionalProperties": False,
        "properties": {"$schema": {"type": "string"}, **properties},
        "$defs": made.get("$defs", {}),
    }


def _as_read(properties: dict[str, Any], definitions: dict[str, Any]) -> None:
    """What a name alone may stand for, which the validators of these fields read first."""
    text = {"type": "string"}
    properties["model"]["anyOf"].insert(0, text)
    peer = definitions["Handoff"]
    peer["properties"] = {"agent": {**text, "description": "its name"}, **peer["properties"]}
    peer["required"] = ["agent"]
    guards = definitions["Guardrails"]["properties"]
    for place in PLACES:
        entry = {"anyOf": [text, _GUARD]}
        guards[place] = {"anyOf": [*entry["anyOf"], {"type": "array", "items": entry}]}
    properties["handoffs"]["items"] = {"anyOf": [text, {"$ref": "#/$defs/Handoff"}]}

"""`ScriptModel`: the pydantic base of every table that a script passes (agent and tool configs).

Fields are declared once in snake_case. A script may write them in camelCase or by an alias;
both at once, an unknown name and a wrong type are errors that name the field.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from llmspell_core.errors import did_you_mean


def to_snake(name: str) -> str:
    """`systemPrompt` -> `system_prompt`; what is snake_case already stays."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


class ScriptModel(BaseModel):
    """A declared table. `aliases` maps other accepted names to the field they stand for."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, defer_build=True, populate_by_name=True
    )
    aliases: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _spelling(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = cls.model_fields
        found: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for key, value in data.items():
            if not isinstance(key, str):
                raise PydanticCustomError("field_name", "field names are strings")
            name = key
            if name not in known:
                snake = to_snake(name)
                name = cls.aliases.get(name) or cls.aliases.get(snake) or snake
            if name not in known:
                if cls.model_config.get("extra") == "allow":
                    name = key
                else:
                    names = [field.alias or name for name, field in known.items()]
                    near = did_you_mean(key, [*names, *cls.aliases])
                    raise PydanticCustomError(
                        "unknown_field",
                        'unknown field "{field}"{near}',
                        {"field": key, "near": f", {near}" if near else ""},
                    )
            if name in found:
                raise PydanticCustomError(
                    "both_spellings",
                    '"{a}" and "{b}" are the same field: give one',
                    {"a": origin[name], "b": key},
                )
            found[name], origin[name] = value, key
        # By the alias: mistakes then name `schema`, not the `schema_` that Python needs.
        return {(known[n].alias or n) if n in known else n: v for n, v in found.items()}

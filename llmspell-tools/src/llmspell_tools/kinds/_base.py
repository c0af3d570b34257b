"""What the kinds of described tools share: names, parameters and `{{placeholders}}`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic import Field

from llmspell_core.schema import short_form
from llmspell_core.script.model import ScriptModel
from llmspell_core.tool import Level, Tool, as_text
from llmspell_core.tool_cache import CacheField, ToolCache
from llmspell_tools.script_tool import checked, schema_of, tool_name

_PLACEHOLDER = re.compile(r"\{\{\s*([\w-]+)\s*\}\}|\{([A-Za-z_][\w-]*)\}")


class DescribedConfig(ScriptModel):
    """The fields that all kinds have."""

    name: str = Field(description="the tool's name, kebab-case")
    description: str = Field("", description="what it does, for people and models")
    parameters: dict[str, Any] | None = Field(
        None,
        description='a JSON schema, or {field = "string"}; left out, the {{names}} in the '
        "description's texts, all required strings",
    )
    timeout_ms: float = Field(30_000, gt=0, description="how long a call may take")
    requires_approval: bool = Field(False, description="a person is asked before each call")
    cache: CacheField = Field(
        None, description="earlier results are given again: true, seconds, or a table"
    )


class DescribedTool(Tool):
    """A tool made from a description. `texts` are searched for the names of parameters."""

    def __init__(
        self,
        config: DescribedConfig,
        level: Level,
        texts: list[Any],
        own: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(tool_name(config.name), config.description)
        self.security_level = level
        self.timeout_ms = config.timeout_ms
        self.requires_approval = config.requires_approval
        self.cache = ToolCache.of(config.cache)
        given = config.parameters
        if given is None:
            given = dict.fromkeys(placeholders(texts), "string")
        self._schema = schema_of(_with_own(given, own or {}), f"tool {self.name}: parameters")

    def schema(self) -> dict[str, Any]:
        return self._schema

    def validate(self, params: dict[str, Any]) -> dict[str, Any]:
        return checked(self.name, self._schema, params)


def _with_own(given: dict[str, Any], own: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The declared parameters and those that the kind has anyway."""
    if given.get("type") != "object":
        return {**own, **given}
    made = short_form(own)
    properties = {**made["properties"], **given.get("properties", {})}
    required = [*made["required"], *given.get("required", [])] if own else given.get("required", [])
    return {**given, "properties": properties, "required": list(dict.fromkeys(required))}


def placeholders(value: Any) -> list[str]:
    """The names in the texts of a value, each once, in order."""
    if isinstance(value, str):
        return list(dict.fromkeys(a or b for a, b in _PLACEHOLDER.findall(value)))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for one in inner for name in placeholders(one)))


def fill(value: Any, params: dict[str, Any], quote: Callable[[str], str] = str) -> Any:
    """A value with its placeholders filled in; one that is alone in its text keeps its type."""
    if isinstance(value, dict):
        return {key: fill(one, params, quote) for key, one in value.items()}
    if isinstance(value, list):
        return [fill(one, params, quote) for one in value]
    if not isinstance(value, str):
        return value
    alone = _PLACEHOLDER.fullmatch(value)
    if alone and quote is str:
        return params.get(alone[1] or alone[2])
    return fill_text(value, params, quote)


def fill_text(text: str, params: dict[str, Any], quote: Callable[[str], str] = str) -> str:
    """A text with its placeholders filled in; what has no value is empty."""

    def put(found: re.Match[str]) -> str:
        return quote(as_text(params.get(found[1] or found[2])))

    return _PLACEHOLDER.sub(put, text)

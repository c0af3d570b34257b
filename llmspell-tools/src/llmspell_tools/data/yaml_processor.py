"""The tool `yaml-processor`: reads, writes, validates and converts YAML."""

from __future__ import annotations

from typing import ClassVar

from llmspell_tools.data._format_tool import FormatParameters, FormatTool


class YamlParameters(FormatParameters):
    """A YAML text or a value and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {**FormatParameters.aliases, "yaml": "input"}


class YamlProcessor(FormatTool):
    """Reads, writes, validates and converts YAML 1.2."""

    name = "yaml-processor"
    description = (
        "Works on YAML 1.2: parse a text to its value (several documents to a list), write a "
        "value, validate a text, or convert between YAML, JSON, TOML and XML."
    )
    style = "yaml"
    Parameters = YamlParameters
    examples = (
        ({"input": "name: Ada\ntags: [a, b]\n"}, '{"name": "Ada", "tags": ["a", "b"]}'),
        (
            {"operation": "generate", "input": {"name": "Ada", "tags": ["a", "b"]}},
            "name: Ada\ntags:\n- a\n- b\n",
        ),
        ({"operation": "validate", "input": "a: ["}, "invalid, with line and column"),
        (
            {"operation": "convert", "input": "a:\n  b: 1\n", "target_format": "toml"},
            "[a]\nb = 1\n",
        ),
    )

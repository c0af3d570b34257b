"""The tool `toml-processor`: reads, writes, validates and converts TOML."""

from __future__ import annotations

from typing import ClassVar

from llmspell_tools.data._format_tool import FormatParameters, FormatTool


class TomlParameters(FormatParameters):
    """A TOML text or a table and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {**FormatParameters.aliases, "toml": "input"}


class TomlProcessor(FormatTool):
    """Reads, writes, validates and converts TOML 1.0."""

    name = "toml-processor"
    description = (
        "Works on TOML: parse a text to its table, write a table, validate a text, or convert "
        "between TOML, JSON, YAML and XML."
    )
    style = "toml"
    Parameters = TomlParameters
    examples = (
        ({"input": 'title = "x"\n[owner]\nage = 3\n'}, '{"title": "x", "owner": {"age": 3}}'),
        (
            {"operation": "generate", "input": {"a": {"b": [1, 2]}}},
            "[a]\nb = [\n    1,\n    2,\n]\n",
        ),
        ({"operation": "validate", "input": "a = "}, "invalid, with line and column"),
        (
            {"operation": "convert", "input": "[a]\nb = 1979-05-27\n", "to": "yaml"},
            "a:\n  b: 1979-05-27\n",
        ),
    )

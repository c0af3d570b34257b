"""Texts of YAML, TOML, XML and JSON into one another; runs in a helper where it may take long."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_tools._bounded import mistake
from llmspell_tools.data._plain import Plain

MAX_SIZE = 16 * 1024 * 1024
_DATES = (datetime, date, time)


def parse(tool: str, style: str, text: str) -> str:
    """The value of a text, as JSON."""
    value = _read(tool, style, text)
    try:
        return json.dumps(Plain(tool)(value) if style in ("yaml", "toml") else value)
    except ValueError:
        # Python prints no integers beyond some thousand digits.
        raise mistake(tool, "input", "has a number that is too large") from None


def validate(tool: str, style: str, text: str, schema: str | None) -> str:
    """Whether a text is of its format, and whether its value fits a JSON schema: `{"errors"}`."""
    try:
        document = parse(tool, style, text)
    except ValidationError as error:
        message = error.details["errors"][0]["message"]
        return json.dumps({"errors": [{"path": "", "message": message}]})
    if schema is None:
        return json.dumps({"errors": []})
    from llmspell_tools.data._schema import mistakes

    return mistakes(schema, document)


def generate(tool: str, style: str, document: str, options: dict[str, Any]) -> str:
    """The text of a JSON document in a format."""
    return _written(tool, style, json.loads(document), options)


def convert(tool: str, source: str, target: str, text: str, options: dict[str, Any]) -> str:
    """A text of one format as a text of another; dates stay dates where both have them."""
    keep: tuple[type, ...] = {"yaml": (datetime, date), "toml": _DATES}.get(target, ())
    if source in ("yaml", "toml") and target in ("yaml", "toml"):
        keep = (*keep, float)
    value = _read(tool, source, text)
    if source in ("yaml", "toml"):
        value = Plain(tool, keep=keep)(value)
    return _written(tool, target, value, options)


def _read(tool: str, style: str, text: str) -> Any:
    if style == "yaml":
        from llmspell_tools.data._yaml import read as read_yaml

        return _named(tool, read_yaml, text)
    if style == "toml":
        from llmspell_tools.data._toml import read as read_toml

        return _named(tool, read_toml, text)
    if style == "xml":
        from llmspell_tools.data._xml import read as read_xml

        return _named(tool, read_xml, text)
    return _read_json(tool, text)


def _read_json(tool: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise mistake(tool, "input", f"is no JSON: {where}") from None
    except RecursionError:
        raise LimitError(f"{tool}: input is nested too deep", code="limit.value_depth") from None
    except ValueError as error:
        raise mistake(tool, "input", f"is no JSON: {error}") from None


def _written(tool: str, style: str, value: Any, options: dict[str, Any]) -> str:
    sort_keys, pretty = options.get("sort_keys", False), options.get("pretty", True)
    if style == "yaml":
        from llmspell_tools.data._yaml import write as write_yaml

        text: str = _named(tool, write_yaml, value, sort_keys=sort_keys, flow=not pretty)
    elif style == "toml":
        from llmspell_tools.data._toml import write as write_toml

        text = _named(tool, write_toml, value, sort_keys=sort_keys)
    elif style == "xml":
        from llmspell_tools.data._xml import write as write_xml

        text = _named(tool, write_xml, value, root=options.get("root"), pretty=pretty)
    else:
        text = json.dumps(
            value, ensure_ascii=False, sort_keys=sort_keys, indent=2 if pretty else None
        )
    if len(text) > MAX_SIZE:
        raise LimitError(f"{tool}: the result is larger than 16 MiB", code="limit.value")
    return text


def _named(tool: str, function: Any, *args: Any, **options: Any) -> Any:
    """Call a reader or writer of another tool's format: its errors name this tool."""
    try:
        return function(*args, **options)
    except LLMSpellError as error:
        _, _, rest = error.message.partition(": ")
        error.message = f"{tool}: {rest}"
        error.args = (error.message,)
        raise

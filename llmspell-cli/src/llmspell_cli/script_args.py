"""A script's arguments: by position, and by name (`--name v`, `--name=v`, `--param name=v`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from llmspell_core.json_text import read_json


def split_arguments(words: list[str]) -> tuple[list[str], dict[str, Any]]:
    """(positional, named). Hyphens stay as typed; a lone `--flag` is true; `--` ends names."""
    positional: list[str] = []
    named: dict[str, Any] = {}
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--":
            positional += words[index:]
            break
        if not word.startswith("--"):
            positional.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        if not equals and index < len(words) and not words[index].startswith("--"):
            value, equals = words[index], "="
            index += 1
        if name == "param" and equals:
            name, equals, value = value.partition("=")
        named[name] = value if equals else True
    return positional, named


def parse_params(pairs: tuple[str, ...], file: Path | None = None) -> dict[str, Any]:
    """`--param K=V` and `--params-file F` (a JSON object); values stay text."""
    found: dict[str, Any] = {}
    if file is not None:
        try:
            data = read_json(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise click.UsageError(f"--params-file {file}: {error.strerror}") from None
        except ValueError as error:
            raise click.UsageError(f"--params-file {file} is not JSON: {error}") from None
        if not isinstance(data, dict):
            raise click.UsageError(f"--params-file {file}: a JSON object is expected")
        found.update(data)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f'--param takes NAME=VALUE, not "{pair}"')
        found[name] = value
    return found


def typed_params(params: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Text from the command line in the types that a tool's schema asks for.

    Where a text is as good as a list or an object, one that is JSON of these becomes that.
    """
    properties = schema.get("properties", {})
    return {name: _typed(value, properties.get(name, {})) for name, value in params.items()}


def _typed(value: Any, schema: dict[str, Any]) -> Any:
    if not isinstance(value, str):
        return value
    kinds = set(_kinds(schema))
    try:
        read = read_json(value)
    except ValueError:
        return value
    if "string" not in kinds:
        return read
    fits = isinstance(read, list) and "array" in kinds and _strings(read, schema)
    return read if fits or (isinstance(read, dict) and "object" in kinds) else value


def _kinds(schema: dict[str, Any]) -> Iterator[str | None]:
    """The types of a schema and of its alternatives."""
    for one in (schema, *schema.get("anyOf", ())):
        kind = one.get("type") if isinstance(one, dict) else None
        yield from kind if isinstance(kind, list) else [kind]


def _strings(values: list[Any], schema: dict[str, Any]) -> bool:
    """Whether a list has the texts that are asked for, where only texts are."""
    lists = [one for one in (schema, *schema.get("anyOf", ())) if one.get("type") == "array"]
    if all(one.get("items", {}).get("type") == "string" for one in lists) and lists:
        return all(isinstance(one, str) for one in values)
    return True

"""Layers that are no files: variables of the environment and options of the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llmspell_core.config.files import toml_keys
from llmspell_core.config.layers import Keys, Layer, nested
from llmspell_core.config.mistakes import Mistake
from llmspell_core.config.settings import SECTIONS

_PREFIX = "LLMSPELL_"


def variables(
    env: Mapping[str, str], below: Mapping[str, Any], cwd: Path, mistakes: list[Mistake]
) -> Layer | None:
    """`LLMSPELL_SECTION__KEY` variables. Names that `below` has are found whatever their case."""
    values: dict[Keys, Any] = {}
    names: dict[Keys, str] = {}
    for name in sorted(env):
        if not name.upper().startswith(_PREFIX) or "__" not in name:
            continue
        path = _known_spelling(name[len(_PREFIX) :].split("__"), below)
        names[path] = name
        if path[1:] == () or not all(path):
            mistakes.append(Mistake((), "is no key: LLMSPELL_SECTION__KEY", where=name))
            continue
        values[path] = parse_text(env[name], path)
    if not values:
        return None
    return Layer("env", "environment", nested(values), cwd, names=names)


def environment_name(env: Mapping[str, str], cwd: Path) -> Layer | None:
    """`LLMSPELL_ENV`, which is short for LLMSPELL_SYSTEM__ENVIRONMENT."""
    name = env.get("LLMSPELL_ENV")
    if not name:
        return None
    names: dict[Keys, str] = {("system", "environment"): "LLMSPELL_ENV"}
    return Layer("env", "LLMSPELL_ENV", {"system": {"environment": name}}, cwd, names=names)


def options(
    overrides: Iterable[str], profile: str | None, cwd: Path, mistakes: list[Mistake]
) -> Layer | None:
    """`--set section.key=value` options and `--profile`."""
    values: dict[Keys, Any] = {}
    names: dict[Keys, str] = {}
    for text in overrides:
        name, equals, value = _halves(text)
        path = tuple(toml_keys(name))
        if not equals or path[1:] == ():
            mistakes.append(
                Mistake((), f'"{text}" is not section.key=value', where=f"--set {text}")
            )
            continue
        values[path] = parse_text(value.strip(), path)
        names[path] = f"--set {name.strip()}"
    if profile:
        values["security", "profile"] = profile
        names["security", "profile"] = "--profile"
    if not values:
        return None
    return Layer("set", "--set", nested(values), cwd, names=names)


def parse_text(text: str, path: Keys) -> Any:
    """A value written as text: JSON where it parses, except where the key holds text."""
    from llmspell_core.config.schema import find, is_text

    found = find(path)
    if found is not None and is_text(found[1]):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _halves(text: str) -> tuple[str, str, str]:
    """The key, "=" and the value; an equals sign inside a quoted part belongs to the key."""
    quote = ""
    for number, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "=":
            return text[:number], "=", text[number + 1 :]
    return text, "", ""


def _known_spelling(parts: list[str], below: Mapping[str, Any]) -> Keys:
    """Variables are written in capitals without hyphens: find the name that is meant."""
    path: list[str] = []
    inner: Any = {**dict.fromkeys(SECTIONS), **below}
    for part in parts:
        plain = part.lower()
        near = inner if isinstance(inner, Mapping) else {}
        name = next((key for key in near if _same(key, plain)), plain)
        path.append(name)
        inner = near.get(name)
    return tuple(path)


def _same(key: str, plain: str) -> bool:
    return key.lower().replace("-", "_").replace(".", "_") == plain

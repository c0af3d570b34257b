"""Finding and reading configuration files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmspell_core.config.mistakes import ConfigMistakes, Mistake

SUFFIXES = (".toml", ".yaml", ".yml", ".json")
_MOST_BYTES = 1024 * 1024


def project_file(start: Path, home: Path | None) -> Path | None:
    """The nearest `llmspell.toml` (or .yaml, .yml, .json) from a folder upwards.

    The search ends at the root of the repository or the home directory, both included.
    """
    for folder in (start, *start.parents):
        if found := in_folder(folder, "llmspell"):
            return found
        if folder == home or (folder / ".git").exists():
            return None
    return None


def in_folder(folder: Path, name: str) -> Path | None:
    """`NAME.toml` of a folder, else `.yaml`, `.yml` or `.json`; None when there is none."""
    return next((one for s in SUFFIXES if (one := folder / f"{name}{s}").is_file()), None)


def label(path: Path, cwd: Path) -> str:
    """How messages name a file: relative to the working directory where it is inside."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)


def read(path: Path, name: str) -> tuple[dict[str, Any], str]:
    """A file's data and its text; `ConfigMistakes` names the line of what cannot be parsed."""
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= _MOST_BYTES else b""
    except OSError as error:
        raise _mistake(name, f"cannot be read: {error.strerror or error}") from None
    if size > _MOST_BYTES:
        raise _mistake(name, "is over 1 MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _mistake(f"{name}:{raw.count(10, 0, error.start) + 1}", "is not UTF-8 text") from None
    try:
        data = parse(text, path.suffix, name)
    except RecursionError:
        raise _mistake(name, "is nested too deep") from None
    if not isinstance(data, dict):
        raise _mistake(name, "is not a table")
    return _plain(data), text


def parse(text: str, suffix: str, name: str) -> Any:
    """The data in a text of this kind of file."""
    if suffix == ".json":
        return _json(text, name)
    if suffix in {".yaml", ".yml"}:
        return _yaml(text, name)
    import tomllib

    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        at = int(line[1]) if line else len(text.rstrip().splitlines()) or 1
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise _mistake(f"{name}:{at}", f"invalid TOML: {what[:1].lower()}{what[1:]}") from None


def _json(text: str, name: str) -> Any:
    import json

    try:
        return json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise _mistake(f"{name}:{error.lineno}", f"invalid JSON: {error.msg.lower()}") from None


def _yaml(text: str, name: str) -> Any:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ImportError:
        raise _mistake(
            name,
            "YAML files need the extra `yaml`",
            "install it with:  pip install 'llmspell[yaml]'",
        ) from None
    try:
        return YAML(typ="safe", pure=True).load(text) or {}
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _mistake(f"{name}:{line}", f"invalid YAML: {error.problem}") from None
    except YAMLError as error:
        raise _mistake(name, f"invalid YAML: {error}") from None


def _mistake(where: str, message: str, hint: str | None = None) -> ConfigMistakes:
    return ConfigMistakes([Mistake((), message, hint, where)])


def _plain(value: Any) -> Any:
    """Data with text for dates and for keys: what JSON can hold."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return value


def toml_keys(text: str) -> Iterator[str]:
    """The parts of a dotted key as TOML writes it: `prices."a/b".input`."""
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([^.\s"\']+)', text):
        yield next(part for part in match.groups() if part is not None)

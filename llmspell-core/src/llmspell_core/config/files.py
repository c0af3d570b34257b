"""Finding and reading configuration files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmspell_core.config import bounded
from llmspell_core.config.mistakes import ConfigMistakes, Mistake

SUFFIXES = (".toml", ".yaml", ".yml", ".json")

#: Its parser takes a hundred times longer than TOML's.
_MOST_YAML = 128 * 1024


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
    """A file's data and its text; `ConfigMistakes` names the line of what cannot be used."""
    try:
        raw = _bytes(path)
    except OSError as error:
        raise _mistake(name, f"cannot be read: {error.strerror or error}") from None
    if len(raw) > bounded.MOST_BYTES:
        raise _mistake(name, "is over 1 MiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _mistake(f"{name}:{raw.count(10, 0, error.start) + 1}", "is not UTF-8 text") from None
    data = parse(text, path.suffix, name)
    if not isinstance(data, dict):
        raise _mistake(name, "is not a table")
    try:
        return bounded.plain(data), text
    except bounded.OutOfBoundsError as error:
        from llmspell_core.config.locate import line_of

        line = line_of(text, error.path, path.suffix) if error.path else None
        where = f"{name}:{line}" if line else name
        raise ConfigMistakes([Mistake(error.path, error.message, None, where)]) from None


def _bytes(path: Path) -> bytes:
    """As much of a file as a configuration may have and one byte more. A pipe is no file."""
    # What was a file when it was found may be a pipe now: opening one would wait.
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no file")
        return file.read(bounded.MOST_BYTES + 1)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse(text: str, suffix: str, name: str) -> Any:
    """The data in a text of this kind of file. Raises `ConfigMistakes` with the line."""
    read = {".json": _json, ".yaml": _yaml, ".yml": _yaml}.get(suffix, _toml)
    try:
        return read(text, name)
    except RecursionError:
        raise _mistake(name, "is nested too deep") from None


def _toml(text: str, name: str) -> Any:
    import tomllib

    if long := bounded.line_of_long_key(text):
        raise _mistake(f"{name}:{long}", f"a key has more than {bounded.MOST_DEPTH} parts")
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        at = int(line[1]) if line else len(text.rstrip().splitlines()) or 1
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise _mistake(f"{name}:{at}", f"invalid TOML: {what[:1].lower()}{what[1:]}") from None
    except ValueError:
        # Python reads no decimal number of thousands of digits.
        raise _mistake(name, "invalid TOML: a number is too long") from None


def _json(text: str, name: str) -> Any:
    import json

    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                twice.append(key)
            found[key] = value
        return found

    try:
        data = json.loads(text, object_pairs_hook=once) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise _mistake(f"{name}:{error.lineno}", f"invalid JSON: {error.msg.lower()}") from None
    except ValueError:
        raise _mistake(name, "invalid JSON: a number is too long") from None
    if twice:
        from llmspell_core.config.locate import line_of_second

        line = line_of_second(text, twice[0])
        key = json.dumps(twice[0][:80])
        raise _mistake(f"{name}:{line}", f"invalid JSON: a table has the key {key} twice")
    return data


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
    if len(text) > _MOST_YAML:
        raise _mistake(name, "is over 128 KiB, the most that is read of YAML")
    try:
        _bound_references(YAML(typ="safe", pure=True).compose(text), name)
        data = YAML(typ="safe", pure=True).load(text)
        return {} if data is None else data
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _mistake(f"{name}:{line}", f"invalid YAML: {error.problem}") from None
    except YAMLError as error:
        raise _mistake(name, f"invalid YAML: {error}") from None


def _bound_references(root: Any, name: str) -> None:
    """Refuse what grows without bound, or for ever, when its references are followed."""
    sizes: dict[int, int] = {}

    def size(node: Any, around: frozenset[int]) -> int:
        if id(node) in around:
            raise _mistake(f"{name}:{node.start_mark.line + 1}", "refers to itself")
        if id(node) not in sizes:
            inner = node.value if node.id in {"mapping", "sequence"} else []
            parts = [one for pair in inner for one in (pair if node.id == "mapping" else [pair])]
            below = around | {id(node)}
            sizes[id(node)] = 1 + sum(size(one, below) for one in parts)
        return sizes[id(node)]

    if root is not None and size(root, frozenset()) > 2 * bounded.MOST_VALUES:
        raise _mistake(name, f"has more than {bounded.MOST_VALUES:,} values")


def _mistake(where: str, message: str, hint: str | None = None) -> ConfigMistakes:
    return ConfigMistakes([Mistake((), message, hint, where)])


def toml_keys(text: str) -> Iterator[str]:
    """The parts of a dotted key as TOML writes it: `prices."a/b".input`."""
    for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([^.\s"\']+)', text):
        yield next(part for part in match.groups() if part is not None)

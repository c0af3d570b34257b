"""Writes a project from the template files in `templates/`: names and texts filled in.

A template's name ends in `.tmpl`. In its path `__module__` and `__name__` stand for names and
`dot_x` for `.x`; in its text `%%{name}` stands for a value.
"""

from __future__ import annotations

import keyword
import re
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import click

from llmspell_cli.look import say
from llmspell_cli.version import VERSION
from llmspell_core.errors import ValidationError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MAX_NAME = 30
SUFFIX = ".tmpl"
#: What would be called like one of ours.
_OURS = {
    "a2a", "agents", "bridge", "cli", "core", "duktape", "durable", "js", "library", "litellm",
    "local", "lua", "mcp", "serve", "tools", "workflows",
}  # fmt: skip
ABOUT = "about.md"


class Text(string.Template):
    """A template's text: `%%{name}`, since `$` and `{{` mean something in what is written."""

    delimiter = "%%"


def names_of(name: str) -> dict[str, str]:
    """The spellings of a plugin's name; `input.invalid` where it is none.

    Args:
        name: in kebab-case, like `word-count`
    """
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValidationError(
            f'"{name[:80]}" is no name for a plugin',
            hint=f"small letters, digits and hyphens, at most {MAX_NAME}: word-count",
        )
    if name in _OURS:
        raise ValidationError(
            f"llmspell-{name} is a distribution of llmspell itself", hint="name it otherwise"
        )
    function = name.replace("-", "_")
    if keyword.iskeyword(function) or keyword.issoftkeyword(function):
        function += "_"
    return {
        "name": name,
        "distribution": f"llmspell-{name}",
        "module": f"llmspell_{name.replace('-', '_')}",
        "function": function,
        "class": "".join(part.capitalize() for part in name.split("-")),
        "variable": name.replace("-", "_").upper(),
        "extension": name.replace("-", ""),
        "pattern": name.replace("-", "%-"),
        "year": str(datetime.now(UTC).year),
    }


def core_requirement(extra: str = "") -> str:
    """What a plugin asks of llmspell-core: this version or a later one that is compatible."""
    return requirement(f"llmspell-core[{extra}]" if extra else "llmspell-core")


def requirement(distribution: str) -> str:
    """This version of one of our distributions, or a later one that is compatible."""
    major, minor, *_ = map(int, VERSION.split(".")[:2])
    top = f"{major}.{minor + 1}" if major == 0 else f"{major + 1}"
    return f"{distribution}>={major}.{minor},<{top}"


def about(*folders: str, values: Mapping[str, str]) -> str:
    """The part of the README that belongs to one kind, or nothing."""
    file = _templates(*folders) / ABOUT
    return _filled(file.read_text("utf-8"), values, ABOUT) if file.is_file() else ""


def write(target: Path, folders: list[tuple[str, ...]], values: Mapping[str, str]) -> list[Path]:
    """Write the templates of these folders, the later ones over the earlier; the files written.

    Args:
        target: the project's folder, which must not be there or be empty
        folders: below `templates/`, as parts of their paths
        values: for `%%{name}`
    """
    files: dict[PurePosixPath, str] = {}
    for parts in folders:
        files.update(_rendered(_templates(*parts), PurePosixPath(), values))
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise click.UsageError(f"{target} is already there\nname another folder with --dir")
        for path, text in files.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"cannot write {target}: {error.strerror or error}") from None
    return [target / path for path in sorted(files)]


def told(written: list[Path], then: str) -> None:
    """Name the files on stdout, and what to do next on stderr."""
    for path in written:
        click.echo(str(path))
    say(then)


def _templates(*parts: str) -> Traversable:
    return resources.files("llmspell_cli").joinpath("templates", *parts)


def _rendered(
    folder: Traversable, at: PurePosixPath, values: Mapping[str, str]
) -> dict[PurePosixPath, str]:
    found: dict[PurePosixPath, str] = {}
    for one in folder.iterdir():
        path = at / _named(one.name, values)
        if one.is_dir():
            found.update(_rendered(one, path, values))
        elif one.name.endswith(SUFFIX):
            text = _filled(one.read_text("utf-8"), values, one.name)
            found[path.with_name(path.name.removesuffix(SUFFIX))] = text
        elif one.name != ABOUT:
            found[path] = one.read_text("utf-8")
    return found


def _named(name: str, values: Mapping[str, str]) -> str:
    for key in ("module", "name"):
        name = name.replace(f"__{key}__", values[key])
    return f".{name.removeprefix('dot_')}" if name.startswith("dot_") else name


def _filled(text: str, values: Mapping[str, str], name: str) -> str:
    try:
        return Text(text).substitute(values)
    except (KeyError, ValueError) as error:
        raise RuntimeError(f"the template {name}: {error}") from None

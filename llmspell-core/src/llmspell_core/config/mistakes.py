"""Mistakes in a configuration, in a user's words, and the error that lists all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ConfigError, did_you_mean
from llmspell_core.records import Record

if TYPE_CHECKING:
    from pydantic import ValidationError

    from llmspell_core.records import Key

Path = tuple[str, ...]

MOST_SHOWN = 100
#: So much of a key is shown.
_MOST_KEY = 80


class Mistake(Record):
    """One thing that is wrong: the key, what is wrong with it, and what to do."""

    path: Path
    message: str
    hint: str | None = None
    #: `llmspell.toml:3`, `LLMSPELL_SYSTEM__LOG_LEVEL`, `--set`; "" where only data was given.
    where: str = ""

    def as_dict(self) -> dict[str, Any]:
        """`{where, key, message, hint}`, without what is empty."""
        found = {
            "where": self.where,
            "key": shown(self.path),
            "message": self.message,
            "hint": self.hint,
        }
        return {name: value for name, value in found.items() if value}

    def __str__(self) -> str:
        name = shown(self.path)
        text = f"{name}: {self.message}" if name else self.message
        if self.hint:
            text += f", {self.hint}"
        return f"{self.where}   {text}" if self.where else text


class ConfigMistakes(ConfigError):  # noqa: N818 - it is a list of them
    """Everything that is wrong in a configuration; as text, one line each.

    Of more than `MOST_SHOWN` the rest is a number. `of` is what they are mistakes in.
    """

    def __init__(self, mistakes: Sequence[Mistake], of: str = "the configuration") -> None:
        count = len(mistakes)
        shown = list(mistakes[:MOST_SHOWN])
        if count > MOST_SHOWN:
            shown.append(Mistake((), f"and {count - MOST_SHOWN:,} more"))
        super().__init__(
            f"{count} mistake{'s' if count > 1 else ''} in {of}",
            details={"mistakes": [one.as_dict() for one in shown]},
        )
        self.mistakes = shown

    def __str__(self) -> str:
        return "\n  ".join([self.message, *map(str, self.mistakes)])


def dotted(path: Sequence[str]) -> str:
    """A path as it stands in a file: `script_overrides."reports/*.lua".log_level`."""
    return ".".join(part if _bare(part) else _quoted(part) for part in path)


def shown(path: Sequence[str]) -> str:
    """A path for a message: of a long key its beginning."""
    return dotted([one if len(one) <= _MOST_KEY else f"{one[:_MOST_KEY]}…" for one in path])


def _quoted(part: str) -> str:
    """A key as TOML quotes it: one line, whatever is in it."""
    if '"' not in part and part.isprintable() and "\\" not in part:
        return f'"{part}"'
    import json

    return json.dumps(part)


def _bare(part: str) -> bool:
    return bool(part) and part.isascii() and part.replace("-", "").replace("_", "").isalnum()


def unknown_key(path: Path, known: Sequence[str], before: int = 0) -> Mistake:
    """An unknown key, with the nearest valid one unless it is one of very many."""
    if len(path[-1]) > _MOST_KEY or before >= MOST_SHOWN:
        return Mistake(path, "unknown key")
    return Mistake(path, "unknown key", did_you_mean(path[-1], list(known)))


def mistakes_of(error: ValidationError, model: type[Record], at: Path) -> list[Mistake]:
    """What pydantic found, in the words of this module."""
    found: dict[tuple[Path, str], Mistake] = {}
    for one in error.errors(include_url=False, include_input=True):
        path, field, owner = _locate(model, one["loc"])
        if one["type"] == "extra_forbidden":
            mistake = unknown_key((*at, *path), list(owner.declared), len(found))
        else:
            mistake = Mistake((*at, *path), _not_this(one, field))
        found[mistake.path, mistake.message] = mistake
    return list(found.values())


class _Field(Record):
    """A declaration and its type."""

    key: Key
    hint: Any


def _locate(
    model: type[Record], loc: tuple[int | str, ...]
) -> tuple[Path, _Field | None, type[Record]]:
    """The path of an error's location, its field, and the record that the last key is in."""
    from llmspell_core.config.schema import inner_model
    from llmspell_core.records.fitting import hints_of

    path: list[str] = []
    owner: type[Record] = model
    field: _Field | None = None
    current: type[Record] | None = model
    for part in loc:
        if isinstance(part, int):
            break
        path.append(part)
        if current is not None:
            owner, one = current, current.declared.get(part)
            field = _Field(one, hints_of(current)[part]) if one else None
            current, many = inner_model(field.hint if field else None)
            table = current if many else None
            current = None if many else current
            continue
        current, table = table, None
    return tuple(path), field, owner


def _not_this(one: Any, field: _Field | None) -> str:
    from llmspell_core.schema import describe

    kind, context = one["type"], one.get("ctx") or {}
    if kind == "literal_error":
        return f"{describe(one['input'])} is not one of {context['expected'].replace(chr(39), '')}"
    wanted = _WANTED.get(kind)
    if wanted is None and kind in _RANGES:
        wanted = _numbers(field)
    if wanted is None:
        return str(one["msg"])
    item = "item " + str(one["loc"][-1] + 1) + ": " if isinstance(one["loc"][-1], int) else ""
    return f"{item}{describe(one['input'])} is not {wanted}{_bounds(field)}"


_RANGES = {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def _numbers(field: _Field | None) -> str:
    whole = field is not None and "int" in str(field.hint)
    return "a whole number" if whole else "a number"


def _bounds(field: _Field | None) -> str:
    """` (MiB, 16 or more)`: the unit and range of a number."""
    if field is None:
        return ""
    one = field.key
    parts = [one.unit] if one.unit else []
    if one.least is not None:
        parts.append(f"{one.least:g} or more")
    if one.most is not None:
        parts.append(f"{one.most:g} or less")
    return f" ({', '.join(parts)})" if parts else ""

"""What every section is made of: the record's base and the declaration of a table in a table."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from llmspell_core.records import Key, Record, key

__all__ = ["OpenSection", "Section", "key", "table"]

S = TypeVar("S", bound="Section")


class Section(Record):
    """A table of the configuration. Values are taken as they are: `"5"` is not a number."""

    strict: ClassVar[bool] = True


class OpenSection(Section):
    """A table with keys of its own beside the declared ones; `model_extra` has them."""

    takes_more: ClassVar[bool] = True


def table(model: type[Section], doc: str) -> Any:
    """Declare a table inside a section; it is there, with its defaults, when nobody wrote it."""
    return Key(model(), doc)

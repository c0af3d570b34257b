"""What every section is made of: the model's base and the declaration of one key."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A table of the configuration. Values are taken as they are: `"5"` is not a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class OpenSection(Section):
    """A table with keys of its own beside the declared ones; `model_extra` has them."""

    model_config = ConfigDict(extra="allow")


def key(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    least: float | None = None,
    most: float | None = None,
    secret: bool = False,
    restart: bool = False,
) -> Any:
    """Declare a key: its default and one line for the reference.

    `unit` is what its number counts; `secret` values are masked wherever settings are shown; a
    change of a `restart` key is used after the next start only.
    """
    extra: dict[str, Any] = {}
    if unit:
        extra["unit"] = unit
    if secret:
        extra["writeOnly"] = True
    if restart:
        extra["restart"] = True
    return Field(default, description=doc, ge=least, le=most, json_schema_extra=extra or None)


def table(model: type[Section], doc: str) -> Any:
    """Declare a table inside a section; it is there, with its defaults, when nobody wrote it."""
    return Field(default_factory=model.model_construct, description=doc)

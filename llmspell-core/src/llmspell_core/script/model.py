"""`ScriptModel`: the pydantic base of every table that a script passes (agent and tool configs).

Fields are declared once in snake_case. A script may write them in camelCase or by an alias;
both at once, an unknown name and a wrong type are errors that name the field.
"""

from __future__ import annotations

import functools
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from llmspell_core.errors import nearest
from llmspell_core.names import to_snake


@dataclass(frozen=True, slots=True)
class Also:
    """Beside an annotation: another form, in the manifest's type language, that is read as it."""

    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Stands for the value of a field that there is not; `near` is the one that may be meant."""

    name: str
    near: str | None

    def __repr__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """What is wrong."""
        hint = f', did you mean "{self.near}"?' if self.near else ""
        return f'unknown field "{self.name}"{hint}'


class ScriptModel(BaseModel):
    """A declared table. `aliases` maps other accepted names to the field they stand for."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, defer_build=True, populate_by_name=True
    )
    aliases: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _spelling(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known, lists = cls.model_fields, _list_fields(cls)
        if _fits(cls, data) and not any(data.get(name) == {} for name in lists):
            return data
        found: dict[str, Any] = {}
        origin: dict[str, str] = {}
        for key, value in data.items():
            name = key if key in known else cls._field_of(key)
            if isinstance(name, Unknown):
                # Left for pydantic to refuse, which goes on to find what else is wrong.
                found[key] = name
                continue
            if name in found:
                raise PydanticCustomError(
                    "both_spellings",
                    '"{a}" and "{b}" are the same field: give one',
                    {"a": origin[name], "b": key},
                )
            # An empty Lua table does not say which of the two it is.
            found[name] = [] if name in lists and value == {} else value
            origin[name] = key
        # By the alias: mistakes then name `schema`, not the `schema_` that Python needs.
        return {(known[n].alias or n) if n in known else n: v for n, v in found.items()}

    @classmethod
    def _field_of(cls, key: Any) -> str | Unknown:
        """The field that another spelling stands for; an unknown one is a mistake."""
        if not isinstance(key, str):
            raise PydanticCustomError("field_name", "field names are strings")
        snake = to_snake(key)
        name = cls.aliases.get(key) or cls.aliases.get(snake) or snake
        if name in cls.model_fields:
            return name
        if cls.model_config.get("extra") == "allow":
            return key
        names = [field.alias or name for name, field in cls.model_fields.items()]
        near = nearest(key, [*names, *cls.aliases])
        if cls.model_config.get("extra") == "forbid":
            return Unknown(key, near)
        raise PydanticCustomError("unknown_field", "{text}", {"text": Unknown(key, near).text})


def _fits(model: type[ScriptModel], data: dict[Any, Any]) -> bool:
    """Whether all names are those of fields that pydantic knows by the same name."""
    return data.keys() <= _plain_fields(model)


@functools.cache
def _plain_fields(model: type[ScriptModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if not field.alias)


@functools.cache
def _list_fields(model: type[ScriptModel]) -> frozenset[str]:
    """The fields that take a list and no table."""
    return frozenset(
        name for name, field in model.model_fields.items() if _is_list(field.annotation)
    )


def _is_list(annotation: Any) -> bool:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        kinds = [arg for arg in args if arg is not type(None)]
        return any(map(_is_list, kinds)) and not any(map(_takes_table, kinds))
    return annotation in (list, tuple) or origin in (list, tuple)


def _takes_table(annotation: Any) -> bool:
    if annotation is Any or annotation is object or annotation is dict:
        return True
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_model or typing.get_origin(annotation) is dict

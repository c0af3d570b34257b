"""Records as pydantic models, made on first use: for what is wrong with data, and JSON schemas."""

from __future__ import annotations

import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic_core import core_schema

from llmspell_core.records.fitting import hints_of
from llmspell_core.records.record import Key, Record

R = TypeVar("R", bound=Record)

_MODELS: dict[type, type[BaseModel]] = {}


def checked(cls: type[R], data: Any) -> R:
    """The record out of plain data; raises pydantic's ValidationError."""
    return _record(cls, model_of(cls).model_validate(data))


def model_of(cls: type[Record]) -> type[BaseModel]:
    """The pydantic model with the same fields."""
    if cls not in _MODELS:
        _MODELS[cls] = _made(cls)
    return _MODELS[cls]


def _made(cls: type[Record]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, hint in hints_of(cls).items():
        # A record inside one of its kind is an object already, or nothing.
        itself = hint is cls or cls in typing.get_args(hint)
        fields[name] = (Any if itself else hint, _field(cls.declared[name]))
    config = ConfigDict(extra="allow" if cls.takes_more else "forbid", strict=cls.strict)
    return create_model(
        cls.__name__, __config__=config, __doc__=cls.__doc__, __module__=cls.__module__, **fields
    )


def _field(one: Key) -> Any:
    extra: dict[str, Any] = {}
    if one.unit:
        extra["unit"] = one.unit
    if one.secret:
        extra["writeOnly"] = True
    if one.restart:
        extra["restart"] = True
    known: dict[str, Any] = {
        "description": one.doc or None,
        "ge": one.least,
        "le": one.most,
        "json_schema_extra": extra or None,
    }
    if isinstance(one.default, Record):
        return Field(default_factory=lambda: one.default, **known)
    return Field(**known) if one.required else Field(one.default, **known)


def core_schema_of(cls: type[Record], handler: Any) -> Any:
    """How pydantic reads a record inside of something else."""

    def read(value: Any, inner: Any) -> Record:
        return value if isinstance(value, cls) else _record(cls, inner(value))

    return core_schema.no_info_wrap_validator_function(
        read, handler.generate_schema(model_of(cls)), serialization=_as_data()
    )


def _as_data() -> Any:
    return core_schema.plain_serializer_function_ser_schema(lambda value: value.model_dump())


def _record(cls: type[R], model: BaseModel) -> R:
    values = {name: getattr(model, name) for name in model.model_fields_set}
    return cls.model_construct(**values)

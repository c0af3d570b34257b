"""Sections out of valid data without building a validator.

Building pydantic's validator of one section costs more than everything else in reading a
configuration. So data that plainly fits is taken as it is; whatever does not is left to
pydantic, which says what is wrong. A test holds the two to the same answers.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from llmspell_core.config.sections.base import Section

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

S = TypeVar("S", bound=Section)


class _Unfit(Exception):  # noqa: N818 - not an error: pydantic is asked
    """This value does not plainly fit."""


def build(model: type[S], data: Mapping[str, Any]) -> S | None:
    """The section, or None when pydantic has to look at the data."""
    try:
        return _section(model, data)
    except (_Unfit, OverflowError):
        return None


def _section(model: type[S], data: Any) -> S:
    if not isinstance(data, Mapping):
        raise _Unfit
    fields = model.model_fields
    values: dict[str, Any] = {}
    for name, value in data.items():
        if field := fields.get(name):
            values[name] = _field(field, value)
        elif _is_extra(name) and model.model_config.get("extra") == "allow":
            values[name] = value
        else:
            raise _Unfit
    return model.model_construct({*values}, **values)


def _is_extra(name: Any) -> bool:
    # `_fields_set` would be taken for an argument.
    return isinstance(name, str) and not name.startswith("_")


def _field(field: FieldInfo, value: Any) -> Any:
    found = _value(field.annotation, value)
    for rule in field.metadata if found is not None else ():
        least, most = getattr(rule, "ge", None), getattr(rule, "le", None)
        if (least is None and most is None) or not (
            (least is None or found >= least) and (most is None or found <= most)
        ):
            raise _Unfit
    return found


def _value(kind: Any, value: Any) -> Any:
    if kind is Any:
        return value
    if kind is float and type(value) in {int, float}:
        return float(value)
    if kind in {str, int, bool}:
        # `bool` is an `int` in Python, not in a configuration.
        if type(value) is not kind:
            raise _Unfit
        return value
    if isinstance(kind, type) and issubclass(kind, Section):
        return _section(kind, value)
    return _generic(typing.get_origin(kind), typing.get_args(kind), value)


def _generic(origin: Any, args: tuple[Any, ...], value: Any) -> Any:
    if origin is typing.Literal and isinstance(value, str) and value in args:
        return value
    if origin is list and type(value) is list:
        return [_value(args[0], one) for one in value]
    if origin is dict and type(value) is dict:
        return {_value(str, name): _value(args[1], one) for name, one in value.items()}
    if origin in {typing.Union, types.UnionType}:
        return None if value is None and type(None) in args else _any_of(args, value)
    raise _Unfit


def _any_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """The value as the one kind that is not None; pydantic decides where there are more."""
    some = [kind for kind in kinds if kind is not type(None)]
    if len(some) != 1:
        raise _Unfit
    return _value(some[0], value)

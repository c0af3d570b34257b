"""Records out of valid data without building a validator.

Building pydantic's validator of one record costs more than everything else in reading a
configuration. So data that plainly fits is taken as it is; whatever does not is left to
pydantic, which says what is wrong. A test holds the two to the same answers.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from llmspell_core.records.record import Key, Record

R = TypeVar("R", bound=Record)

_HINTS: dict[type, dict[str, Any]] = {}


class _Unfit(Exception):  # noqa: N818 - not an error: pydantic is asked
    """This value does not plainly fit."""


def fitted(cls: type[R], data: Any) -> R | None:
    """The record, or None when pydantic has to look at the data."""
    try:
        return _record(cls, data)
    except (_Unfit, OverflowError):
        return None


def hints_of(cls: type[Record]) -> dict[str, Any]:
    """Name -> type of the declared keys, in their order."""
    if cls not in _HINTS:
        found = typing.get_type_hints(cls)
        _HINTS[cls] = {name: found[name] for name in cls.declared}
    return _HINTS[cls]


def _record(cls: type[R], data: Any) -> R:
    if isinstance(data, cls):
        return data
    if not isinstance(data, Mapping):
        raise _Unfit
    hints = hints_of(cls)
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name in hints:
            values[name] = _ranged(cls.declared[name], _value(hints[name], value, cls.strict))
        elif cls.takes_more and _is_extra(name):
            values[name] = value
        else:
            raise _Unfit
    if any(one.required and name not in values for name, one in cls.declared.items()):
        raise _Unfit
    return cls.model_construct(None, **values)


def _is_extra(name: Any) -> bool:
    # `_set` would be taken for an argument.
    return isinstance(name, str) and not name.startswith("_")


def _ranged(one: Key, found: Any) -> Any:
    if found is not None and (one.least is not None or one.most is not None):
        low = one.least is None or found >= one.least
        if not (low and (one.most is None or found <= one.most)):
            raise _Unfit
    return found


def _value(kind: Any, value: Any, strict: bool) -> Any:
    if kind is Any:
        return value
    if kind is float and type(value) in {int, float}:
        return float(value)
    if kind in {str, int, bool}:
        # `bool` is an `int` in Python, not in a configuration.
        if type(value) is not kind:
            raise _Unfit
        return value
    if isinstance(kind, type) and issubclass(kind, Record):
        return _record(kind, value)
    return _generic(typing.get_origin(kind), typing.get_args(kind), value, strict)


def _generic(origin: Any, args: tuple[Any, ...], value: Any, strict: bool) -> Any:
    if origin is typing.Literal and isinstance(value, str) and value in args:
        return value
    if origin is list and type(value) is list:
        return [_value(args[0], one, strict) for one in value]
    if origin is tuple and (type(value) is tuple or (type(value) is list and not strict)):
        return tuple(_value(args[0], one, strict) for one in value)
    if origin is dict and type(value) is dict:
        return {
            _value(str, name, strict): _value(args[1], one, strict) for name, one in value.items()
        }
    if origin in {typing.Union, types.UnionType}:
        return None if value is None and type(None) in args else _any_of(args, value, strict)
    raise _Unfit


def _any_of(kinds: tuple[Any, ...], value: Any, strict: bool) -> Any:
    """The value as the one kind that is not None; pydantic decides where there are more."""
    some = [kind for kind in kinds if kind is not type(None)]
    if len(some) != 1:
        raise _Unfit
    return _value(some[0], value, strict)

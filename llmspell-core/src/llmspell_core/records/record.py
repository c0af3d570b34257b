"""`Record`: frozen named values, declared as in a dataclass, checked like a pydantic model.

    class Files(Record):
        read: tuple[str, ...] = ()
        max_bytes: int = key(0, "largest file", least=0)

Every start declares dozens of them, and a dataclass compiles code for each, a pydantic model
builds a validator. Here a declaration costs microseconds; pydantic is imported when data has to
be checked that does not plainly fit. The methods have the names that pydantic's have, so that
callers need not know which of the two they were given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Self, dataclass_transform

_REQUIRED: Any = object()
_CONTAINERS = (dict, list)


class Key:
    """One declared value: its default and what is known about it."""

    __slots__ = ("default", "doc", "least", "most", "restart", "secret", "unit")

    def __init__(
        self,
        default: Any = _REQUIRED,
        doc: str = "",
        *,
        unit: str = "",
        least: float | None = None,
        most: float | None = None,
        secret: bool = False,
        restart: bool = False,
    ) -> None:
        self.default = default
        self.doc = doc
        self.unit = unit
        self.least = least
        self.most = most
        self.secret = secret
        self.restart = restart

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is _REQUIRED


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
    """Declare a value: its default and one line for the reference.

    Args:
        default: what holds when nobody gives it
        doc: one line
        unit: what its number counts
        least: the smallest number that is accepted
        most: the largest one
        secret: it is masked wherever it is shown
        restart: a change is used after the next start only
    """
    return Key(default, doc, unit=unit, least=least, most=most, secret=secret, restart=restart)


@dataclass_transform(frozen_default=True)
class Record:
    """Named values that never change, equal when all of them are.

    The constructor takes them by position or by name and checks names only; `model_validate`
    checks everything. What was given is in the instance, defaults are the class's.
    """

    #: Name -> declaration, inherited ones first.
    declared: ClassVar[Mapping[str, Key]] = {}
    #: Whether further keys are taken; `model_extra` has them.
    takes_more: ClassVar[bool] = False
    #: Whether `model_validate` takes values as they are: `"5"` is not a number.
    strict: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        found = dict(cls.declared)
        for name, hint in cls.__annotations__.items():
            if str(hint).startswith("ClassVar"):
                continue
            given = cls.__dict__.get(name, _REQUIRED)
            one = found[name] = given if isinstance(given, Key) else Key(given)
            if one.required or isinstance(one.default, _CONTAINERS):
                # Containers are given out as copies, by `__getattr__`.
                if name in cls.__dict__:
                    delattr(cls, name)
            else:
                setattr(cls, name, one.default)
        cls.declared = found

    def __init__(self, *given: Any, **named: Any) -> None:
        known = type(self).declared
        values = dict(zip(known, given, strict=False))
        if len(given) > len(known) or not values.keys().isdisjoint(named):
            raise TypeError(f"{type(self).__name__}: a value is given twice, or one too many")
        values.update(named)
        if not type(self).takes_more and (unknown := values.keys() - known.keys()):
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        if missing := [name for name, one in known.items() if one.required and name not in values]:
            raise TypeError(f"{type(self).__name__} needs {', '.join(missing)}")
        self.__dict__.update(values)

    @classmethod
    def model_construct(cls, _set: Collection[str] | None = None, **values: Any) -> Self:
        """One with these values, unchecked."""
        made = object.__new__(cls)
        made.__dict__.update(values)
        return made

    @classmethod
    def model_validate(cls, data: Any) -> Self:
        """One out of plain data; pydantic's ValidationError says what is wrong."""
        if isinstance(data, cls):
            return data
        from llmspell_core.records.fitting import fitted

        found = fitted(cls, data)
        if found is not None:
            return found
        from llmspell_core.records.model import checked

        return checked(cls, data)

    @classmethod
    def model_json_schema(cls, **options: Any) -> dict[str, Any]:
        """The JSON schema of what `model_validate` takes."""
        from llmspell_core.records.model import model_of

        return model_of(cls).model_json_schema(**options)

    @property
    def model_fields_set(self) -> set[str]:
        """The names that were given."""
        return set(self.__dict__)

    @property
    def model_extra(self) -> dict[str, Any] | None:
        """What is beside the declared keys, where such are taken."""
        known = type(self).declared
        extra = {name: value for name, value in self.__dict__.items() if name not in known}
        return extra if type(self).takes_more else None

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """A copy with some values changed."""
        return type(self).model_construct(**{**self.__dict__, **update})

    def model_dump(
        self, *, exclude: Collection[str] = (), exclude_none: bool = False, mode: str = "python"
    ) -> dict[str, Any]:
        """All values as plain data; with the mode ``json`` tuples are lists."""
        names = [*type(self).declared, *(self.model_extra or ())]
        values = {name: getattr(self, name) for name in names if name not in exclude}
        return {
            name: _dumped(value, exclude_none, mode)
            for name, value in values.items()
            if not (exclude_none and value is None)
        }

    def __getattr__(self, name: str) -> Any:
        one = type(self).declared.get(name)
        if one is None or one.required:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        return one.default.copy()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} never changes: use model_copy")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} never changes: use model_copy")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        if self.__dict__ == other.__dict__:
            return True
        mine, theirs = self.model_extra, getattr(other, "model_extra", None)
        names = type(self).declared
        return mine == theirs and all(getattr(self, n) == getattr(other, n) for n in names)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in type(self).declared)))

    def __repr__(self) -> str:
        shown = (name for name, one in type(self).declared.items() if not one.secret)
        names = [*shown, *(self.model_extra or ())]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({values})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """A record may be a field of a pydantic model: as data, or as it is."""
        from llmspell_core.records.model import core_schema_of

        return core_schema_of(cls, handler)


def _dumped(value: Any, exclude_none: bool, mode: str) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=exclude_none, mode=mode)
    if isinstance(value, dict):
        return {name: _dumped(one, exclude_none, mode) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        made = [_dumped(one, exclude_none, mode) for one in value]
        return tuple(made) if isinstance(value, tuple) and mode != "json" else made
    return value

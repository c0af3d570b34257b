"""Call the declared methods of a class with a script's arguments, validated by annotation."""

from __future__ import annotations

import inspect
import types
import typing
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import NotFoundError, ValidationError, did_you_mean
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.script.api import MethodMark, ScriptFunction, ScriptGlobal, ScriptObject

if TYPE_CHECKING:
    from pydantic import TypeAdapter

#: What is checked without pydantic: the types accepted, and how a message names them. Numbers
#: are not made out of strings and booleans, as pydantic would.
_PLAIN: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((float, int), "a number"),
    dict: ((dict,), "a table"),
    list: ((list,), "a list"),
}


class Parameter:
    """One declared parameter: its name, its default, and how a value is checked."""

    __slots__ = ("_adapter", "_hint", "_plain", "default", "name", "nullable", "required")

    def __init__(self, spec: inspect.Parameter, hint: Any) -> None:
        self.name = spec.name.rstrip("_")
        self.required = spec.default is spec.empty
        self.default = None if self.required else spec.default
        self._hint, self.nullable = _without_none(hint)
        self._plain = _PLAIN.get(self._hint)
        self._adapter: TypeAdapter[Any] | None = None

    @property
    def exact(self) -> type | None:
        """The one type whose values are taken as they are; None when there is more to check."""
        return None if self._plain is None else self._plain[0][0]

    def check(self, value: Any, call: str) -> Any:
        """The value as the method expects it, or `input.invalid` naming the parameter."""
        if self._hint is Any or self._hint is object:
            return value
        if self._plain is not None:
            return self._checked(value, *self._plain, call)
        if self._hint is ScriptFunction:
            if callable(value):
                return value
            raise self._wrong(call, f"{self.name} must be a function, not {describe(value)}")
        return self._validated(value, call)

    def _checked(self, value: Any, types: tuple[type, ...], word: str, call: str) -> Any:
        if isinstance(value, types) and (types[0] is bool or not isinstance(value, bool)):
            return value
        if types[0] is int and isinstance(value, float) and value.is_integer():
            return int(value)
        empty = _empty(value, {types[0]})
        if empty is not None:
            return empty
        raise self._wrong(call, f"{self.name} must be {word}, not {describe(value)}")

    def _validated(self, value: Any, call: str) -> Any:
        from pydantic import TypeAdapter
        from pydantic import ValidationError as PydanticError

        if self._adapter is None:
            self._adapter = TypeAdapter(self._hint, config=_config(self._hint))
        empty = _empty(value, _kinds(self._hint))
        try:
            return self._adapter.validate_python(value if empty is None else empty)
        except PydanticError as error:
            mistakes = pydantic_mistakes(error)
            for one in mistakes:
                one["field"] = ".".join(part for part in (self.name, one["field"]) if part)
            raise ValidationError(
                f"{call}: {mistakes_text(mistakes)}", details={"errors": mistakes}
            ) from None

    def _wrong(self, call: str, text: str) -> ValidationError:
        return ValidationError(
            f"{call}: {text}", details={"errors": [{"field": self.name, "message": text}]}
        )


def _kinds(hint: Any) -> set[Any]:
    """The types of a declaration, without what they are made of."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return {kind for one in typing.get_args(hint) for kind in _kinds(one)}
    return {typing.get_origin(hint) or hint}


def _empty(value: Any, kinds: set[Any]) -> Any:
    """An empty list or table as the one of both that is expected; None: as it is.

    An empty Lua table does not say which of the two it is.
    """
    if value == [] and dict in kinds and list not in kinds:
        return {}
    if value == {} and list in kinds and dict not in kinds:
        return []
    return None


def _without_none(hint: Any) -> tuple[Any, bool]:
    """A type without its None, and whether it had one."""
    if hint in (Any, object, None):
        return hint, True
    args = typing.get_args(hint)
    if typing.get_origin(hint) not in (typing.Union, types.UnionType) or type(None) not in args:
        return hint, False
    rest = tuple(one for one in args if one is not type(None))
    return (rest[0] if len(rest) == 1 else typing.Union[rest]), True  # noqa: UP007 - made here


def _config(hint: Any) -> Any:
    # A model brings its own configuration, and pydantic refuses a second one.
    is_model = isinstance(hint, type) and hasattr(hint, "model_fields")
    return None if is_model else {"arbitrary_types_allowed": True}


class Method:
    """A declared method, ready to be called with a script's positional arguments."""

    __slots__ = ("_attribute", "_exact", "_parameters", "_rest", "call_name", "mark")

    def __init__(self, owner: str, cls: type, attribute: str, mark: MethodMark) -> None:
        function = getattr(cls, attribute)
        hints = typing.get_type_hints(function)
        self.mark = mark
        self.call_name = f"{owner}.{mark.name}"
        self._attribute = attribute
        self._rest: Parameter | None = None
        self._parameters: list[Parameter] = []
        for spec in list(inspect.signature(function).parameters.values())[1:]:
            parameter = Parameter(spec, hints.get(spec.name, Any))
            if spec.kind is spec.VAR_POSITIONAL:
                self._rest = parameter
            else:
                self._parameters.append(parameter)
        self._exact = self._types_that_fit()

    def _types_that_fit(self) -> list[type] | None:
        """Types of arguments that need no look at each: what nearly every call has."""
        types = [one.exact for one in self._parameters]
        return None if self._rest is not None or None in types else types  # type: ignore[return-value]

    def call(self, target: Any, args: list[Any]) -> Any:
        """Call it; the result is a coroutine when the method is async."""
        return getattr(target, self._attribute)(*self._bind(args))

    def _bind(self, args: list[Any]) -> list[Any]:
        if [*map(type, args)] == self._exact:
            return args
        parameters = self._parameters
        bound: list[Any] = []
        for index, parameter in enumerate(parameters):
            value = args[index] if index < len(args) else None
            if value is None and not (parameter.nullable and index < len(args)):
                if parameter.required and not parameter.nullable:
                    raise ValidationError(
                        f"{self.call_name}: {parameter.name} is required",
                        details={"errors": [{"field": parameter.name, "message": "is required"}]},
                    )
                value = parameter.default
            elif value is not None:
                value = parameter.check(value, self.call_name)
            bound.append(value)
        extra = args[len(parameters) :]
        if self._rest is not None:
            bound.extend(self._rest.check(one, self.call_name) for one in extra)
        elif any(one is not None for one in extra):
            raise ValidationError(
                f"{self.call_name} takes {_at_most(len(parameters))}, {len(args)} given"
            )
        return bound


def _at_most(count: int) -> str:
    return f"at most {count} argument{'' if count == 1 else 's'}" if count else "no arguments"


class Bindings:
    """The methods of each declared class by script name; built on first use, kept for good."""

    def __init__(self) -> None:
        self._declared: dict[type, dict[str, tuple[str, MethodMark]]] = {}
        self._methods: dict[tuple[type, str], Method] = {}

    def method(self, target: ScriptGlobal | ScriptObject, name: str) -> Method:
        """The method of this name, or `name.not_found` naming the nearest."""
        cls = type(target)
        found = self._methods.get((cls, name))
        if found is None:
            declared = self._declared.get(cls)
            if declared is None:
                declared = self._declared[cls] = target.script_methods()
            if name not in declared:
                raise NotFoundError(
                    f"{_owner(cls)} has no method {name}",
                    hint=did_you_mean(name, list(declared)),
                )
            found = self._methods[cls, name] = Method(_owner(cls), cls, *declared[name])
        return found


def _owner(cls: type) -> str:
    if issubclass(cls, ScriptGlobal):
        return cls.name
    return str(getattr(cls, "type_name", cls.__name__))


#: Shared by all sessions: declarations do not change while a process lives.
BINDINGS = Bindings()

"""Call the declared methods of a class with a script's arguments, validated by annotation."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticError

from llmspell_core.errors import LLMSpellError, ValidationError, did_you_mean
from llmspell_core.schema import describe, mistakes_text, pydantic_mistakes
from llmspell_core.script.api import MethodMark, ScriptFunction, ScriptGlobal, ScriptObject

_PLAIN: dict[Any, tuple[type, str]] = {
    str: (str, "a string"),
    bool: (bool, "true or false"),
    dict: (dict, "a table"),
    list: (list, "a list"),
}


class Parameter:
    """One declared parameter: its name, its default, and how a value is checked."""

    __slots__ = ("_adapter", "_hint", "_quick", "default", "name", "nullable", "required")

    def __init__(self, spec: inspect.Parameter, hint: Any) -> None:
        self.name = spec.name.rstrip("_")
        self.required = spec.default is spec.empty
        self.default = None if self.required else spec.default
        self.nullable = hint in (Any, object, None) or type(None) in typing.get_args(hint)
        self._hint = hint
        self._quick = _PLAIN.get(hint)
        self._adapter: TypeAdapter[Any] | None = None

    def check(self, value: Any, call: str) -> Any:
        """The value as the method expects it, or `input.invalid` naming the parameter."""
        if self._hint is Any or self._hint is object:
            return value
        if self._quick is not None:
            if isinstance(value, self._quick[0]):
                return value
            if self._hint is dict and value == []:
                # An empty Lua table may arrive as a list; a table was asked for.
                return {}
            if self._hint is list and value == {}:
                return []
            raise self._wrong(call, f"{self.name} must be {self._quick[1]}, not {describe(value)}")
        if self._hint is ScriptFunction:
            if callable(value):
                return value
            raise self._wrong(call, f"{self.name} must be a function, not {describe(value)}")
        return self._validated(value, call)

    def _validated(self, value: Any, call: str) -> Any:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._hint, config=_config(self._hint))
        try:
            return self._adapter.validate_python(value)
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


def _config(hint: Any) -> Any:
    # A model brings its own configuration, and pydantic refuses a second one.
    is_model = isinstance(hint, type) and hasattr(hint, "model_fields")
    return None if is_model else {"arbitrary_types_allowed": True}


class Method:
    """A declared method, ready to be called with a script's positional arguments."""

    __slots__ = ("_attribute", "_parameters", "_rest", "call_name", "is_async", "mark")

    def __init__(self, owner: str, cls: type, attribute: str, mark: MethodMark) -> None:
        function = getattr(cls, attribute)
        hints = typing.get_type_hints(function)
        self.mark = mark
        self.call_name = f"{owner}.{mark.name}"
        self.is_async = inspect.iscoroutinefunction(function)
        self._attribute = attribute
        self._rest: Parameter | None = None
        self._parameters: list[Parameter] = []
        for spec in list(inspect.signature(function).parameters.values())[1:]:
            parameter = Parameter(spec, hints.get(spec.name, Any))
            if spec.kind is spec.VAR_POSITIONAL:
                self._rest = parameter
            else:
                self._parameters.append(parameter)

    def call(self, target: Any, args: list[Any]) -> Any:
        """Call it; the result is a coroutine when the method is async."""
        return getattr(target, self._attribute)(*self._bind(args))

    def _bind(self, args: list[Any]) -> list[Any]:
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
                f"{self.call_name} takes at most {len(parameters)} arguments, {len(args)} given"
            )
        return bound


class Bindings:
    """The methods of each declared class by script name; built on first use, kept for good."""

    def __init__(self) -> None:
        self._methods: dict[type, dict[str, Method]] = {}

    def method(self, target: ScriptGlobal | ScriptObject, name: str) -> Method:
        """The method of this name, or `name.not_found` naming the nearest."""
        cls = type(target)
        methods = self._methods.get(cls)
        if methods is None:
            methods = self._methods[cls] = self._build(cls)
        found = methods.get(name)
        if found is None:
            raise LLMSpellError(
                f"{_owner(cls)} has no method {name}",
                code="name.not_found",
                hint=did_you_mean(name, list(methods)),
            )
        return found

    @staticmethod
    def _build(declared: type[ScriptGlobal] | type[ScriptObject]) -> dict[str, Method]:
        owner = _owner(declared)
        made: dict[str, Method] = {}
        built: dict[str, Method] = {}
        for name, (attribute, mark) in declared.script_methods().items():
            if attribute not in built:
                built[attribute] = Method(owner, declared, attribute, mark)
            made[name] = built[attribute]
        return made


def _owner(cls: type) -> str:
    if issubclass(cls, ScriptGlobal):
        return cls.name
    return str(getattr(cls, "type_name", cls.__name__))


#: Shared by all sessions: declarations do not change while a process lives.
BINDINGS = Bindings()

#: How a target is called by an engine: `(target, arguments) -> value or coroutine`.
Call = Callable[[Any, list[Any]], Any]

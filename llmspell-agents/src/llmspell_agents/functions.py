"""Functions in configurations: of a script, or any Python callable."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import PlainValidator

from llmspell_core.schema import describe
from llmspell_core.script.api import ScriptFunction


def _function(value: Any) -> Any:
    if not callable(value):
        raise ValueError(f"must be a function, not {describe(value)}")
    return value


#: A function of a script, or any Python callable.
Function = Annotated[ScriptFunction, PlainValidator(_function)]


async def call(function: Any, *args: Any) -> Any:
    """What a function answers, whether or not it is asynchronous."""
    value = function(*args)
    return await value if inspect.isawaitable(value) else value


def arity(function: Callable[..., Any]) -> int:
    """How many of (value, ctx) a Python function takes; a script's function takes both."""
    if isinstance(function, ScriptFunction):
        return 2
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return 2
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(2, sum(one.kind in kinds for one in parameters))

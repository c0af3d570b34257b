"""Functions in configurations: of a script, or any Python callable."""

from __future__ import annotations

import inspect
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

"""What a function takes: callbacks may leave out the context that they do not need."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from llmspell_core.script.api import ScriptFunction


def arity(function: Callable[..., Any]) -> int:
    """How many of (value, ctx) a Python function takes; a script's function takes both."""
    if isinstance(function, ScriptFunction):
        return 2
    parameters = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return 2
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(2, sum(one.kind in kinds for one in parameters))

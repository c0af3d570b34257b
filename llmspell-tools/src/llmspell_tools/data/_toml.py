"""TOML as values and back."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake

TOOL = "toml-processor"
_PLACE = re.compile(r" \(at (.+?)\)$")


def read(text: str, field: str = "input") -> dict[str, Any]:
    """The table of a TOML text, or `input.invalid` with line and column."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        words = _PLACE.sub(r" at \1", str(error))
        raise mistake(TOOL, field, f"is no TOML: {words}") from None
    except RecursionError:
        raise LimitError(f"{TOOL}: {field} is nested too deep", code="limit.value_depth") from None
    except ValueError as error:
        raise mistake(TOOL, field, f"is no TOML: {error}") from None


def write(value: Any, *, sort_keys: bool = False) -> str:
    """A table as a TOML text; keys without a value are left out, since TOML has no null."""
    import tomli_w

    if not isinstance(value, dict):
        raise mistake(TOOL, "input", "must be a table: TOML has no other documents")
    table = _clean(value, sorted if sort_keys else list, "")
    return tomli_w.dumps(table, multiline_strings=True)


def _clean(value: Any, order: Callable[[Any], list[Any]], path: str) -> Any:
    if isinstance(value, dict):
        return {
            key: _clean(value[key], order, f"{path}.{key}" if path else key)
            for key in order(value)
            if value[key] is not None
        }
    if isinstance(value, list):
        for index, item in enumerate(value):
            if item is None:
                message = f"has a null at {path}.{index}, which TOML cannot hold"
                raise mistake(TOOL, "input", message)
        return [_clean(item, order, f"{path}.{index}") for index, item in enumerate(value)]
    return value

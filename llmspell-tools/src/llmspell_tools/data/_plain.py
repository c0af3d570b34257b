"""Values of YAML and TOML as plain JSON values, bounded in number and depth."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake

MAX_DEPTH = 200
#: Anchors of YAML make a small text a value that is huge when it is written down.
MAX_VALUES = 250_000


class Plain:
    """Turns one value: dates to ISO texts, bytes to base64, keys to strings.

    Args:
        tool: the tool, for errors
        field: the field the value came from
        keep: types that the target format knows and that stay as they are
    """

    def __init__(self, tool: str, field: str = "input", keep: tuple[type, ...] = ()) -> None:
        self.tool, self.field, self.keep = tool, field, keep
        self.left = MAX_VALUES

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """The plain value, or an error naming what JSON cannot hold."""
        self.left -= 1
        if self.left < 0:
            raise LimitError(
                f"{self.tool}: {self.field} has more than {MAX_VALUES:,} values",
                code="limit.value",
            )
        if depth > MAX_DEPTH:
            raise LimitError(
                f"{self.tool}: {self.field} is nested too deep, or holds itself",
                code="limit.value_depth",
            )
        if value is None or isinstance(value, (str, bool, int, *self.keep)):
            return value
        if isinstance(value, dict):
            return self._table(value, depth)
        if isinstance(value, set):
            value = sorted(value, key=str)
        if isinstance(value, (list, tuple)):
            return [self(item, depth + 1) for item in value]
        return self._scalar(value)

    def _table(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, item in value.items():
            name = self._key(key)
            if name in made:
                raise mistake(self.tool, self.field, f'has the key "{name[:80]}" twice')
            made[name] = self(item, depth + 1)
        return made

    def _key(self, key: Any) -> str:
        if isinstance(key, str):
            return key
        if key is None or isinstance(key, bool):
            return {None: "null", True: "true", False: "false"}[key]
        if isinstance(key, (dict, Iterable)):
            raise mistake(self.tool, self.field, "has a key that is no text or number")
        return str(self._scalar(key))

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, (int, float)):
            if isinstance(value, float) and not math.isfinite(value):
                raise mistake(self.tool, self.field, f"has the number {value}, which JSON has not")
            return value
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, (bytes, bytearray)):
            return base64.b64encode(value).decode()
        raise mistake(
            self.tool, self.field, f"has a {type(value).__name__}, which is no plain value"
        )

"""Assertions about an answer: read from text or tables, checked one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from llmspell_core.script.model import ScriptModel
from llmspell_core.tool import as_text
from llmspell_tools._parameters import Spelled
from llmspell_tools._regex import Pattern

_MISSING = object()
_SIGNS = {
    "==": "equals", "!=": "not_equals", "<": "less_than", "<=": "at_most", ">": "greater_than",
    ">=": "at_least", "=": "equals", "matches": "matches", "contains": "contains",
    "exists": "exists", "missing": "missing", "is": "type", "length": "length",
}  # fmt: skip
_SENTENCE = re.compile(
    r"\s*(\S+)\s+(==|!=|<=|>=|<|>|=|matches|contains|exists|missing|is|length)(?:\s+(.+?))?\s*",
    re.DOTALL,
)
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict,
    "array": list, "null": type(None),
}  # fmt: skip
Operator = Literal[
    "equals", "not_equals", "less_than", "at_most", "greater_than", "at_least", "contains",
    "matches", "exists", "missing", "type", "length",
]  # fmt: skip


class Assertion(ScriptModel):
    """One thing that must hold."""

    aliases: ClassVar[dict[str, str]] = {"field": "path", "op": "operator", "expected": "value"}

    path: str = Field(
        min_length=1,
        description="status, body, elapsed_ms, headers.NAME, or json.a.b[0].c",
    )
    operator: Annotated[Operator, Spelled(lt="less_than", gt="greater_than", eq="equals")] = Field(
        "equals", description="How to compare"
    )
    value: Any = Field(None, description="With what")


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _SENTENCE.fullmatch(value)
    if found is None:
        raise ValueError('must be like "json.items[0].id == 7" or "headers.etag exists"')
    path, sign, given = found.groups()
    value = given if sign == "is" else _value(given)
    return {"path": path, "operator": _SIGNS[sign], "value": value}


def _value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


#: An assertion as a table, or as a sentence: `json.count >= 3`.
Sentence = Annotated[Assertion, BeforeValidator(_read)]


@dataclass(slots=True)
class Check:
    """An assertion made ready: its pattern is compiled, so that mistakes show before a request."""

    given: Assertion
    pattern: Pattern | None = None

    @classmethod
    def of(cls, tool: str, number: int, given: Assertion) -> Check:
        """Raises `input.invalid` for a pattern that is none."""
        if given.operator != "matches":
            return cls(given)
        return cls(given, Pattern(tool, f"assertions.{number}.value", as_text(given.value)))

    @property
    def words(self) -> str:
        """The assertion as a sentence."""
        value = "" if self.given.operator in ("exists", "missing") else repr(self.given.value)
        return f"{self.given.path} {self.given.operator} {value}".strip()

    def failure(self, answer: dict[str, Any]) -> str | None:
        """Why it does not hold, or None when it does."""
        actual = found_at(answer, self.given.path)
        if self.given.operator in ("exists", "missing"):
            there = actual is not _MISSING
            wanted = self.given.operator == "exists"
            return None if there == wanted else f"it is {'there' if there else 'missing'}"
        if actual is _MISSING:
            return "it is missing"
        return None if self._holds(actual) else f"it is {shown(actual)}"

    def _holds(self, actual: Any) -> bool:
        operator, wanted = self.given.operator, self.given.value
        if self.pattern is not None:
            return self.pattern.first(as_text(actual)) is not None
        compare = _COMPARISONS.get(operator)
        if compare is not None:
            return compare(actual, wanted)
        return _compares(operator, actual, wanted)


def found_at(answer: dict[str, Any], path: str) -> Any:
    """What a path leads to; names of headers in any case."""
    value: Any = answer
    if path.lower().startswith("headers."):
        return answer["headers"].get(path[8:].lower(), _MISSING)
    for number, name in _STEP.findall(path):
        if isinstance(value, list) and (number or name.isdecimal()):
            index = int(number or name)
            value = value[index] if index < len(value) else _MISSING
        elif isinstance(value, dict) and name:
            value = value.get(name, _MISSING)
        else:
            return _MISSING
    return value


def shown(value: Any) -> str:
    """A value for a person, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:200] + "…"  # noqa: PLR2004


def _same(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, bool) != isinstance(wanted, bool):
        return False
    if isinstance(actual, str) and isinstance(wanted, (int, float)):
        # Headers and bodies are text.
        return actual == str(wanted)
    return bool(actual == wanted)


def _contains(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, str):
        return as_text(wanted) in actual
    if isinstance(actual, list):
        return any(_same(one, wanted) for one in actual)
    return isinstance(actual, dict) and wanted in actual


def _is(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, bool):
        return bool(wanted == "boolean")
    return isinstance(actual, _TYPES.get(str(wanted), ()))


def _has_length(actual: Any, wanted: Any) -> bool:
    return isinstance(actual, (str, list, dict)) and _same(len(actual), wanted)


def _compares(operator: str, actual: Any, wanted: Any) -> bool:
    try:
        left, right = float(actual), float(wanted)
    except (TypeError, ValueError, OverflowError):
        return False
    return {
        "less_than": left < right,
        "at_most": left <= right,
        "greater_than": left > right,
        "at_least": left >= right,
    }[operator]


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": _same,
    "not_equals": lambda actual, wanted: not _same(actual, wanted),
    "contains": _contains,
    "type": _is,
    "length": _has_length,
}

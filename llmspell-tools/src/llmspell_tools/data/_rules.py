"""Rules for fields, and the places where a value breaks them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from llmspell_core.errors import LimitError, did_you_mean
from llmspell_core.schema import describe
from llmspell_core.script.model import ScriptModel
from llmspell_tools._regex import Pattern
from llmspell_tools.data._rule_types import ALIASES, KINDS, TEXTS

MOST_MISTAKES = 1_000
_MAX_DEPTH = 100
_TIME_S = 10
_LIMIT = "limit.rules_time"


def _rule(value: Any) -> Any:
    """`"email?"` and lists of rules as a rule."""
    if isinstance(value, str):
        optional = value.endswith("?")
        return {"type": value.removesuffix("?"), **({"required": False} if optional else {})}
    return {"all": value} if isinstance(value, list) and value else value


RuleSpec = Annotated["Rule", BeforeValidator(_rule)]


class Rule(ScriptModel):
    """What one field must be."""

    aliases: ClassVar[dict[str, str]] = {
        "properties": "fields",
        "in": "enum",
        "one_of": "enum",
        "regex": "pattern",
        "each": "items",
        "same_as": "equals_field",
        "minimum": "min",
        "maximum": "max",
    }

    type: str = Field("any", description=f"{', '.join([*KINDS, *TEXTS])}")
    required: bool | None = Field(None, description="whether it must be there: yes, unless said")
    optional: bool | None = Field(None, description="the contrary of required")
    nullable: bool = Field(False, description="whether null will do as well")
    min: float | None = Field(None, description="least value; for texts and lists least length")
    max: float | None = Field(None, description="greatest value, or length")
    min_length: int | None = Field(None, description="least length of a text or list")
    max_length: int | None = Field(None, description="greatest length")
    multiple_of: float | None = Field(None, gt=0, description="a number it is a multiple of")
    pattern: str | None = Field(None, description="a regular expression (RE2) found in the text")
    enum: list[Any] | None = Field(None, description="the values there are")
    not_in: list[Any] | None = Field(None, description="values it must not be")
    equals_field: str | None = Field(None, description="another field with the same value")
    unique: bool = Field(False, description="no two items of the list are the same")
    items: RuleSpec | None = Field(None, description="the rule for each item of a list")
    fields: dict[str, RuleSpec] | None = Field(None, description="rules for the table's fields")
    strict: bool = Field(False, description="with fields: others are mistakes")
    all: list[RuleSpec] | None = Field(None, description="rules that all must hold")
    message: str | None = Field(None, description="what to say instead of what is wrong")

    @field_validator("type")
    @classmethod
    def _known(cls, given: str) -> str:
        plain = given.strip().lower().replace("-", "_").replace(" ", "_")
        name = ALIASES.get(plain, plain)
        if name in KINDS or name in TEXTS:
            return name
        near = did_you_mean(given, [*KINDS, *TEXTS, *ALIASES])
        text = "is no type: {name}{near}"
        raise PydanticCustomError(
            "rule_type", text, {"name": describe(given), "near": f", {near}" if near else ""}
        )

    @property
    def is_required(self) -> bool:
        """Whether a value without it is wrong."""
        if self.required is not None:
            return self.required
        if self.all is not None and self.optional is None:
            return all(rule.is_required for rule in self.all)
        return not self.optional


@dataclass
class Checker:
    """Applies rules; `errors` are the places where they do not hold."""

    tool: str
    errors: list[dict[str, str]] = field(default_factory=list)
    _patterns: dict[str, Pattern] = field(default_factory=dict)
    _until: float = field(default_factory=lambda: time.monotonic() + _TIME_S)

    def table(
        self, rules: dict[str, Rule], value: dict[str, Any], path: str = "", depth: int = 0
    ) -> None:
        """Check the fields of a table; `a.b` and `a.*.b` are fields further inside."""
        for name, rule in rules.items():
            for place, found, owner in _places(name.split("."), value, path):
                if found is MISSING:
                    if rule.is_required:
                        self._wrong(place, "is required", rule)
                else:
                    self.value(rule, found, place, owner, depth)

    def value(self, rule: Rule, value: Any, path: str, owner: Any = None, depth: int = 0) -> None:
        """Check one value."""
        if len(self.errors) >= MOST_MISTAKES or depth > _MAX_DEPTH:
            return
        if time.monotonic() > self._until:
            raise LimitError(f"{self.tool}: the rules take longer than {_TIME_S} s", code=_LIMIT)
        if value is None and (rule.nullable or (not rule.is_required and rule.type != "null")):
            return
        words = next(self._mistakes(rule, value, owner), None)
        if words:
            self._wrong(path, words, rule)
            return
        for inner in rule.all or ():
            self.value(inner, value, path, owner, depth + 1)
        if rule.items is not None and isinstance(value, list):
            for index, item in enumerate(value):
                self.value(rule.items, item, _joined(path, str(index)), value, depth + 1)
        if rule.fields is not None and isinstance(value, dict):
            self.table(rule.fields, value, path, depth + 1)
            self._others(rule, value, path)

    def _others(self, rule: Rule, value: dict[str, Any], path: str) -> None:
        known = {name.partition(".")[0] for name in rule.fields or ()}
        for name in value if rule.strict else ():
            if name not in known:
                self._wrong(_joined(path, name), "is not expected", rule)

    def _wrong(self, path: str, words: str, rule: Rule) -> None:
        if len(self.errors) < MOST_MISTAKES:
            self.errors.append({"path": path, "message": rule.message or words})

    def _mistakes(self, rule: Rule, value: Any, owner: Any) -> Iterator[str]:
        if rule.type in TEXTS:
            check, words = TEXTS[rule.type]
            if not isinstance(value, str) or not check(value):
                yield f"must be {words}, not {describe(value)}"
        elif not KINDS[rule.type][0](value):
            yield f"must be {KINDS[rule.type][1]}, not {describe(value)}"
        yield from _range_mistakes(rule, value)
        yield from _list_mistakes(rule, value, owner)
        if rule.pattern is not None and not self._matches(rule.pattern, value):
            yield f"does not match {describe(rule.pattern)}"

    def _matches(self, text: str, value: Any) -> bool:
        pattern = self._patterns.get(text)
        if pattern is None:
            pattern = self._patterns[text] = Pattern(self.tool, "rules", text)
        return isinstance(value, str) and pattern.first(value) is not None


MISSING = object()


def _places(names: list[str], value: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Where a path leads: the place, what is there or MISSING, and what holds it."""
    name, rest = names[0], names[1:]
    if name == "*" and isinstance(value, (list, dict)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            place = _joined(path, str(key))
            if rest:
                yield from _places(rest, item, place)
            else:
                yield place, item, value
        return
    found = MISSING
    if isinstance(value, dict):
        found = value.get(name, MISSING)
    elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        found = value[int(name)]
    if rest and found is not MISSING:
        yield from _places(rest, found, _joined(path, name))
    else:
        yield _joined(path, ".".join(names)), found, value


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _range_mistakes(rule: Rule, value: Any) -> Iterator[str]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    size = value if is_number else len(value) if isinstance(value, (str, list, dict)) else None
    what = "" if is_number else " characters" if isinstance(value, str) else " items"
    if size is not None:
        if rule.min is not None and size < rule.min:
            yield f"must be at least {rule.min:g}{what}, not {size}"
        if rule.max is not None and size > rule.max:
            yield f"must be at most {rule.max:g}{what}, not {size}"
    if not is_number and size is not None:
        if rule.min_length is not None and size < rule.min_length:
            yield f"must have at least {rule.min_length}{what}, not {size}"
        if rule.max_length is not None and size > rule.max_length:
            yield f"must have at most {rule.max_length}{what}, not {size}"
    if is_number and rule.multiple_of is not None:
        quotient = value / rule.multiple_of
        if abs(quotient - round(quotient)) > _CLOSE:
            yield f"must be a multiple of {rule.multiple_of:g}, not {describe(value)}"


_CLOSE = 1e-9


def _list_mistakes(rule: Rule, value: Any, owner: Any) -> Iterator[str]:
    if rule.enum is not None and not any(_same(value, one) for one in rule.enum):
        yield f"must be one of {', '.join(map(describe, rule.enum))}, not {describe(value)}"
    if rule.not_in is not None and any(_same(value, one) for one in rule.not_in):
        yield f"must not be {describe(value)}"
    if rule.equals_field is not None:
        other = owner.get(rule.equals_field) if isinstance(owner, dict) else None
        if not _same(value, other):
            yield f"must be the same as {rule.equals_field}"
    if rule.unique and isinstance(value, list):
        import json

        texts = {json.dumps(item, sort_keys=True, default=str) for item in value}
        if len(texts) < len(value):
            yield "must not have an item twice"


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)

"""A JSON Schema validator for schemas from outside: its time is bounded, whatever they say.

Patterns run on RE2, and every keyword looks at the clock: references can make a small schema
apply itself to a small value for longer than anybody waits.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import LimitError, ValidationError

if TYPE_CHECKING:
    from jsonschema import ValidationError as SchemaMistake

#: How long the validation of one value may take: nothing else runs meanwhile.
TIME_S = 0.5
_MAX_PATTERN = 10_000
_MEMORY = 8 << 20

_until: ContextVar[float] = ContextVar("_until", default=float("inf"))

Check = Callable[[Any, Any, Any, Any], "Iterator[SchemaMistake]"]


def first_mistakes(validator: Any, value: Any, most: int) -> list[SchemaMistake]:
    """The first places where a value breaks the schema of a validator of `validator_class`.

    Raises:
        LimitError: `limit.schema_time`.
        ValidationError: the schema itself cannot be used: a pattern that RE2 does not know, a
            reference to nowhere, or one that comes back to itself without an end.
    """
    import referencing.exceptions

    found: list[SchemaMistake] = []
    token = _until.set(time.monotonic() + TIME_S)
    try:
        for one in validator.iter_errors(value):
            found.append(one)
            if len(found) >= most:
                break
    except RecursionError:
        raise ValidationError("the schema or the value is nested too deep") from None
    except referencing.exceptions.Unresolvable as error:
        raise ValidationError(f"the schema cannot be used: {error}") from None
    finally:
        _until.reset(token)
    return found


@functools.cache
def validator_class() -> Any:
    """The validator of draft 2020-12, with a clock and other regular expressions."""
    import jsonschema

    base = jsonschema.Draft202012Validator
    own = {
        **base.VALIDATORS,
        "additionalProperties": _additional(base.VALIDATORS["additionalProperties"]),
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "unevaluatedProperties": _unevaluated(base.VALIDATORS["unevaluatedProperties"]),
        "uniqueItems": _unique,
    }
    timed = {name: _timed(check) for name, check in own.items()}
    return jsonschema.validators.extend(base, timed)  # type: ignore[no-untyped-call]


def _timed(check: Check) -> Check:
    def timed(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaMistake]:
        if time.monotonic() > _until.get():
            raise LimitError(
                f"validating the value took longer than {TIME_S:g} s",
                code="limit.schema_time",
                hint="use a simpler schema",
            )
        yield from check(validator, value, instance, schema) or ()

    return timed


@functools.lru_cache(maxsize=256)
def _compiled(text: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        if len(text) > _MAX_PATTERN:
            raise re2.error(f"it is longer than {_MAX_PATTERN} characters")
        return re2.compile(text, options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
        raise ValidationError(
            f"the pattern {text[:100]!r} of the schema cannot be used: {why}",
            hint="the syntax is RE2's: no look-around and no back-references",
        ) from None


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None


def _pattern(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaMistake]:
    import jsonschema

    if isinstance(instance, str) and not _found(value, instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {value!r}")


def _pattern_properties(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[SchemaMistake]:
    if not isinstance(instance, dict):
        return
    for pattern, subschema in value.items():
        for name, item in instance.items():
            if _found(pattern, name):
                yield from validator.descend(item, subschema, path=name, schema_path=pattern)


def _additional(plain: Check) -> Check:
    """Names that match a pattern are left out before the plain check, which has none then."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaMistake]:
        patterns = schema.get("patternProperties")
        if not patterns or not isinstance(instance, dict):
            return plain(validator, value, instance, schema)
        rest = {
            name: item
            for name, item in instance.items()
            if not any(_found(pattern, name) for pattern in patterns)
        }
        return plain(validator, value, rest, {**schema, "patternProperties": {}})

    return check


def _unevaluated(plain: Check) -> Check:
    """The library looks for properties by its own expressions, deep in its own functions."""

    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaMistake]:
        if '"patternProperties"' in json.dumps(validator.schema):
            raise ValidationError(
                "the schema cannot be used: unevaluatedProperties beside patternProperties",
                hint="use additionalProperties",
            )
        return plain(validator, value, instance, schema)

    return check


def _unique(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[SchemaMistake]:
    import jsonschema

    if value and isinstance(instance, list):
        texts = {json.dumps(_plain_number(one), sort_keys=True) for one in instance}
        if len(texts) != len(instance):
            yield jsonschema.ValidationError("has non-unique elements")


def _plain_number(value: Any) -> Any:
    """1.0 and 1 are the same in JSON."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain_number(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain_number(one) for name, one in value.items()}
    return value

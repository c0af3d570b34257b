"""Values for a JSON schema: ones that match it, and ones that break it in a place that is known.

All choices are a `random.Random`'s, so that hypothesis can make them (`st.randoms`) as well as a
seed. What no schema says is filled with what tends to break programs.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from random import Random
from typing import Any

Schema = dict[str, Any]

#: Text that programs tend to trip over.
TEXTS = (
    "", " ", "a", "hello world", "0", "-1", "1e999", "NaN", "true", "null", "[1]", '{"a":1}', "{",
    "a,b\n1,2", "\n", "\0", "\t\r\n", "é漢😀", "\u202eabc", "e\u0301", "\ud800", "%s{}{{x}}",
    "'\"`;--", "../../etc/passwd", "/dev/zero", "C:\\CON", "http://127.0.0.1:9/", "file:///etc/passwd",
    "data.csv", "2026-02-30T25:61", "P1D", "(a+)+$", "[", "\\", "<a>&amp;</b>", "x" * 2000,
)  # fmt: skip
INTEGERS = (0, 1, -1, 2, 7, 100, 255, 1024, 2**31, -(2**31), 2**53 + 1, 2**64, -(2**70))
NUMBERS = (0.0, -0.0, 0.5, -1.5, 1e-300, 1e300, math.pi, 3.0)
MOST_ITEMS, MOST_DEPTH = 3, 4
_FORMATS = {
    "date": "2026-02-28",
    "date-time": "2026-02-28T12:00:00Z",
    "time": "12:00:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/a?b=c",
    "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "ipv4": "192.0.2.1",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Parameters with one mistake: `field` is where, `what` says in words what it is."""

    params: dict[str, Any]
    field: str
    what: str


def matching(schema: Schema, random: Random) -> dict[str, Any]:
    """Parameters for a tool's schema: what is required, and some of what is not."""
    return _object(schema, random, schema, 0)


def broken(schema: Schema, random: Random) -> Broken | None:
    """Parameters with exactly one mistake; None where the schema forbids nothing."""
    params = matching(schema, random)
    required = list(schema.get("required", ()))
    ways: list[Broken] = []
    for name in required:
        left = {key: value for key, value in params.items() if key != name}
        ways.append(Broken(left, name, f"{name} is left out"))
    for name, spec in schema.get("properties", {}).items():
        ways += [
            Broken({**params, name: wrong}, name, f"{name} is {wrong!r}")
            for wrong in _wrong(spec, schema)
        ]
    ways = [one for one in ways if not _allowed(one.params, schema)]
    return random.choice(ways) if ways else None


def _allowed(params: dict[str, Any], schema: Schema) -> bool:
    import jsonschema

    return bool(jsonschema.Draft202012Validator(schema).is_valid(params))


# -- what matches ---------------------------------------------------------------------------------


def _value(schema: Schema, random: Random, top: Schema, depth: int) -> Any:
    schema = _resolved(schema, top)
    if "const" in schema:
        return copy.deepcopy(schema["const"])
    if "enum" in schema:
        return copy.deepcopy(random.choice(schema["enum"]))
    for word in ("anyOf", "oneOf"):
        if schema.get(word):
            return _value(random.choice(schema[word]), random, top, depth)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = random.choice(kind)
    if kind is None:
        kind = "object" if "properties" in schema else random.choice(sorted(_MAKERS))
    return _MAKERS[kind](schema, random, top, depth)


def _resolved(schema: Schema, top: Schema) -> Schema:
    """The schema behind a `$ref`, and what `allOf` adds up to."""
    seen = 0
    while "$ref" in schema and seen <= MOST_DEPTH:
        found: Any = top
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found.get(part, {})
        schema, seen = {**found, **{k: v for k, v in schema.items() if k != "$ref"}}, seen + 1
    for one in schema.get("allOf", ()):
        schema = {**schema, **_resolved(one, top)}
    return schema


def _object(schema: Schema, random: Random, top: Schema, depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    made = {}
    for name, spec in schema.get("properties", {}).items():
        if name in required or (depth < MOST_DEPTH and random.random() < _share(schema)):
            made[name] = _value(spec, random, top, depth + 1)
    extra = schema.get("additionalProperties")
    # Only where a schema says what others are: the top of a tool's takes none.
    if (isinstance(extra, dict) or (extra is True and depth)) and depth < MOST_DEPTH:
        for _ in range(random.randint(0, MOST_ITEMS)):
            spec = extra if isinstance(extra, dict) else {}
            made[random.choice(TEXTS[1:13])] = _value(spec, random, top, depth + 1)
    return made


def _share(schema: Schema) -> float:
    """Tools with many parameters get a few of them, mostly."""
    return min(0.5, 3 / max(1, len(schema["properties"])))


def _array(schema: Schema, random: Random, top: Schema, depth: int) -> list[Any]:
    least = schema.get("minItems", 0)
    most = max(least, min(schema.get("maxItems", MOST_ITEMS), MOST_ITEMS))
    count = random.randint(least, most if depth < MOST_DEPTH else least)
    spots = list(schema.get("prefixItems", ()))
    items = schema.get("items", {})
    specs = [*spots, *[items if isinstance(items, dict) else {}] * max(0, count - len(spots))]
    return [_value(one, random, top, depth + 1) for one in specs]


def _string(schema: Schema, random: Random, *_: Any) -> str:
    if schema.get("format") in _FORMATS and random.random() < 0.7:  # noqa: PLR2004
        return _FORMATS[schema["format"]]
    text: str = random.choice(TEXTS)
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    text += "x" * max(0, least - len(text))
    return text if most is None else text[:most]


def _integer(schema: Schema, random: Random, *_: Any) -> int:
    low, high = _bounds(schema)
    fitting = [one for one in INTEGERS if low <= one <= high]
    if fitting and random.random() < 0.7:  # noqa: PLR2004 - mostly
        found = random.choice(fitting)
    else:
        first = math.ceil(low) if low > -math.inf else -1000
        last = math.floor(high) if high < math.inf else max(first, 1000)
        found = random.randint(first, max(first, last))
    step = schema.get("multipleOf")
    return found if not step else int(found // step * step)


def _number(schema: Schema, random: Random, top: Schema, depth: int) -> float | int:
    low, high = _bounds(schema)
    fitting = [one for one in NUMBERS if low <= one <= high]
    if fitting and random.random() < 0.5:  # noqa: PLR2004
        return random.choice(fitting)
    return _integer(schema, random, top, depth)


def _bounds(schema: Schema) -> tuple[float, float]:
    low = max(
        schema.get("minimum", -math.inf),
        math.nextafter(schema.get("exclusiveMinimum", -math.inf), math.inf),
    )
    high = min(
        schema.get("maximum", math.inf),
        math.nextafter(schema.get("exclusiveMaximum", math.inf), -math.inf),
    )
    return (
        low if "minimum" in schema or "exclusiveMinimum" in schema else -math.inf,
        high if "maximum" in schema or "exclusiveMaximum" in schema else math.inf,
    )


_MAKERS: dict[str, Any] = {
    "array": _array,
    "boolean": lambda _, random, *__: random.random() < 0.5,  # noqa: PLR2004
    "integer": _integer,
    "null": lambda *_: None,
    "number": _number,
    "object": _object,
    "string": _string,
}


# -- what does not --------------------------------------------------------------------------------

#: For each type values that nothing reads as one of it, however kind.
_NEVER: dict[str, tuple[Any, ...]] = {
    "boolean": ("neither", [], 7),
    "integer": ("seven", [], {}, 1.5),
    "null": (),
    "number": ("seven", [], {}),
    "object": (7, True),
    "string": ([7], {"a": 7}),
}
NO_VALUE_OF_AN_ENUM = "no such value ~"


def _wrong(schema: Schema, top: Schema) -> list[Any]:
    """Values that no reading of the field's own type takes; a validator has the last word."""
    schema = _resolved(schema, top)
    if "enum" in schema or "const" in schema:
        return [NO_VALUE_OF_AN_ENUM, [NO_VALUE_OF_AN_ENUM]]
    choices = [_resolved(one, top) for one in schema.get("anyOf") or schema.get("oneOf") or ()]
    if choices:
        lists = [_wrong(one, top) for one in choices if one.get("type") != "null"]
        first = lists[0] if lists else []
        return [one for one in first if all(_in(one, others) for others in lists)]
    kind = schema.get("type")
    if not isinstance(kind, str):
        return []
    if kind == "array":
        return _no_list(_resolved(schema.get("items") or {}, top))
    low, high = _bounds(schema)
    outside: list[Any] = [math.floor(low) - 1] if low > -math.inf else []
    outside += [math.ceil(high) + 1] if high < math.inf else []
    return [*_NEVER.get(kind, ()), *outside]


def _no_list(items: Schema) -> list[Any]:
    """What is no list, nor an item: a kind tool takes one that stands alone for a list of it."""
    kind = items.get("type")
    if not isinstance(kind, str):
        return []
    return [7] if kind in ("object", "array", "string") else [{"a": 7}]


def _in(value: Any, values: list[Any]) -> bool:
    return any(type(one) is type(value) and one == value for one in values)

"""The kinds of checks: what each is given, and the options beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmspell_core.errors import LLMSpellError
from llmspell_core.schema import check_schema, describe
from llmspell_core.testing.trajectory import MATCHES

#: What can be evaluated.
TARGETS = ("agent", "workflow", "tool", "script")
#: Options of each kind; those of "" stand beside all.
OPTIONS: dict[str, set[str]] = {
    "": {"not", "name"},
    "equals": {"ignore_case"},
    "contains": {"ignore_case"},
    "regex": {"ignore_case"},
    "schema": set(),
    "tools": {"match"},
    "handoffs": set(),
    "script": {"threshold"},
    "judge": {"threshold", "model", "agent"},
    "error": set(),
    "within": set(),
}
#: What `within` bounds.
BOUNDS = ("ms", "cost_usd", "tokens", "requests")

Wrong = str | None


def _anything(_: Any, __: dict[str, Any]) -> Wrong:
    return None


def _texts(wanted: Any, _: dict[str, Any]) -> Wrong:
    many = wanted if isinstance(wanted, list) else [wanted]
    fits = bool(many) and all(isinstance(one, str) for one in many)
    return None if fits else f"{describe(wanted)} is not text or a list of texts"


def _text(wanted: Any, _: dict[str, Any]) -> Wrong:
    fits = isinstance(wanted, str) and bool(wanted)
    return None if fits else f"{describe(wanted)} is not text"


def _regex(wanted: Any, options: dict[str, Any]) -> Wrong:
    if wrong := _text(wanted, options):
        return wrong
    try:
        pattern(wanted, options)
    except LLMSpellError as error:
        return error.message
    return None


def _schema(wanted: Any, _: dict[str, Any]) -> Wrong:
    if not isinstance(wanted, dict):
        return f"{describe(wanted)} is no JSON schema"
    try:
        check_schema(wanted)
    except LLMSpellError as error:
        return error.message
    return None


def _tools(wanted: Any, options: dict[str, Any]) -> Wrong:
    match = options.get("match", "exact")
    if match not in MATCHES:
        return f"match: {describe(match)} is not one of {', '.join(MATCHES)}"
    for one in wanted if isinstance(wanted, list) else [wanted]:
        table = isinstance(one, dict) and isinstance(one.get("name"), str)
        if not isinstance(one, str) and not table:
            return f"{describe(one)} is no call: a name, or {{name, arguments}}"
    return None


def _names(wanted: Any, _: dict[str, Any]) -> Wrong:
    fits = isinstance(wanted, list) and all(isinstance(one, str) for one in wanted)
    return None if fits else f"{describe(wanted)} is no list of names"


def _function(wanted: Any, options: dict[str, Any]) -> Wrong:
    file, mark, name = wanted.partition("#") if isinstance(wanted, str) else ("", "", "")
    if file and mark and name:
        return _share(options)
    return f"{describe(wanted)} names no function: FILE#NAME"


def _judge(wanted: Any, options: dict[str, Any]) -> Wrong:
    return _text(wanted, options) or _share(options)


def _share(options: dict[str, Any]) -> Wrong:
    share = options.get("threshold", 0.5)
    fits = isinstance(share, (int, float)) and not isinstance(share, bool) and 0 <= share <= 1
    return None if fits else f"threshold: {describe(share)} is no number from 0 to 1"


def _bounds(wanted: Any, _: dict[str, Any]) -> Wrong:
    if not isinstance(wanted, dict) or not wanted:
        return f"{describe(wanted)} is not a table of {', '.join(BOUNDS)}"
    for name, value in wanted.items():
        if name not in BOUNDS:
            return f'unknown bound "{name}": one of {", ".join(BOUNDS)}'
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"{name}: {describe(value)} is not a number"
    return None


def pattern(text: str, options: dict[str, Any]) -> Any:
    """A regular expression of the file, compiled in linear time; `input.invalid`."""
    import re2

    from llmspell_core.errors import ValidationError

    given = re2.Options()
    given.log_errors = False
    given.case_sensitive = not options.get("ignore_case")
    try:
        return re2.compile(text, given)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        said = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValidationError(f"the pattern cannot be used: {said}") from None


#: Kind -> says what is wrong with what it is given.
KINDS: dict[str, Callable[[Any, dict[str, Any]], Wrong]] = {
    "equals": _anything,
    "contains": _texts,
    "regex": _regex,
    "schema": _schema,
    "tools": _tools,
    "handoffs": _names,
    "script": _function,
    "judge": _judge,
    "error": _text,
    "within": _bounds,
}

"""What an answer is looked at for, without asking anybody: texts, schemas, calls, bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmspell_bridge.evaluation.kinds import pattern
from llmspell_bridge.evaluation.results import Answer, Verdict
from llmspell_core.json_text import read_json
from llmspell_core.schema import schema_mistakes
from llmspell_core.testing.trajectory import mismatch

if TYPE_CHECKING:
    from llmspell_bridge.evaluation.suite import Check

_SHOWN = 200
_MISSING = object()


def look(check: Check, answer: Answer) -> Verdict:
    """The verdict of a check that needs nobody."""
    wrong = CHECKS[check.kind](check, answer)
    return verdict(check, wrong is None, wrong or "")


def verdict(check: Check, passed: bool, reason: str = "", score: float | None = None) -> Verdict:
    """A verdict, turned round where the check is negated."""
    found = float(passed) if score is None else score
    if check.negated:
        reason = reason if passed and reason else "it is so"
        return Verdict(check.label, not passed, 1.0 - found, "" if not passed else reason)
    return Verdict(check.label, passed, found, reason)


def value_of(answer: Answer) -> Any:
    """The answer as data: what was returned as such, else its text as JSON."""
    if answer.data is not None:
        return answer.data
    try:
        return read_json(answer.text)
    except ValueError:
        return _MISSING


def said(answer: Answer) -> str:
    """The answer for a reason: its text, shortened."""
    text = json.dumps(answer.text, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _equals(check: Check, answer: Answer) -> str | None:
    wanted = check.wanted
    if isinstance(wanted, str):
        same = _folded(answer.text.strip(), check) == _folded(wanted.strip(), check)
        return None if same or answer.data == wanted else f"the answer is {said(answer)}"
    found = value_of(answer)
    if found is not _MISSING and found == wanted and _kinds(found) == _kinds(wanted):
        return None
    shown = said(answer) if found is _MISSING else json.dumps(found, ensure_ascii=False)[:_SHOWN]
    return f"the answer is {shown}"


def _kinds(value: Any) -> bool:
    # For Python true is 1; for who wrote the suite it is not.
    return isinstance(value, bool)


def _contains(check: Check, answer: Answer) -> str | None:
    many = check.wanted if isinstance(check.wanted, list) else [check.wanted]
    text = _folded(answer.text, check)
    missing = [one for one in many if _folded(one, check) not in text]
    if not missing:
        return None
    which = f"{json.dumps(missing[0], ensure_ascii=False)} is not in " if len(many) > 1 else ""
    return f"{which}{said(answer)}" if which else f"the answer is {said(answer)}"


def _regex(check: Check, answer: Answer) -> str | None:
    found = pattern(check.wanted, check.options).search(answer.text)
    return None if found else f"the answer is {said(answer)}"


def _schema(check: Check, answer: Answer) -> str | None:
    found = value_of(answer)
    if found is _MISSING:
        return f"the answer is no JSON: {said(answer)}"
    wrong = schema_mistakes(check.wanted, found)
    return "; ".join(f"{one['field']} {one['message']}".strip() for one in wrong) or None


def _tools(check: Check, answer: Answer) -> str | None:
    if answer.calls is None:
        return "nobody knows its calls: let the script return the agent's output"
    steps: list[Any] = []
    for one in check.wanted if isinstance(check.wanted, list) else [check.wanted]:
        table = isinstance(one, dict)
        steps.append((one["name"], one.get("arguments") or {}) if table else one)
    return mismatch(answer.calls, steps, check.options.get("match", "exact"))


def _handoffs(check: Check, answer: Answer) -> str | None:
    went = answer.handoffs or []
    return None if went == check.wanted else f"control went to {', '.join(went) or 'nobody'}"


def _error(check: Check, answer: Answer) -> str | None:
    if answer.error is None:
        return f"it did not fail, it said {said(answer)}"
    code, message = answer.error.get("code"), str(answer.error.get("message", ""))
    fits = check.wanted in (code, "any") or check.wanted in message
    return None if fits else f"it failed with {code}: {message}"


def _within(check: Check, answer: Answer) -> str | None:
    used = {
        "ms": answer.ms,
        "cost_usd": answer.cost_usd,
        "tokens": answer.tokens,
        "requests": answer.requests,
    }
    for name, most in check.wanted.items():
        value = used[name]
        if value is None:
            return f"its {name} is unknown"
        if value > most:
            return f"{name} {value:g}, more than {most:g}"
    return None


def _folded(text: str, check: Check) -> str:
    return text.casefold() if check.options.get("ignore_case") else text


#: Kind -> why it does not hold, or None.
CHECKS: dict[str, Callable[[Check, Answer], str | None]] = {
    "equals": _equals,
    "contains": _contains,
    "regex": _regex,
    "schema": _schema,
    "tools": _tools,
    "handoffs": _handoffs,
    "error": _error,
    "within": _within,
}

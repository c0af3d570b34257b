"""A grammar that makes a small model quote a tool's result instead of inventing one."""

from __future__ import annotations

import json
import re
from typing import Any

from llmspell_core.messages import Message

#: Longer values are told in the model's own words.
_MAX_VALUE = 80
_MAX_VALUES = 8
_FAILED = ("error:", "failed:", "[")
_NUMBER = re.compile(r"\d+")


def quoting_grammar(messages: list[Message]) -> str | None:
    """One line of text that holds a value of the last results word for word, in GBNF.

    Before it no number may stand that the question does not have: those are the ones that small
    models make up. None when there is no value short enough.
    """
    last = max((i for i, one in enumerate(messages) if one.role == "user"), default=-1)
    values = [
        value for one in messages[last + 1 :] if one.role == "tool" for value in _values(one.text)
    ][:_MAX_VALUES]
    if not values:
        return None
    question = messages[last].text if last >= 0 else ""
    numbers = dict.fromkeys([*_NUMBER.findall(question), *_NUMBER.findall(" ".join(values))])
    known = " | ".join(map(_literal, numbers))
    word = r"[^0-9\n]" + (f" | {known}" if known else "")
    return "\n".join(
        [
            "root ::= before value after",
            f"value ::= {' | '.join(map(_literal, dict.fromkeys(values)))}",
            f"before ::= ({word})*",
            f"after ::= ({word})*",
        ]
    )


def _values(text: str) -> list[str]:
    if text.startswith(_FAILED):
        return []
    try:
        found = _leaves(json.loads(text))
    except ValueError:
        found = [text.strip()]
    return [one for one in found if one and len(one) <= _MAX_VALUE and "\n" not in one]


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one)]
    if value is None or isinstance(value, bool):
        return []
    return [value if isinstance(value, str) else json.dumps(value)]


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

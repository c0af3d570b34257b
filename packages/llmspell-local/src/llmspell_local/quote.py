"""A grammar that makes a small model quote a tool's result instead of inventing one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from llmspell_core.messages import Message

#: Longer values are told in the model's own words.
_MAX_VALUE = 80
_MAX_VALUES = 8
_MAX_WORDS = 16
#: Of words and of arithmetic, in any script; no digits, no signs of units.
_LETTER = r"""["'()*+/=%:A-Za-z\u00C0-\u02AF\u0370-\u1FFF\u3040-\uFFDC-]"""
_MAX_LETTERS = 20
_FAILED = ("error:", "failed:", "[")
#: A number, or a word with one inside: `3.5`, `A-99`, `sha256`.
_NUMBERED = re.compile(r"\w[\w.-]*\d\w*|\d\w*")


def quoting_grammar(messages: list[Message]) -> str | None:
    """One sentence that holds a value of the last results word for word, in GBNF.

    Beside the results it may have no number that the question does not have: those are the ones
    that small models make up. None when there is no value short enough.
    """
    last = max((i for i, one in enumerate(messages) if one.role == "user"), default=-1)
    values = [
        value for one in messages[last + 1 :] if one.role == "tool" for value in _values(one.text)
    ][:_MAX_VALUES]
    if not values:
        return None
    question = messages[last].text if last >= 0 else ""
    numbers = "".join(f" | {_literal(one)}" for one in dict.fromkeys(_NUMBERED.findall(question)))
    return "\n".join(
        [
            f"root ::= (word gap){{0,{_MAX_WORDS}}} value (after){{0,{_MAX_WORDS}}} [.!]?",
            f"value ::= {' | '.join(map(_literal, dict.fromkeys(_spellings(values))))}",
            f"word ::= {_LETTER}{{1,{_MAX_LETTERS}}} | value{numbers}",
            "after ::= gap word",
            'gap ::= ","? " "',
        ]
    )


def _spellings(values: list[str]) -> Iterator[str]:
    for value in values:
        yield value
        if value.startswith("-"):
            # Models write a space and then a number's first digit, but " -" as one token.
            yield f" {value}"


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

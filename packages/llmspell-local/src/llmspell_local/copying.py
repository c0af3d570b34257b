"""Arguments in the words of the conversation: what a small model may put into free texts.

A model of this size that is asked for an argument makes one up, or repeats the one of a
demonstration. What a caller needs stands in the question nearly always, so its words, with any
punctuation between them, are all that is offered.
"""

from __future__ import annotations

import re
from typing import Any

from llmspell_core.messages import Message

_WORD = re.compile(r"\w+")
#: Of the last words; more would make the grammar slow, and the model reads no further anyway.
_MAX_WORDS = 200
#: Words in one argument.
_MAX_LENGTH = 24
_MAX_DIGITS = 16
_NAMES = "zero one two three four five six seven eight nine ten eleven twelve"
_DIGITS = {name: str(value) for value, name in enumerate(_NAMES.split())}
_MARK = r"[!#$%&'()*+,./:;<=>?@^_{|}~-]"
#: Between two words: a space, or one or two marks with or without spaces.
_BETWEEN = f"( | ?{_MARK}{{1,2}} ?)"
_FREE = ("enum", "const", "pattern", "format")


def words_of(messages: list[Message]) -> list[str]:
    """The words of a conversation with their usual spellings, the latest ones at most."""
    said = [word for one in messages for word in _WORD.findall(one.text)][-_MAX_WORDS:]
    found: dict[str, None] = {}
    for word in said:
        digits = _DIGITS.get(word.lower())
        spellings = (word, word.lower(), *([digits] if digits else ()))
        found.update(dict.fromkeys(spellings))
    return [*found]


def in_words(schema: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """The schema with every free text and whole number held to these words."""
    if not words:
        return schema
    made = dict(schema)
    if made.get("type") == "string" and not any(key in made for key in _FREE):
        made.pop("minLength", None)
        made.pop("maxLength", None)
        made["pattern"] = _pattern(words)
    if made.get("type") == "integer" and not any(key in made for key in _FREE):
        numbers = _numbers(words)
        made = {"enum": numbers} if numbers else made
    if isinstance(made.get("properties"), dict):
        parts = made["properties"].items()
        made["properties"] = {name: in_words(part, words) for name, part in parts}
    if isinstance(made.get("items"), dict):
        made["items"] = in_words(made["items"], words)
    return made


def _pattern(words: list[str]) -> str:
    word = f"({'|'.join(map(re.escape, words))})"
    return f"^{_MARK}{{0,2}}{word}({_BETWEEN}{word}){{0,{_MAX_LENGTH}}}{_MARK}{{0,2}}$"


def _numbers(words: list[str]) -> list[int]:
    return [*dict.fromkeys(int(one) for one in words if one.isdecimal() and len(one) < _MAX_DIGITS)]

"""The value in JSON text that is still being written.

What is not certain yet is left out: a name without its value, half of an escape, a number that
may go on, `tru`. A text that is cut off counts as far as it goes.
"""

from __future__ import annotations

import json
import re
from typing import Any

#: A run of a string's characters that no further text changes: whole escapes only, and of a
#: surrogate pair both halves or none.
_CERTAIN = re.compile(
    r"""
    (?: [^"\\]+
      | \\["\\/bfnrt]
      | \\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}
      | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
    )*+
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\n\r]*+")
_SCALAR = re.compile(r"[^ \t\n\r,:\[\]{}\"]*+")
_DEEPEST = 200


class PartialJson:
    """Takes JSON text in pieces; `value()` is what it says so far.

    Everything before the first of `opens` is passed over, so that a value in the midst of a
    text is found.

    Args:
        opens: the brackets that the value may begin with
    """

    def __init__(self, opens: str = "{[") -> None:
        self._text = ""
        self._opens_with = opens
        #: Where reading goes on, and the closing brackets that are due there.
        self._at = 0
        self._open: list[str] = []
        #: The text up to here, closed, is valid JSON.
        self._safe = 0
        self._begun = False
        self._ended = False
        #: In an object: whether a name or a value comes next.
        self._name = False

    def feed(self, piece: str) -> None:
        """Add what has come."""
        self._text += piece
        if not self._begun:
            starts = [at for at in map(self._text.find, self._opens_with) if at >= 0]
            if not starts:
                return
            self._text = self._text[min(starts) :]
            self._begun = True
        while not self._ended and self._step():
            pass

    def value(self) -> tuple[bool, Any]:
        """(whether there is a value, the value)."""
        if not self._safe:
            return False, None
        text = self._text[: self._safe] + self._unfinished() + "".join(reversed(self._open))
        try:
            return True, json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return False, None

    def _step(self) -> bool:
        """Read one token; False when it is not whole yet, or is no JSON."""
        start = _blank(self._text, self._at)
        char = self._text[start : start + 1]
        if not char:
            return False
        if char in "{[":
            return self._opens(start, char)
        if char in "}]":
            return self._closes(start, char)
        if char == ",":
            self._name = self._open[-1] == "}"
            self._at = start + 1
            return True
        if char == ":":
            self._name = False
            self._at = start + 1
            return True
        return self._string(start) if char == '"' else self._scalar(start)

    def _opens(self, start: int, char: str) -> bool:
        if len(self._open) >= _DEEPEST:
            self._ended = True
            return False
        self._open.append("}" if char == "{" else "]")
        self._name = char == "{"
        self._at = self._safe = start + 1
        return True

    def _closes(self, start: int, char: str) -> bool:
        if self._open[-1] != char:
            self._ended = True
            return False
        self._open.pop()
        self._at = self._safe = start + 1
        self._name = False
        self._ended = not self._open
        return True

    def _string(self, start: int) -> bool:
        found = _CERTAIN.match(self._text, start + 1)
        end = found.end() if found else start + 1
        if self._text[end : end + 1] != '"':
            # A half pair that nothing completes is rare enough to be read as json does.
            end = _closing(self._text, end)
            if end < 0:
                return False
        self._at = end + 1
        if not self._name:
            self._safe = self._at
        return True

    def _scalar(self, start: int) -> bool:
        found = _SCALAR.match(self._text, start)
        end = found.end() if found else start
        if end >= len(self._text) or end == start:
            return False
        self._at = self._safe = end
        return True

    def _unfinished(self) -> str:
        """What comes after the safe part and counts already: a string that is being written."""
        start = _blank(self._text, self._at)
        if self._ended or self._name or self._text[start : start + 1] != '"':
            return ""
        found = _CERTAIN.match(self._text, start + 1)
        end = found.end() if found else start + 1
        return f'{self._text[self._safe : end]}"'


def parse_partial(text: str) -> tuple[bool, Any]:
    """(whether there is a value, the value) of JSON text that may be cut off anywhere.

    A whole text gives its value, whatever kind that is; of one that is cut off, only an object
    or a list is certain to be one.
    """
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        pass
    reader = PartialJson()
    reader.feed(text)
    return reader.value()


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _closing(text: str, at: int) -> int:
    """Where the string ends that is read up to `at`; -1 when that has not come."""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at
        else:
            at += 1
    return -1

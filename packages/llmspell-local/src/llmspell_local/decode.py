"""`AnswerDecoder`: the text of a JSON answer as it is written, piece by piece."""

from __future__ import annotations

import json
import re

_START = re.compile(r'\s*\{\s*"answer"\s*:\s*"')
#: What can be given out without knowing what follows. A first half of a surrogate pair is
#: whole only with its second half, or when what follows can be none.
_UNIT = re.compile(
    r"""
      [^"\\]+
    | \\[^u]
    | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
    | \\u[dD][89abAB][0-9a-fA-F]{2}(?=[^\\]|\\[^u]|\\u[^dD]|\\u[dD][^c-fC-F])
    """,
    re.VERBOSE | re.DOTALL,
)


class AnswerDecoder:
    """Reads ``{"answer": "..."}`` in pieces of any size and gives the answer's text.

    Anything else (a tool call) gives no text at all.
    """

    def __init__(self) -> None:
        self._whole = ""
        #: Where the first character stands that was not given out; None before the answer.
        self._at: int | None = None

    def feed(self, piece: str) -> str:
        """The text that became certain with this piece."""
        self._whole += piece
        if self._at is None:
            start = _START.match(self._whole)
            if start is None:
                return ""
            self._at = start.end()
        units = []
        # At the closing quote, and inside of a unit that is not whole, nothing matches.
        while unit := _UNIT.match(self._whole, self._at):
            units.append(unit[0])
            self._at = unit.end()
        return _plain("".join(units)) if units else ""

    @property
    def raw(self) -> str:
        """Everything that was fed."""
        return self._whole


def _plain(escaped: str) -> str:
    text: str = json.loads(f'"{escaped}"', strict=False)
    # Half a pair is no character: nothing could print or store it.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

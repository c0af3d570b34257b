"""BibTeX as plain fields: entries, macros, concatenation, and the accents of TeX."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from llmspell_core.errors import ValidationError
from llmspell_tools._parameters import wrong

TOOL = "citation-formatter"
_KEY = re.compile(r"\s*([^\s,{}()=#\"]+)\s*")
_FIELD = re.compile(r"\s*([A-Za-z_][\w:.+-]*)\s*=\s*")
_WORD = re.compile(r"[^\s,{}()\"#=]+")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304",
    ".": "\u0307", "u": "\u0306", "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328",
    "r": "\u030a", "d": "\u0323", "b": "\u0331",
}  # fmt: skip
_LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł",
    "aa": "å", "AA": "Å", "i": "i", "j": "j", "textendash": "\u2013", "textemdash": "—",
    "ldots": "…",
    "textbackslash": "\\", "LaTeX": "LaTeX", "TeX": "TeX",
}  # fmt: skip
_ACCENT = re.compile(
    r"\\([`'^~\"=.])\s*(?:\{\s*\\?([A-Za-z])\s*\}|\\?([A-Za-z]))"
    r"|\\([uvHckrdb])(?:\{\s*\\?([A-Za-z])\s*\}|\s+\\?([A-Za-z]))"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)(?:\{\}|\s+)?")
_ESCAPED = re.compile(r"\\([&%$#_{} ,;!-])")


@dataclass
class Raw:
    """One entry as it was written."""

    kind: str
    key: str
    fields: dict[str, str]


def read(text: str) -> list[Raw]:
    """The entries of a text, or `input.invalid` with the line."""
    return _Reader(text).entries()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.macros = {month: str(number + 1) for number, month in enumerate(_MONTHS)}

    def wrong(self, words: str) -> ValidationError:
        line = self.text.count("\n", 0, self.place) + 1
        return wrong(TOOL, "input", f"is no BibTeX: {words} at line {line}")

    def entries(self) -> list[Raw]:
        found = []
        while (start := self.text.find("@", self.place)) >= 0:
            self.place = start + 1
            named = _WORD.match(self.text, self.place)
            if named is None:
                raise self.wrong("a name is missing after @")
            self.place = named.end()
            kind = named[0].lower()
            if kind == "comment":
                continue
            self.skip()
            if self.peek() not in "{(" or not self.peek():
                raise self.wrong(f'"{{" is missing after @{kind[:40]}')
            close = "}" if self.peek() == "{" else ")"
            if kind == "preamble":
                self.braced() if close == "}" else self.until(close)
                continue
            self.place += 1
            if kind == "string":
                self.macros |= {name.lower(): text for name, text in self.fields(close).items()}
            else:
                found.append(self.entry(kind, close))
        return found

    def entry(self, kind: str, close: str) -> Raw:
        key = _KEY.match(self.text, self.place)
        if key is None:
            raise self.wrong("an entry has no key")
        self.place = key.end()
        if self.peek() == ",":
            self.place += 1
            return Raw(kind, key[1], self.fields(close))
        if self.peek() != close:
            raise self.wrong(f'a comma is missing after the key "{key[1][:40]}"')
        self.place += 1
        return Raw(kind, key[1], {})

    def fields(self, close: str) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self.skip()
            if self.peek() == close:
                self.place += 1
                return found
            named = _FIELD.match(self.text, self.place)
            if named is None:
                raise self.wrong("a field or the end of the entry is missing")
            self.place = named.end()
            found[named[1].lower()] = self.value()
            self.skip()
            if self.peek() == ",":
                self.place += 1
            elif self.peek() != close:
                raise self.wrong(f'a comma is missing after the field "{named[1][:40]}"')

    def value(self) -> str:
        parts = [self.part()]
        self.skip()
        while self.peek() == "#":
            self.place += 1
            self.skip()
            parts.append(self.part())
            self.skip()
        return "".join(parts)

    def part(self) -> str:
        if self.peek() == "{":
            return self.braced()
        if self.peek() == '"':
            self.place += 1
            return self.until('"')
        word = _WORD.match(self.text, self.place)
        if word is None:
            raise self.wrong("a value is missing")
        self.place = word.end()
        return self.macros.get(word[0].lower(), word[0])

    def braced(self) -> str:
        self.place += 1
        return self.until("}")

    def until(self, end: str) -> str:
        """The text up to a character outside of inner braces."""
        depth, start = 0, self.place
        for found in _BRACES.finditer(self.text, start):
            char = found[0]
            if char.startswith("\\"):
                continue
            if char == end and depth == 0:
                self.place = found.end()
                return self.text[start : found.start()]
            depth += {"{": 1, "}": -1}.get(char, 0)
        raise self.wrong("a value does not end")

    def skip(self) -> None:
        self.place = _SPACE.match(self.text, self.place).end()  # type: ignore[union-attr]

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]


_BRACES = re.compile(r"\\.|[{}\")]", re.DOTALL)
_SPACE = re.compile(r"\s*")


def plain(text: str) -> str:
    """A value without the marks of TeX."""
    text = _ACCENT.sub(_accented, text)
    text = _ESCAPED.sub(lambda found: "" if found[1] in "-!" else found[1].strip(",;") or " ", text)
    text = _COMMAND.sub(lambda found: _LETTERS.get(found[1], ""), text)
    text = text.replace("---", "—").replace("--", "\u2013").replace("~", " ")
    text = text.replace("``", "“").replace("''", "”").replace("{", "").replace("}", "")
    return " ".join(text.replace("$", "").split())


def _accented(found: re.Match[str]) -> str:
    mark = found[1] or found[4]
    letter = found[2] or found[3] or found[5] or found[6]
    return unicodedata.normalize("NFC", letter + _ACCENTS[mark])

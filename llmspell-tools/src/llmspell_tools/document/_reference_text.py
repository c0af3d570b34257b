"""The words that references are made of: names, dates, pages, stops and italics."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmspell_tools.document._entries import DASH, Entry, Name

#: Around what is to be in italics, until the form of the output is known.
_OPEN, _CLOSE = "\x01", "\x02"
_SHORT_MONTHS = {"September": "Sept."}


def italic(text: str) -> str:
    """The text, to be in italics."""
    return f"{_OPEN}{text}{_CLOSE}" if text else ""


def rendered(text: str, form: str) -> str:
    """A reference as text, Markdown or HTML."""
    if form == "html":
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return text.replace(_OPEN, "<i>").replace(_CLOSE, "</i>")
    mark = "*" if form == "markdown" else ""
    if mark:
        text = re.sub(r"([*_`<>])", r"\\\1", text)
    return text.replace(_OPEN, mark).replace(_CLOSE, mark)


def sentences(*parts: str) -> str:
    """Parts with a full stop after each, and a space between."""
    return " ".join(stopped(part) for part in parts if part)


def stopped(part: str) -> str:
    """The text with one full stop at its end."""
    bare = part.rstrip(f"{_CLOSE}”’")  # noqa: RUF001
    if bare.endswith((".", "?", "!")) or "://" in part.rsplit(" ", maxsplit=1)[-1]:
        return part
    # American styles put the stop inside of the quotation marks.
    return f"{part[:-1]}.”" if part.endswith("”") else f"{part}."


def commas(*parts: str) -> str:
    """The parts that there are, with commas."""
    return ", ".join(part for part in parts if part)


def listed(names: list[str], last: str) -> str:
    """Names one after the other, with a word before the last."""
    if len(names) < 2:  # noqa: PLR2004
        return "".join(names)
    return ", ".join(names[:-1]) + last + names[-1]


def inverted(name: Name, separator: str = " ") -> str:
    """As in `Turing, A. M.`."""
    return commas(name.family, name.initials(separator))


def last_and(names: Sequence[object]) -> str:
    """The word before the last of several names."""
    return " and " if len(names) == 2 else ", and "  # noqa: PLR2004


def initials_first(name: Name) -> str:
    """As in `A. M. Turing`."""
    return f"{name.initials()} {name.family}".strip()


def full(name: Name) -> str:
    """As in `Alan Turing`."""
    return f"{name.given} {name.family}".strip()


def pages_of(entry: Entry) -> str:
    """The pages with p. or pp."""
    several = DASH in entry.pages
    return f"{'pp' if several else 'p'}. {entry.pages}" if entry.pages else ""


def short_month(entry: Entry) -> str:
    """The month in short, as in `Nov.`."""
    name = entry.month_name
    return _SHORT_MONTHS.get(name, name if len(name) <= 4 else f"{name[:3]}.")  # noqa: PLR2004


def year_of(entry: Entry) -> str:
    """The year, with the letter that tells it from others."""
    return f"{entry.year or 'n.d.'}{entry.suffix}"


def short(entry: Entry, most: int, last: str) -> str:
    """Who wrote it, as named in a text."""
    names = [name.family for name in entry.authors or entry.editors]
    if not names:
        return f"“{entry.title}”" if entry.title else entry.key
    if len(names) > most or "others" in names:
        return f"{names[0]} et al."
    return listed(names, last)


def ordinal(text: str, word: str) -> str:
    """`2` as `2nd ed.`; anything else as it is."""
    if text.isdecimal():
        number = int(text)
        tens = number % 100 in (11, 12, 13)
        end = "th" if tens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{text}{end} {word}"
    return f"{text} {word}" if text and word.strip(".") not in text.lower() else text

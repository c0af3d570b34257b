"""The styles of citations: APA, MLA, Chicago, IEEE and Harvard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llmspell_tools.document._entries import Entry, Name
from llmspell_tools.document._reference_text import (
    commas,
    full,
    initials_first,
    inverted,
    italic,
    last_and,
    listed,
    ordinal,
    pages_of,
    sentences,
    short,
    short_month,
    stopped,
    year_of,
)

_APA_MOST, _APA_FIRST = 20, 19
_IEEE_MOST = 6
_CHICAGO_MOST, _CHICAGO_FIRST = 10, 7


@dataclass(frozen=True, slots=True)
class Style:
    """One style: how a work is listed, and how it is named in a text."""

    name: str
    title: str
    reference: Callable[[Entry], str]
    cite: Callable[[Entry, int], str]
    numbered: bool = False


# -- APA -------------------------------------------------------------------------------------


def _apa_names(names: list[Name]) -> str:
    shown = [inverted(name) for name in names if name.family != "others"]
    if len(shown) > _APA_MOST:
        return ", ".join(shown[:_APA_FIRST]) + f", . . . {shown[-1]}"
    if len(shown) < len(names):
        return f"{', '.join(shown)}, et al."
    return listed(shown, ", & ") if shown else ""


def _apa(entry: Entry) -> str:
    who = _apa_names(entry.authors)
    when = f"({year_of(entry)}"
    if entry.kind == "web" and entry.month_name:
        when += f", {entry.month_name}{f' {entry.day}' if entry.day else ''}"
    when += ")"
    title, rest = entry.title, ""
    if entry.kind == "article":
        volume = italic(entry.volume) + (f"({entry.issue})" if entry.issue else "")
        rest = commas(italic(entry.container), volume, entry.pages)
    elif entry.kind in ("chapter", "conference"):
        editors = listed([initials_first(one) for one in entry.editors], " & ")
        editors += f" (Ed{'s' if len(entry.editors) > 1 else ''}.)" if editors else ""
        pages = f" (pp. {entry.pages})" if entry.pages else ""
        inside = f"In {commas(editors, italic(entry.container))}{pages}" if entry.container else ""
        rest = sentences(inside, entry.publisher)
    else:
        title = italic(title)
        if entry.edition:
            title += f" ({ordinal(entry.edition, 'ed.')})"
        if entry.kind == "thesis":
            title += f" [{commas(entry.genre or 'Thesis', entry.publisher)}]"
        else:
            rest = entry.container if entry.kind == "web" else entry.publisher
    if not who:
        return sentences(f"{title} {when}", rest, entry.link)
    return sentences(f"{stopped(who)} {when}", title, rest, entry.link)


# -- MLA -------------------------------------------------------------------------------------


def _first_inverted(names: list[Name], most: int, first: int) -> str:
    """`Turing, Alan, and Jane Doe`."""
    known = [name for name in names if name.family != "others"]
    if not known:
        return ""
    shown = [commas(known[0].family, known[0].given), *map(full, known[1:])]
    if len(shown) > most or len(known) < len(names):
        return f"{', '.join(shown[:first])}, et al."
    return listed(shown, ", and ") if len(shown) > 1 else shown[0]


def _edited(entry: Entry) -> str:
    return f"edited by {listed(list(map(full, entry.editors)), ' and ')}" if entry.editors else ""


def _mla(entry: Entry) -> str:
    who = _first_inverted(entry.authors, 2, 1)
    date = " ".join(part for part in (short_month(entry), entry.year) if part)
    if entry.day and entry.month:
        date = f"{entry.day} {date}"
    pages = pages_of(entry)
    if entry.kind in ("article", "chapter", "conference", "web") and entry.container:
        volume = f"vol. {entry.volume}" if entry.volume else ""
        number = f"no. {entry.issue}" if entry.issue else ""
        publisher = "" if entry.kind in ("article", "web") else entry.publisher
        edited = "" if entry.kind == "article" else _edited(entry)
        where = commas(
            italic(entry.container), edited, volume, number, publisher, date, pages, entry.link
        )
        return _ended(sentences(who, _quoted(entry.title), where))
    edition = ordinal(entry.edition, "ed.")
    kind = commas(entry.genre or "Thesis") if entry.kind == "thesis" else ""
    when = date if entry.kind == "web" else entry.year
    where = commas(edition, entry.publisher, when, kind, entry.link)
    return _ended(sentences(who, italic(entry.title), where))


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _ended(text: str) -> str:
    """Ends with a stop, even after an address."""
    return text if text.endswith((".", "”")) else f"{text}."


# -- Chicago ---------------------------------------------------------------------------------


def _chicago(entry: Entry) -> str:
    who = _first_inverted(entry.authors, _CHICAGO_MOST, _CHICAGO_FIRST)
    published = ": ".join(part for part in (entry.place, entry.publisher) if part)
    start = (who, year_of(entry)) if who else ()
    end = () if who else (year_of(entry),)
    if entry.kind == "article":
        issue = f" ({entry.issue})" if entry.issue else ""
        pages = f": {entry.pages}" if entry.pages else ""
        where = f"{italic(entry.container)} {entry.volume}".strip() + issue + pages
        parts = (*start, _quoted(entry.title), *end, where)
    elif entry.kind in ("chapter", "conference") and entry.container:
        inside = commas(f"In {italic(entry.container)}", _edited(entry), entry.pages)
        parts = (*start, _quoted(entry.title), *end, inside, published)
    elif entry.kind == "web":
        date = f"{entry.month_name} {entry.day}" if entry.month and entry.day else ""
        parts = (*start, _quoted(entry.title), *end, commas(entry.container, date))
    else:
        kind = entry.genre or "Thesis" if entry.kind == "thesis" else ""
        where = commas(kind, entry.publisher) if kind else published
        title = italic(entry.title) if entry.kind != "thesis" else _quoted(entry.title)
        parts = (*start, title, *end, ordinal(entry.edition, "ed."), where)
    return _ended(sentences(*parts, entry.link))


# -- IEEE ------------------------------------------------------------------------------------


def _ieee_names(names: list[Name]) -> str:
    known = [initials_first(one) for one in names if one.family != "others"]
    if not known:
        return ""
    if len(known) > _IEEE_MOST or len(known) < len(names):
        return f"{known[0]} et al."
    return listed(known, last_and(known))


def _ieee(entry: Entry) -> str:
    who = _ieee_names(entry.authors)
    date = " ".join(part for part in (short_month(entry), entry.year) if part)
    pages = pages_of(entry)
    link = f"doi: {entry.doi}" if entry.doi else ""
    volume = f"vol. {entry.volume}" if entry.volume else ""
    published = ": ".join(part for part in (entry.place, entry.publisher) if part)
    start = f"{who}, " if who else ""
    quoted = f"{start}“{entry.title},” "
    if entry.kind == "article":
        number = f"no. {entry.issue}" if entry.issue else ""
        made = quoted + commas(italic(entry.container), volume, number, pages, date, link)
    elif entry.kind in ("chapter", "conference"):
        inside = f"in {italic(entry.container)}" if entry.container else ""
        made = quoted + commas(inside, published, entry.year, pages, link)
    elif entry.kind in ("web", "thesis", "report"):
        kind = entry.genre or "thesis" if entry.kind == "thesis" else ""
        made = quoted + commas(kind, entry.container or published, date, link)
    else:
        title = commas(italic(entry.title), ordinal(entry.edition, "ed."))
        made = start + (sentences(title, commas(published, entry.year, link)))
    made = _ended(made.rstrip(" ,"))
    return f"{made} [Online]. Available: {entry.url}" if entry.url and not entry.doi else made


# -- Harvard ---------------------------------------------------------------------------------


def _harvard(entry: Entry) -> str:
    known = [inverted(n, "") for n in entry.authors if n.family != "others"]
    who = listed(known, " and ") if known else ""
    if len(known) > 3 or len(known) < len(entry.authors):  # noqa: PLR2004
        who = f"{known[0]} {italic('et al.')}" if known else ""
    start = f"{who} ({year_of(entry)})" if who else ""
    published = ": ".join(part for part in (entry.place, entry.publisher) if part)
    pages = pages_of(entry)
    link = f"Available at: {entry.link}" if entry.link else ""
    if link and entry.accessed and not entry.doi:
        link += f" (Accessed: {entry.accessed})"
    if entry.kind in ("article", "chapter", "conference"):
        quoted = f"‘{entry.title}’"  # noqa: RUF001
        if entry.kind == "article":
            volume = entry.volume + (f"({entry.issue})" if entry.issue else "")
            made = commas(quoted, italic(entry.container), volume, pages)
        else:
            editors = listed([inverted(one, "") for one in entry.editors], " and ")
            editors += f" (ed{'s' if len(entry.editors) > 1 else ''}.)" if editors else ""
            inside = f"in {' '.join(part for part in (editors, italic(entry.container)) if part)}"
            made = sentences(commas(quoted, inside), commas(published, pages))
        text = f"{start} {made}" if start else f"{made} ({year_of(entry)})"
        return _ended(sentences(text, link))
    title = (
        f"{start} {italic(entry.title)}" if start else f"{italic(entry.title)} ({year_of(entry)})"
    )
    kind = entry.genre if entry.kind == "thesis" else ""
    return _ended(sentences(title, ordinal(entry.edition, "edn"), kind, published, link))


STYLES: dict[str, Style] = {
    style.name: style
    for style in (
        Style(
            "apa", "APA, 7th edition", _apa, lambda e, n: f"({short(e, 2, ' & ')}, {year_of(e)})"
        ),
        Style("mla", "MLA, 9th edition", _mla, lambda e, n: f"({short(e, 2, ' and ')})"),
        Style(
            "chicago",
            "Chicago, 17th edition, author and date",
            _chicago,
            lambda e, n: f"({short(e, 3, last_and(e.authors))} {year_of(e)})",
        ),
        Style("ieee", "IEEE", _ieee, lambda e, n: f"[{n}]", numbered=True),
        Style(
            "harvard",
            "Harvard, Cite Them Right",
            _harvard,
            lambda e, n: f"({short(e, 3, ' and ')}, {year_of(e)})",
        ),
    )
}

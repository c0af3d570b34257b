"""Scholarly works from several sources: one form, each only once, in the order asked for."""

from __future__ import annotations

import calendar
import html
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Sort = Literal["relevance", "date", "citations"]
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_LONGEST = 20_000
_MOST_WORDS = 5_000


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; `since` and `until` are days, both included."""

    text: str
    count: int
    sort: Sort
    since: date | None
    until: date | None
    timeout_ms: float


def day(text: str, *, end: bool = False) -> date:
    """A day of `2024`, `2024-06` or `2024-06-30`: the first of the time named, or the last.

    Raises:
        ValueError: it is none.
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text[:30]}" is no date like 2024, 2024-06 or 2024-06-30')
    year, month = int(found[1]), int(found[2] or (12 if end else 1))
    try:
        last = calendar.monthrange(year, month)[1] if end else 1
        return date(year, month, int(found[3] or last))
    except ValueError:
        raise ValueError(f'"{text[:30]}" is no date that there is') from None


def work(source: str, id: Any, title: Any, **more: Any) -> dict[str, Any]:
    """One work, without what its source does not say.

    Args:
        source: who found it
        id: its name there
        title: with or without markup
        more: authors, published, url, doi, abstract, venue, citations, pdf_url, type
    """
    published = str(more.get("published") or "")
    made = {
        "title": plain(str(title or "")) or "(untitled)",
        "authors": [plain(str(one)) for one in more.get("authors") or [] if one],
        "year": int(published[:4]) if published[:4].isdecimal() else None,
        "published": published or None,
        "url": more.get("url"),
        "doi": bare_doi(more.get("doi")),
        "abstract": plain(str(more.get("abstract") or "")) or None,
        "venue": more.get("venue"),
        "citations": more.get("citations"),
        "pdf_url": more.get("pdf_url"),
        "type": more.get("type"),
        "id": str(id),
        "source": source,
    }
    return {name: value for name, value in made.items() if value not in (None, "")}


def plain(text: str) -> str:
    """Text without tags and entities, in one line."""
    head, *rest = text[:_LONGEST].split("<")
    parts = [head]
    for piece in rest:
        tag, end, after = piece.partition(">")
        # "a < b" is no tag.
        is_tag = bool(end) and (tag[:1].isalpha() or tag[:1] in "/!")
        parts.append(after if is_tag else "<" + piece)
    return " ".join(html.unescape("".join(parts)).split())


def bare_doi(text: Any) -> str | None:
    """`10.1000/x` of however it is written."""
    if not isinstance(text, str):
        return None
    found = re.search(r"10\.\d{4,9}/\S+", text[:300])
    return found[0].lower() if found else None


def in_order(index: Any) -> str:
    """The text of an inverted index: `{word = [positions]}`."""
    if not isinstance(index, dict):
        return ""
    places = [
        (place, word)
        for word, found in index.items()
        if isinstance(found, list)
        for place in found
        if isinstance(place, int)
    ]
    return " ".join(word for _, word in sorted(places)[:_MOST_WORDS])


def merged(lists: list[list[dict[str, Any]]], query: Query) -> list[dict[str, Any]]:
    """The works of all sources, each once: the best of each first, or by date or citations."""
    longest = max(map(len, lists), default=0)
    ranked = [found[rank] for rank in range(longest) for found in lists if rank < len(found)]
    known: dict[str, dict[str, Any]] = {}
    works: list[dict[str, Any]] = []
    for one in ranked:
        names = _names(one)
        same = next((known[name] for name in names if name in known), None)
        if same is None:
            same = {**one, "sources": [one["source"]]}
            works.append(same)
        else:
            same.update({name: value for name, value in one.items() if name not in same})
            if one["source"] not in same["sources"]:
                same["sources"].append(one["source"])
        known.update(dict.fromkeys([*names, *_names(same)], same))
    if query.sort == "date":
        works.sort(key=lambda one: one.get("published", ""), reverse=True)
    elif query.sort == "citations":
        works.sort(key=lambda one: one.get("citations", -1), reverse=True)
    return works[: query.count]


def _names(one: dict[str, Any]) -> list[str]:
    """By what a work is known: its DOI, and its title where that is not too common."""
    title = "".join(char for char in one["title"].lower() if char.isalnum())
    names = [f"doi:{one['doi']}"] if "doi" in one else []
    if len(title) > 20:  # noqa: PLR2004
        names.append(f"title:{title}")
    return names

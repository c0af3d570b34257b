"""Entries of a bibliography: one form for what BibTeX, YAML and CSL-JSON say in different words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from llmspell_core.schema import describe
from llmspell_tools._parameters import wrong
from llmspell_tools.document import _bibtex

TOOL = "citation-formatter"
MAX_ENTRIES = 10_000
MAX_NAMES = 500

KINDS = {
    "article": "article", "article-journal": "article", "journal": "article",
    "article-magazine": "article", "article-newspaper": "article", "newspaper": "article",
    "book": "book", "monograph": "book", "proceedings": "book", "booklet": "book",
    "inbook": "chapter", "incollection": "chapter", "chapter": "chapter", "anthos": "chapter",
    "inproceedings": "conference", "conference": "conference", "paper-conference": "conference",
    "phdthesis": "thesis", "mastersthesis": "thesis", "thesis": "thesis", "techreport": "report",
    "report": "report", "online": "web", "electronic": "web", "web": "web", "webpage": "web",
    "website": "web", "post-weblog": "web", "blog": "web", "www": "web", "misc": "other",
    "unpublished": "other", "manuscript": "other", "manual": "report", "patent": "other",
    "dataset": "other", "software": "other",
}  # fmt: skip
_DASHES = re.compile(r"\s*(?:--?|\u2013|\u2014)\s*")
_DATE = re.compile(r"\s*(-?\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
#: Between the first and the last page.
DASH = "\u2013"


@dataclass(frozen=True, slots=True)
class Name:
    """A person, or with no `given` a body."""

    family: str
    given: str = ""

    def initials(self, separator: str = " ") -> str:
        """`Alan Mathison` as `A. M.`; `Jean-Paul` as `J.-P.`."""
        made = ""
        for word in self.given.replace(".", ". ").split():
            # A particle such as `von` stays as it is.
            made += f" {word}" if word.islower() else separator + _initial(word)
        return made.strip()


def _initial(word: str) -> str:
    return "-".join(f"{part[0]}." for part in word.split("-") if part)


@dataclass
class Entry:
    """One work. Texts are "" when they are not known."""

    key: str
    kind: str = "other"
    title: str = ""
    authors: list[Name] = field(default_factory=list)
    editors: list[Name] = field(default_factory=list)
    year: str = ""
    month: int = 0
    day: int = 0
    container: str = ""
    publisher: str = ""
    place: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    edition: str = ""
    doi: str = ""
    url: str = ""
    accessed: str = ""
    genre: str = ""
    suffix: str = ""

    @property
    def month_name(self) -> str:
        """The month's English name."""
        return _MONTHS[self.month - 1] if self.month else ""

    @property
    def link(self) -> str:
        """The DOI as an address, else the URL."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


def names_of(value: Any, field: str) -> list[Name]:
    """Names of `A and B`, of a list, or of tables with family and given."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        found = [_name(one) for one in _split_names(value)]
    elif isinstance(value, (list, dict)):
        parts = value if isinstance(value, list) else [value]
        found = [_one_name(one, field) for one in parts]
    else:
        raise wrong(TOOL, field, f"must be names, not {describe(value)}")
    return [name for name in found if name.family][:MAX_NAMES]


def _one_name(value: Any, field: str) -> Name:
    if isinstance(value, str):
        return _name(value)
    if isinstance(value, dict):
        family = text(value.get("family") or value.get("name") or value.get("literal"))
        given = text(value.get("given") or value.get("given-name"))
        particle = text(value.get("non-dropping-particle") or value.get("prefix"))
        return Name(f"{particle} {family}".strip(), given)
    raise wrong(TOOL, field, f"must be a name, not {describe(value)}")


def _split_names(value: str) -> list[str]:
    """By `and`, outside of braces."""
    parts, depth = [""], 0
    for word in re.split(r"(\s+)", value):
        if word == "and" and depth == 0:
            parts.append("")
        else:
            parts[-1] += word
            depth += word.count("{") - word.count("}")
    return [part.strip() for part in parts if part.strip()]


def _name(value: str) -> Name:
    value = value.strip()
    if value.startswith("{") and value.endswith("}"):
        return Name(_bibtex.plain(value))
    if value.lower() == "others":
        return Name("others")
    family, comma, given = value.partition(",")
    if comma:
        junior, comma, first = given.partition(",")
        full = first if comma else junior
        return Name(_bibtex.plain(family), _bibtex.plain(full))
    words = _bibtex.plain(value).split()
    last = len(words) - 1
    while last > 0 and words[last - 1][:1].islower():
        last -= 1
    return Name(" ".join(words[last:]), " ".join(words[:last]))


def text(value: Any) -> str:
    """A value as a text of one line."""
    if isinstance(value, dict):
        value = value.get("value", "")
    if isinstance(value, list):
        value = value[0] if value else ""
    if value is None or isinstance(value, (dict, list)):
        return ""
    return " ".join(str(value).split())


def from_bibtex(source: str) -> list[Entry]:
    """The entries of a text of BibTeX."""
    found = []
    for raw in _bibtex.read(source):
        fields = dict(raw.fields)
        people = {name: fields.pop(name, "") for name in ("author", "editor")}
        plain = {name: _bibtex.plain(value) for name, value in fields.items()}
        entry = from_fields(raw.key, {**plain, **people, "type": raw.kind})
        if raw.kind in ("phdthesis", "mastersthesis") and not entry.genre:
            entry.genre = "Doctoral dissertation" if raw.kind[0] == "p" else "Master’s thesis"  # noqa: RUF001
        found.append(entry)
    return found


def from_fields(key: str, given: dict[str, Any]) -> Entry:
    """An entry of fields in the words of BibTeX, CSL-JSON or Hayagriva."""
    fields = {str(name).lower().replace("_", "-"): value for name, value in given.items()}
    parent = fields.get("parent")
    parent = parent[0] if isinstance(parent, list) and parent else parent
    parent = {str(k).lower(): v for k, v in parent.items()} if isinstance(parent, dict) else {}

    def first(*names: str) -> str:
        for name in names:
            for source in (fields, parent):
                if found := text(source.get(name)):
                    return found
        return ""

    kind = KINDS.get(text(fields.get("type")).lower(), "other")
    if kind == "other" and not text(fields.get("type")) and fields.get("url"):
        kind = "web"
    serial = fields.get("serial-number")
    doi = text(fields.get("doi")) or (text(serial.get("doi")) if isinstance(serial, dict) else "")
    year, month, day = _date(fields, parent)
    editors = fields.get("editor") or parent.get("editor")
    return Entry(
        key=key,
        kind=_kind_with_parent(kind, text(parent.get("type")).lower()),
        title=text(fields.get("title")),
        authors=names_of(fields.get("author") or fields.get("authors"), f"{key}.author"),
        editors=names_of(editors, f"{key}.editor"),
        year=year,
        month=month,
        day=day,
        container=text(parent.get("title"))
        or first("container-title", "journal", "journaltitle", "booktitle", "website"),
        publisher=first("publisher", "organization", "institution", "school"),
        place=first("publisher-place", "address", "location", "place"),
        volume=first("volume"),
        issue=first("issue", "number"),
        pages=_pages(first("page", "pages", "page-range")),
        edition=first("edition"),
        doi=re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", doi, flags=re.IGNORECASE),
        url=text(fields.get("url")),
        accessed=first("urldate", "accessed-date") or _accessed(fields),
        genre=first("genre"),
    )


def _kind_with_parent(kind: str, parent: str) -> str:
    if parent == "proceedings":
        return "conference"
    if kind == "other" and parent == "periodical":
        return "article"
    return "chapter" if kind == "other" and parent in ("book", "anthology") else kind


def _accessed(fields: dict[str, Any]) -> str:
    url, accessed = fields.get("url"), fields.get("accessed")
    if isinstance(url, dict) and url.get("date"):
        return text(url["date"])
    if isinstance(accessed, dict):
        parts = accessed.get("date-parts")
        return "-".join(f"{part:>02}" for part in map(str, _parts(parts)))
    return text(accessed)


def _parts(value: Any) -> list[Any]:
    value = value[0] if isinstance(value, list) and value and isinstance(value[0], list) else value
    return value if isinstance(value, list) else []


def _date(fields: dict[str, Any], parent: dict[str, Any]) -> tuple[str, int, int]:
    issued = fields.get("issued")
    if isinstance(issued, dict):
        parts = [text(part) for part in _parts(issued.get("date-parts"))]
        parts = parts or [text(issued.get("raw") or issued.get("literal"))]
        given = "-".join(parts)
    else:
        given = text(issued) or text(fields.get("date")) or text(parent.get("date"))
    found = _DATE.match(given)
    if found:
        return found[1], _number(found[2], 12), _number(found[3], 31)
    year = text(fields.get("year")) or given
    return year, _month(text(fields.get("month"))), _number(text(fields.get("day")), 31)


def _number(given: str | None, most: int) -> int:
    return int(given) if given and given.isdecimal() and 1 <= int(given) <= most else 0


def _month(given: str) -> int:
    if not given.isdecimal():
        for number, name in enumerate(_MONTHS):
            if given and name.lower().startswith(given.lower().rstrip(".")[:3]):
                return number + 1
    return _number(given, 12)


def _pages(given: str) -> str:
    return _DASHES.sub(DASH, given)

"""The tool `citation-formatter`: bibliographies in the usual styles."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError, did_you_mean
from llmspell_core.schema import describe
from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Names, Spelled, check_size, needed, one_of, wrong
from llmspell_tools.document._entries import MAX_ENTRIES, Entry, from_bibtex, from_fields, text
from llmspell_tools.document._reference_text import rendered
from llmspell_tools.document._styles import STYLES, Style

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_YAML_MS = 10_000
_YEAR = re.compile(r"-?\d{4}")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_NEEDED = {
    "article": ("title", "authors", "year", "container"),
    "book": ("title", "authors", "year", "publisher"),
    "chapter": ("title", "authors", "year", "container"),
    "conference": ("title", "authors", "year", "container"),
    "thesis": ("title", "authors", "year", "publisher"),
    "report": ("title", "authors", "year"),
    "web": ("title", "url"),
    "other": ("title",),
}
_KEYS = ("id", "key", "citation-key")
_WORDS = {"authors": "author", "container": "journal or booktitle", "publisher": "publisher"}


InputFormat = Annotated[Literal["bibtex", "yaml", "json"], Spelled(bib="bibtex", yml="yaml")]


class CitationParameters(ToolParameters):
    """A bibliography and how to cite from it."""

    aliases: ClassVar[dict[str, str]] = {
        "bibliography": "input",
        "keys": "cite_keys",
        "cite_key": "cite_keys",
        "input_format": "format",
    }

    operation: Annotated[
        Literal["format_citation", "validate_bibliography", "list_styles"],
        Spelled(
            format="format_citation",
            cite="format_citation",
            validate="validate_bibliography",
            check="validate_bibliography",
            styles="list_styles",
        ),
    ] = Field(
        "format_citation",
        description="format_citation: citations and references; validate_bibliography: what is "
        "missing or wrong in the entries; list_styles",
    )
    input: Annotated[Any, one_of("a bibliography", str, list, dict)] | None = Field(
        None, description="A text of BibTeX or YAML, or entries as tables (also CSL-JSON)"
    )
    format: InputFormat | None = Field(
        None, description="What `input` is: bibtex, yaml or json; found out when left out"
    )
    style: Annotated[
        Literal["apa", "mla", "chicago", "ieee", "harvard"],
        Spelled(
            apa7="apa", apa_7="apa", mla9="mla", chicago_author_date="chicago",
            modern_language_association="mla", american_psychological_association="apa",
        ),
    ] = Field("apa", description="apa, mla, chicago (author-date), ieee, harvard")  # fmt: skip
    cite_keys: Names = Field(
        default_factory=list, description="Keys of the works to cite, in order; else all"
    )
    output_format: Annotated[Literal["text", "markdown", "html"], Spelled(md="markdown")] = Field(
        "text", description="How references are written; markdown and html have italics"
    )


class CitationFormatter(Tool):
    """Formats and checks bibliographies."""

    name = "citation-formatter"
    description = (
        "Formats citations and references of a bibliography (BibTeX, YAML, CSL-JSON) in APA, MLA, "
        "Chicago, IEEE or Harvard style, and checks its entries."
    )
    category = "document"
    Parameters = CitationParameters
    timeout_ms = 30_000
    examples = (
        (
            {
                "input": "@article{turing, author={Alan M. Turing}, title={On Computable Numbers}, "
                "journal={Proc. LMS}, year=1936, volume=42, number=1, pages={230--265}}",
                "style": "apa",
            },
            "Turing, A. M. (1936). On Computable Numbers. Proc. LMS, 42(1), 230\u2013265.",
        ),
        (
            {
                "input": [
                    {
                        "id": "knuth",
                        "type": "book",
                        "author": "Donald Knuth",
                        "title": "The Art of Computer Programming",
                        "year": 1968,
                        "publisher": "Addison-Wesley",
                        "place": "Reading",
                    },
                ],
                "style": "ieee",
            },
            "[1] D. Knuth, The Art of Computer Programming. Reading: Addison-Wesley, 1968.",
        ),
        (
            {"operation": "validate_bibliography", "input": "@book{x, title={T}, year=2000}"},
            "invalid: x: author is missing; x: publisher is missing",
        ),
        ({"operation": "list_styles"}, "apa, mla, chicago, ieee, harvard"),
    )

    async def run_tool(self, params: CitationParameters, ctx: ToolContext) -> ToolResult:
        if params.operation == "list_styles":
            styles = [{"name": one.name, "title": one.title} for one in STYLES.values()]
            result = {"styles": styles, "count": len(styles)}
            return ToolResult(result, output=styles, text=", ".join(STYLES))
        needed(self.name, params.operation, input=params.input)
        entries = await self._entries(params, ctx)
        if params.operation == "validate_bibliography":
            return _validated(entries)
        return await asyncio.to_thread(self._formatted, entries, params)

    async def _entries(self, params: CitationParameters, ctx: ToolContext) -> list[Entry]:
        given = params.input
        if isinstance(given, str):
            check_size(self.name, len(given))
            style = params.format or _guess(given)
            if style == "bibtex":
                entries = await asyncio.to_thread(from_bibtex, given)
                return self._bounded(entries)
            given = await self._read(given, style, ctx)
        return self._bounded(self._from_value(given))

    async def _read(self, given: str, style: str, ctx: ToolContext) -> Any:
        function = "llmspell_tools.data._formats:parse"
        answer = await bounded(
            ctx, "the bibliography", function, self.name, style, given, timeout_ms=_YAML_MS
        )
        return json.loads(answer)

    def _bounded(self, entries: list[Entry]) -> list[Entry]:
        if len(entries) > MAX_ENTRIES:
            raise LimitError(f"{self.name}: more than {MAX_ENTRIES:,} entries", code="limit.value")
        return entries

    def _from_value(self, given: Any) -> list[Entry]:
        if isinstance(given, dict) and isinstance(given.get("references"), list):
            given = given["references"]
        if isinstance(given, dict):
            if "title" in given:
                given = [given]
            else:
                given = [{**_table(one, str(key)), "id": key} for key, one in given.items()]
        if not isinstance(given, list):
            raise wrong(self.name, "input", f"must be a bibliography, not {describe(given)}")
        found = []
        for index, one in enumerate(given):
            fields = dict(_table(one, str(index)))
            key = next((fields.pop(name) for name in _KEYS if fields.get(name)), None)
            found.append(from_fields(text(key) or f"entry{index + 1}", fields))
        return found

    def _formatted(self, entries: list[Entry], params: CitationParameters) -> ToolResult:
        style = STYLES[params.style]
        chosen = self._chosen(entries, params.cite_keys)
        listed = chosen if style.numbered else sorted(chosen, key=_order)
        if not style.numbered:
            _tell_apart(listed)
        numbers = {id(entry): number + 1 for number, entry in enumerate(listed)}
        citations = [
            {
                "key": entry.key,
                "citation": style.cite(entry, numbers[id(entry)]),
                "reference": _reference(style, entry, numbers[id(entry)], params.output_format),
            }
            for entry in chosen
        ]
        made = {id(entry): one for entry, one in zip(chosen, citations, strict=True)}
        bibliography = [made[id(entry)]["reference"] for entry in listed]
        result = {
            "style": style.name,
            "citations": citations,
            "bibliography": bibliography,
            "count": len(chosen),
        }
        text = "\n".join(bibliography)
        check_size(self.name, len(text), "the bibliography")
        return ToolResult(result, output=text)

    def _chosen(self, entries: list[Entry], keys: list[str]) -> list[Entry]:
        known = {entry.key: entry for entry in entries}
        for key in keys:
            if key not in known:
                near = did_you_mean(key, list(known))
                words = f'names "{key[:80]}", which is no entry' + (f", {near}" if near else "")
                raise wrong(self.name, "cite_keys", words)
        return [known[key] for key in dict.fromkeys(keys)] if keys else entries


def _guess(given: str) -> str:
    start = given.lstrip()
    if start.startswith("@") or re.search(r"^[ \t]*@\w+[ \t]*[{(]", given, re.MULTILINE):
        return "bibtex"
    return "json" if start.startswith(("[", "{")) else "yaml"


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(
            CitationFormatter.name, f"input.{place}", f"must be an entry, not {describe(value)}"
        )
    return value


def _order(entry: Entry) -> tuple[str, str, str]:
    names = " ".join(f"{name.family} {name.given}" for name in entry.authors) or entry.title
    return names.casefold(), entry.year, entry.title.casefold()


def _tell_apart(entries: list[Entry]) -> None:
    """Letters after the year where authors and year are the same."""
    groups: dict[Any, list[Entry]] = {}
    for entry in entries:
        groups.setdefault((tuple(entry.authors), entry.year), []).append(entry)
    for (authors, _), group in groups.items():
        if authors and 1 < len(group) <= 26:  # noqa: PLR2004
            for index, entry in enumerate(group):
                entry.suffix = chr(ord("a") + index)


def _reference(style: Style, entry: Entry, number: int, form: str) -> str:
    made = rendered(style.reference(entry), form)
    return f"[{number}] {made}" if style.numbered else made


def _validated(entries: list[Entry]) -> ToolResult:
    errors: list[dict[str, str]] = []
    seen: set[str] = set()
    for entry in entries:
        if entry.key in seen:
            errors.append({"key": entry.key, "field": "key", "message": "is there twice"})
        seen.add(entry.key)
        errors += _mistakes(entry)
    lines = [
        f"{one['key']}: {one['field']} {one['message']}" if one["field"] else one["message"]
        for one in errors
    ]
    result = {"valid": not errors, "errors": errors, "entry_count": len(entries)}
    return ToolResult(result, text="invalid: " + "; ".join(lines) if errors else "valid")


def _mistakes(entry: Entry) -> list[dict[str, str]]:
    found = [
        (_WORDS.get(name, name), "is missing")
        for name in _NEEDED[entry.kind]
        if not getattr(entry, name) and not (name == "authors" and entry.editors)
    ]
    if entry.year and not _YEAR.fullmatch(entry.year):
        found.append(("year", f'is no year: "{entry.year[:40]}"'))
    if entry.doi and not _DOI.fullmatch(entry.doi):
        found.append(("doi", f'is no DOI: "{entry.doi[:40]}"'))
    if entry.url and not entry.url.startswith(("http://", "https://", "ftp://")):
        found.append(("url", f'is no URL: "{entry.url[:40]}"'))
    return [{"key": entry.key, "field": field, "message": words} for field, words in found]

"""The tool `academic-searcher`: scholarly works from arXiv, Crossref, PubMed and OpenAlex."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from llmspell_core.errors import LLMSpellError
from llmspell_core.schema import describe
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled
from llmspell_tools._service import ServiceName, documented
from llmspell_tools.search._sources import Crossref, Openalex, Source
from llmspell_tools.search._works import Query, day, merged
from llmspell_tools.search._xml_sources import Arxiv, Pubmed

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

Name = Literal["arxiv", "crossref", "pubmed", "openalex"]
SOURCES: dict[Name, Source] = {
    "arxiv": Arxiv(),
    "crossref": Crossref(),
    "pubmed": Pubmed(),
    "openalex": Openalex(),
}
_SHOWN_AUTHORS = 3

Range = tuple[date | None, date | None]


def _range(value: Any) -> Any:
    """`2020..2024`, `2020-2024`, `2020`, `{from, to}`: both ends may be left out."""
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        text = str(value).strip()
        start, dots, end = text.partition("..")
        if not dots and len(text) == 9 and text[4] == "-":  # noqa: PLR2004 - 2020-2024
            start, dots, end = text[:4], "..", text[5:]
        if not dots:
            end = start
    elif isinstance(value, dict) and value.keys() <= {"from", "to", "start", "end"}:
        start = str(value.get("from") or value.get("start") or "")
        end = str(value.get("to") or value.get("end") or "")
    else:
        raise ValueError(f"must be like 2020..2024 or {{from, to}}, not {describe(value)}")
    since = day(start) if start.strip() else None
    until = day(end, end=True) if end.strip() else None
    if since and until and since > until:
        raise ValueError("must not end before it begins")
    return since, until


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value or [*SOURCES]


class AcademicParameters(ToolParameters):
    """What to look for, and where."""

    aliases: ClassVar[dict[str, str]] = {
        "query": "input",
        "source": "sources",
        "limit": "max_results",
        "dates": "date_range",
        "sort": "sort_by",
    }

    input: str = Field(min_length=1, max_length=2000, description="What to search for")
    sources: Annotated[
        list[Annotated[Name, ServiceName()]],
        BeforeValidator(_list),
    ] = Field(default_factory=lambda: [*SOURCES], description="Where to search; everywhere")
    max_results: int = Field(10, ge=1, le=100, description="Works at most, all sources together")
    date_range: Annotated[
        Range,
        BeforeValidator(_range),
        WithJsonSchema({"type": ["string", "object"]}),
    ] = Field((None, None), description='Published when: "2020..2024", "2024-06..", {from, to}')
    sort_by: Annotated[
        Literal["relevance", "date", "citations"],
        Spelled(published="date", newest="date", cited="citations", citation_count="citations"),
    ] = Field("relevance", description="The order; arxiv and pubmed count no citations")
    timeout_ms: float = Field(
        30_000, gt=0, le=300_000, description="For each request, in milliseconds"
    )


class AcademicSearcher(Tool):
    """Searches scholarly works."""

    name = "academic-searcher"
    description = (
        "Searches scholarly works in arXiv, Crossref, PubMed and OpenAlex and gives title, "
        "authors, year, DOI, abstract and citations, each work once."
    )
    category = "search"
    security_level = "restricted"
    permissions = Permissions(
        network="export.arxiv.org, api.crossref.org, eutils.ncbi.nlm.nih.gov, api.openalex.org",
        secrets=("ncbi", "openalex"),
    )
    open_world = True
    Parameters = AcademicParameters
    timeout_ms = 330_000
    examples = (
        (
            {"input": "tea polyphenols", "date_range": "2020..2024", "sort_by": "citations"},
            "results with title, authors, year and doi",
        ),
        ({"input": "au:hinton", "sources": ["arxiv"], "max_results": 3}, "from one source"),
    )

    async def run_tool(self, params: AcademicParameters, ctx: ToolContext) -> ToolResult:
        query = Query(
            text=params.input,
            count=params.max_results,
            sort=params.sort_by,
            since=params.date_range[0],
            until=params.date_range[1],
            timeout_ms=params.timeout_ms,
        )
        names = [*dict.fromkeys(params.sources)]
        answers = await asyncio.gather(*(_asked(ctx, SOURCES[name], query) for name in names))
        failed = [
            {"source": name, "message": answer.message}
            for name, answer in zip(names, answers, strict=True)
            if isinstance(answer, LLMSpellError)
        ]
        found = [answer for answer in answers if isinstance(answer, list)]
        if not found:
            raise next(answer for answer in answers if isinstance(answer, LLMSpellError))
        works = merged(found, query)
        result = {
            "results": works,
            "count": len(works),
            "sources": [name for name in names if name not in {one["source"] for one in failed}],
            "failed": failed,
            "query": params.input,
        }
        text = "\n".join(_line(number, one) for number, one in enumerate(works, 1))
        return ToolResult(result, output=works, text=text or "nothing was found")


async def _asked(
    ctx: ToolContext, source: Source, query: Query
) -> list[dict[str, Any]] | LLMSpellError:
    """What a source finds, or why it does not: the others still count."""
    try:
        with documented(source.name):
            return await source.search(ctx, query)
    except LLMSpellError as error:
        return error


def _line(number: int, one: dict[str, Any]) -> str:
    authors = one.get("authors", [])
    names = ", ".join(authors[:_SHOWN_AUTHORS]) + (" et al." * (len(authors) > _SHOWN_AUTHORS))
    facts = [names, str(one.get("year", "")), one.get("venue", "")]
    where = f"https://doi.org/{one['doi']}" if "doi" in one else one.get("url", "")
    return f"{number}. {one['title']}\n   {'; '.join(filter(None, facts))}\n   {where}".rstrip()

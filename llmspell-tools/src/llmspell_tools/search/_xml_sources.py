"""Collections of scholarly works that answer with XML: arXiv and PubMed."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import ToolError
from llmspell_tools._service import key_of, option
from llmspell_tools.search._sources import Source
from llmspell_tools.search._works import Query, work

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from llmspell_core.context import ToolContext

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
#: Somebody who writes these knows arXiv's syntax.
_FIELDS = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all):\S")
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9,
    "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip


class Arxiv(Source):
    """info.arxiv.org/help/api: GET /api/query, an Atom feed. It does not count citations."""

    name = "arxiv"
    address = "https://export.arxiv.org"

    async def search(self, ctx: ToolContext, query: Query) -> list[dict[str, Any]]:
        params = {
            "search_query": _expression(query),
            "start": 0,
            "max_results": query.count,
            "sortBy": "submittedDate" if query.sort == "date" else "relevance",
            "sortOrder": "descending",
        }
        response = await self.get(ctx, query, "/api/query", params)
        root = await asyncio.to_thread(_parsed, response.content, self.name)
        return [self._work(one) for one in root.iter(f"{_ATOM}entry")]

    def _work(self, one: Element) -> dict[str, Any]:
        address = one.findtext(f"{_ATOM}id", "").strip()
        if "/api/errors" in address:
            words = one.findtext(f"{_ATOM}summary", "").strip()
            raise ToolError(f"arxiv: {words[:300]}", code="tool.search")
        links = {link.get("title", ""): link.get("href") for link in one.iter(f"{_ATOM}link")}
        return work(
            self.name,
            address.rpartition("/abs/")[2],
            one.findtext(f"{_ATOM}title"),
            authors=[who.findtext(f"{_ATOM}name") for who in one.iter(f"{_ATOM}author")],
            published=one.findtext(f"{_ATOM}published", "")[:10],
            url=address,
            doi=one.findtext(f"{_ARXIV}doi"),
            abstract=one.findtext(f"{_ATOM}summary"),
            venue=one.findtext(f"{_ARXIV}journal_ref"),
            pdf_url=links.get("pdf"),
            type="preprint",
        )


class Pubmed(Source):
    """NCBI's E-utilities: esearch for the names, efetch for the records."""

    name = "pubmed"
    address = "https://eutils.ncbi.nlm.nih.gov"

    async def search(self, ctx: ToolContext, query: Query) -> list[dict[str, Any]]:
        common = {
            "db": "pubmed",
            "tool": "llmspell",
            "email": option(ctx, "", "mailto", ""),
            "api_key": key_of(ctx, "ncbi", self.name),
        }
        params = {
            **common,
            "term": query.text,
            "retmode": "json",
            "retmax": query.count,
            "sort": "pub_date" if query.sort == "date" else "relevance",
        }
        if query.since or query.until:
            params |= {
                "datetype": "pdat",
                "mindate": f"{query.since:%Y/%m/%d}" if query.since else "1000",
                "maxdate": f"{query.until:%Y/%m/%d}" if query.until else "3000",
            }
        answer = await self.get_json(ctx, query, "/entrez/eutils/esearch.fcgi", params)
        found = answer.get("esearchresult") or {}
        if found.get("ERROR"):
            raise ToolError(f"pubmed: {str(found['ERROR'])[:300]}", code="tool.search")
        names = [str(one) for one in found.get("idlist") or [] if str(one).isdecimal()]
        if not names:
            return []
        params = {**common, "id": ",".join(names), "retmode": "xml"}
        response = await self.get(ctx, query, "/entrez/eutils/efetch.fcgi", params)
        root = await asyncio.to_thread(_parsed, response.content, self.name)
        works = {one["id"]: one for one in map(self._work, root.iter("PubmedArticle"))}
        return [works[name] for name in names if name in works]

    def _work(self, one: Element) -> dict[str, Any]:
        name = one.findtext("MedlineCitation/PMID", "")
        article = one.find("MedlineCitation/Article")
        if article is None:
            return work(self.name, name, None)
        ids = {kind.get("IdType"): kind.text for kind in one.iterfind(".//ArticleIdList/ArticleId")}
        return work(
            self.name,
            name,
            _all_text(article.find("ArticleTitle")),
            authors=[_person(who) for who in article.iterfind("AuthorList/Author")],
            published=_published(article),
            url=f"https://pubmed.ncbi.nlm.nih.gov/{name}/",
            doi=ids.get("doi"),
            abstract="\n".join(
                _labelled(part) for part in article.iterfind("Abstract/AbstractText")
            ),
            venue=article.findtext("Journal/Title"),
            type=article.findtext("PublicationTypeList/PublicationType"),
        )


def _expression(query: Query) -> str:
    """The query in the syntax of arXiv: all words anywhere, and the days of submission."""
    if _FIELDS.search(query.text):
        text = f"({query.text})"
    else:
        words = re.findall(r"[\w.+-]+", query.text)
        text = " AND ".join(f"all:{word}" for word in words)
    if query.since or query.until:
        since = f"{query.since:%Y%m%d}0000" if query.since else "190001010000"
        until = f"{query.until:%Y%m%d}2359" if query.until else "299912312359"
        text += f" AND submittedDate:[{since} TO {until}]"
    return text


def _parsed(data: bytes, source: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise ToolError(
            f"{source} did not answer with XML: {error or type(error).__name__}",
            code="tool.search",
        ) from None
    return root


def _all_text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext())


def _labelled(part: Element) -> str:
    label = part.get("Label")
    return f"{label}: {_all_text(part)}" if label else _all_text(part)


def _person(who: Element) -> str:
    parts = (who.findtext("ForeName"), who.findtext("LastName"))
    return " ".join(part for part in parts if part) or who.findtext("CollectiveName", "")


def _published(article: Element) -> str:
    """`2024-06-30` or as much of it as there is; months come as numbers or names."""
    for place in ("ArticleDate", "Journal/JournalIssue/PubDate"):
        date = article.find(place)
        if date is None:
            continue
        year = date.findtext("Year") or date.findtext("MedlineDate", "")[:4]
        month = date.findtext("Month", "")
        number = _MONTHS.get(month[:3].lower()) or (int(month) if month.isdecimal() else 0)
        day = date.findtext("Day", "")
        parts = [year, f"{number:02}" if number else "", day.zfill(2) if number and day else ""]
        if year:
            return "-".join(part for part in parts if part)
    return ""

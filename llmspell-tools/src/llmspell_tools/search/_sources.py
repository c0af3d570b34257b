"""Collections of scholarly works that answer with JSON: Crossref and OpenAlex."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_tools._service import base_url, check_status, json_object, key_of, option
from llmspell_tools.search._works import Query, in_order, work

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

_DATE_PARTS = 3


class Source(ABC):
    """A collection: how it is asked, and where its answer has what."""

    name: ClassVar[str]
    address: ClassVar[str]

    @abstractmethod
    async def search(self, ctx: ToolContext, query: Query) -> list[dict[str, Any]]:
        """The works that it finds."""

    async def get(
        self, ctx: ToolContext, query: Query, path: str, params: dict[str, Any]
    ) -> HttpResponse:
        """Its answer to a request below its base URL."""
        response = await ctx.http.request(
            "GET",
            base_url(ctx, self.address, self.name) + path,
            params={name: value for name, value in params.items() if value not in (None, "")},
            timeout_ms=query.timeout_ms,
        )
        check_status(response, self.name)
        return response

    async def get_json(
        self, ctx: ToolContext, query: Query, path: str, params: dict[str, Any]
    ) -> dict[str, Any]:
        """The same as a JSON object."""
        return json_object(await self.get(ctx, query, path, params), self.name)


class Crossref(Source):
    """api.crossref.org: GET /works. `mailto` in the configuration is sent, as it asks for."""

    name = "crossref"
    address = "https://api.crossref.org"

    async def search(self, ctx: ToolContext, query: Query) -> list[dict[str, Any]]:
        limits = {"from-pub-date": query.since, "until-pub-date": query.until}
        params = {
            "query": query.text,
            "rows": query.count,
            "sort": {"date": "published", "citations": "is-referenced-by-count"}.get(
                query.sort, "relevance"
            ),
            "order": "desc",
            "filter": ",".join(f"{name}:{limit}" for name, limit in limits.items() if limit),
            "mailto": option(ctx, "", "mailto", ""),
        }
        answer = await self.get_json(ctx, query, "/works", params)
        message = answer.get("message")
        items = message.get("items") if isinstance(message, dict) else None
        return [self._work(one) for one in items or [] if isinstance(one, dict)]

    def _work(self, one: dict[str, Any]) -> dict[str, Any]:
        people = one.get("author") or []
        return work(
            self.name,
            one.get("DOI"),
            first(one.get("title")),
            authors=[
                " ".join(filter(None, (who.get("given"), who.get("family")))) or who.get("name")
                for who in people
                if isinstance(who, dict)
            ],
            published=_date(one),
            url=one.get("URL"),
            doi=one.get("DOI"),
            abstract=one.get("abstract"),
            venue=first(one.get("container-title")),
            citations=one.get("is-referenced-by-count"),
            type=one.get("type"),
        )


class Openalex(Source):
    """api.openalex.org: GET /works."""

    name = "openalex"
    address = "https://api.openalex.org"

    async def search(self, ctx: ToolContext, query: Query) -> list[dict[str, Any]]:
        limits = {"from_publication_date": query.since, "to_publication_date": query.until}
        params = {
            "search": query.text,
            "per-page": query.count,
            "sort": {"date": "publication_date:desc", "citations": "cited_by_count:desc"}.get(
                query.sort, "relevance_score:desc"
            ),
            "filter": ",".join(f"{name}:{limit}" for name, limit in limits.items() if limit),
            "mailto": option(ctx, "", "mailto", ""),
            "api_key": key_of(ctx, self.name, self.name),
        }
        answer = await self.get_json(ctx, query, "/works", params)
        return [self._work(one) for one in answer.get("results") or [] if isinstance(one, dict)]

    def _work(self, one: dict[str, Any]) -> dict[str, Any]:
        place = one.get("primary_location") or {}
        return work(
            self.name,
            one.get("id"),
            one.get("display_name") or one.get("title"),
            authors=[
                (who.get("author") or {}).get("display_name")
                for who in one.get("authorships") or []
                if isinstance(who, dict)
            ],
            published=one.get("publication_date") or one.get("publication_year"),
            url=place.get("landing_page_url") or one.get("doi") or one.get("id"),
            doi=one.get("doi"),
            abstract=in_order(one.get("abstract_inverted_index")),
            venue=(place.get("source") or {}).get("display_name"),
            citations=one.get("cited_by_count"),
            pdf_url=place.get("pdf_url") or (one.get("open_access") or {}).get("oa_url"),
            type=one.get("type"),
        )


def first(value: Any) -> Any:
    """The first of a list, or the value itself."""
    return (value[0] if value else None) if isinstance(value, list) else value


def _date(one: dict[str, Any]) -> str:
    """`2024-06-30`, or as much of it as Crossref says."""
    for name in ("published", "published-print", "published-online", "issued", "created"):
        parts = first((one.get(name) or {}).get("date-parts")) or []
        numbers = [part for part in parts[:_DATE_PARTS] if isinstance(part, int)]
        if numbers:
            return "-".join(f"{number:02}" for number in numbers)
    return ""

"""The providers of web searches that take a key, each in the protocol that it documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from llmspell_core.errors import ToolError
from llmspell_tools._service import option
from llmspell_tools.web._search import Kind, Provider, Search, chosen, entries, entry

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_PAGE = 10


class Tavily(Provider):
    """docs.tavily.com: POST /search; it takes neither language nor safe search."""

    name = "tavily"
    address = "https://api.tavily.com"

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        images = search.kind == "images"
        body = {
            "query": search.query,
            "max_results": min(search.count, 20),
            "topic": "news" if search.kind == "news" else "general",
            "include_images": images,
            "include_image_descriptions": images,
        }
        return {
            "path": "/search",
            "method": "POST",
            "headers": {"Authorization": f"Bearer {self.key(ctx)}"},
            "json": body,
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        if search.kind == "images":
            images = answer.get("images") or []
            given = [one if isinstance(one, dict) else {"url": one} for one in images]
            return [
                entry(one.get("description"), one.get("url"), image=one.get("url")) for one in given
            ]
        return [
            entry(
                one.get("title"),
                one.get("url"),
                one.get("content"),
                score=one.get("score"),
                published=one.get("published_date"),
            )
            for one in entries(answer, "results")
        ]


class Brave(Provider):
    """api-dashboard.search.brave.com: GET /res/v1/{web,news,images}/search."""

    name = "brave"
    address = "https://api.search.brave.com"

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        safe = search.safe
        if search.kind == "images" and safe == "moderate":
            safe = "strict"
        return {
            "path": f"/res/v1/{search.kind}/search",
            "headers": {"X-Subscription-Token": self.key(ctx), "Accept": "application/json"},
            "params": chosen(
                q=search.query,
                count=min(search.count, 20),
                safesearch=safe,
                search_lang=search.tongue,
                country=search.region,
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        if search.kind == "images":
            return [
                entry(
                    one.get("title"),
                    one.get("url"),
                    image=(one.get("properties") or {}).get("url"),
                    thumbnail=(one.get("thumbnail") or {}).get("src"),
                    source=one.get("source"),
                )
                for one in entries(answer, "results")
            ]
        path = ("web", "results") if search.kind == "web" else ("results",)
        return [
            entry(
                one.get("title"),
                one.get("url"),
                one.get("description"),
                published=one.get("page_age") or one.get("age"),
            )
            for one in entries(answer, *path)
        ]


class Bing(Provider):
    """Bing Web, News and Image Search v7: GET /v7.0/…search."""

    name = "bing"
    address = "https://api.bing.microsoft.com"
    _paths: ClassVar[dict[Kind, str]] = {
        "web": "/v7.0/search",
        "news": "/v7.0/news/search",
        "images": "/v7.0/images/search",
    }

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        return {
            "path": self._paths[search.kind],
            "headers": {"Ocp-Apim-Subscription-Key": self.key(ctx)},
            "params": chosen(
                q=search.query,
                count=search.count,
                safeSearch=search.safe.capitalize(),
                setLang=search.tongue,
                mkt=search.language if search.region else "",
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        if search.kind == "images":
            return [
                entry(
                    one.get("name"),
                    one.get("hostPageUrl") or one.get("contentUrl"),
                    image=one.get("contentUrl"),
                    thumbnail=one.get("thumbnailUrl"),
                )
                for one in entries(answer, "value")
            ]
        if search.kind == "news":
            return [
                entry(
                    one.get("name"),
                    one.get("url"),
                    one.get("description"),
                    published=one.get("datePublished"),
                )
                for one in entries(answer, "value")
            ]
        return [
            entry(
                one.get("name"),
                one.get("url"),
                one.get("snippet"),
                published=one.get("datePublished"),
            )
            for one in entries(answer, "webPages", "value")
        ]


class Google(Provider):
    """Custom Search JSON API: GET /customsearch/v1, ten results a page; needs an engine's `cx`."""

    name = "google"
    address = "https://www.googleapis.com"
    kinds = ("web", "images")

    def ready(self, ctx: ToolContext) -> bool:
        return bool(option(ctx, self.name, "cx", "")) and super().ready(ctx)

    async def search(self, ctx: ToolContext, search: Search) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < search.count:
            request = self.request(ctx, search)
            request["params"] |= {
                "num": min(_PAGE, search.count - len(found)),
                "start": len(found) + 1,
            }
            page = self.found(await self.asked(ctx, search, **request), search)
            found += page
            if len(page) < _PAGE:
                break
        return found

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        cx = option(ctx, self.name, "cx", "")
        if not cx:
            raise ToolError(
                f"{ctx.tool.name}: google has no search engine",
                code="tool.not_configured",
                hint=f"set cx in [tools.{ctx.tool.name}.google]",
            )
        return {
            "path": "/customsearch/v1",
            "params": chosen(
                key=self.key(ctx),
                cx=cx,
                q=search.query,
                safe="off" if search.safe == "off" else "active",
                lr=f"lang_{search.tongue}" if search.tongue else "",
                gl=search.region.lower(),
                searchType="image" if search.kind == "images" else "",
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        items = entries(answer, "items")
        if search.kind == "images":
            return [
                entry(
                    one.get("title"),
                    (one.get("image") or {}).get("contextLink") or one.get("link"),
                    one.get("snippet"),
                    image=one.get("link"),
                    thumbnail=(one.get("image") or {}).get("thumbnailLink"),
                )
                for one in items
            ]
        return [entry(one.get("title"), one.get("link"), one.get("snippet")) for one in items]


class Serper(Provider):
    """serper.dev: POST /search, /news or /images."""

    name = "serper"
    address = "https://google.serper.dev"

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        return {
            "path": "/search" if search.kind == "web" else f"/{search.kind}",
            "method": "POST",
            "headers": {"X-API-KEY": self.key(ctx)},
            "json": chosen(
                q=search.query,
                num=search.count,
                hl=search.tongue,
                gl=search.region.lower(),
                safe="off" if search.safe == "off" else "active",
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        items = entries(answer, "organic" if search.kind == "web" else search.kind)
        return [
            entry(
                one.get("title"),
                one.get("link"),
                one.get("snippet"),
                published=one.get("date"),
                source=one.get("source"),
                image=one.get("imageUrl"),
                thumbnail=one.get("thumbnailUrl"),
            )
            for one in items
        ]


class Serpapi(Provider):
    """serpapi.com: GET /search.json with Google's results."""

    name = "serpapi"
    address = "https://serpapi.com"
    _lists: ClassVar[dict[Kind, str]] = {
        "web": "organic_results",
        "news": "news_results",
        "images": "images_results",
    }

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        return {
            "path": "/search.json",
            "params": chosen(
                engine="google",
                q=search.query,
                api_key=self.key(ctx),
                num=search.count,
                hl=search.tongue,
                gl=search.region.lower(),
                safe="off" if search.safe == "off" else "active",
                tbm={"news": "nws", "images": "isch"}.get(search.kind, ""),
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        return [
            entry(
                one.get("title"),
                one.get("link"),
                one.get("snippet"),
                published=one.get("date"),
                source=one.get("source"),
                image=one.get("original"),
                thumbnail=one.get("thumbnail"),
            )
            for one in entries(answer, self._lists[search.kind])
        ]

"""The tool `sitemap-crawler`: the pages that a site lists in its sitemaps."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urljoin, urlsplit

from pydantic import Field

from llmspell_core.errors import DeadlineError, LLMSpellError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import MAX_SIZE, wrong
from llmspell_tools._service import check_status
from llmspell_tools.web import _robots, _sitemap

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MOST_SITEMAPS = 100
_LONGEST_DELAY_S = 5
_NOT_FOUND = 400


class SitemapParameters(ToolParameters):
    """Which site, and how far."""

    aliases: ClassVar[dict[str, str]] = {"url": "input"}

    input: str = Field(
        min_length=1,
        description="URL of a sitemap (xml, txt, gz), or of a site, whose robots.txt names them",
    )
    follow_sitemaps: bool = Field(
        True, description="Read the sitemaps that an index names, 100 at most"
    )
    max_urls: int = Field(1000, ge=1, le=100_000, description="Addresses to give at most")
    timeout_ms: float = Field(
        30_000, gt=0, le=300_000, description="For each document, in milliseconds"
    )
    respect_robots: bool = Field(
        True, description="Leave out what robots.txt disallows, and wait as long as it asks"
    )


class SitemapCrawler(Tool):
    """Reads sitemaps."""

    name = "sitemap-crawler"
    description = (
        "Gives the addresses that a site lists in its sitemaps (with lastmod, changefreq and "
        "priority), following indexes and respecting robots.txt."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(network="the host of the URL given, and of the sitemaps it names")
    open_world = True
    Parameters = SitemapParameters
    timeout_ms = 660_000
    examples = (
        ({"input": "https://example.com/", "max_urls": 100}, "urls, count and the sitemaps read"),
        ({"input": "https://example.com/sitemap.xml", "follow_sitemaps": False}, "one document"),
    )

    async def run_tool(self, params: SitemapParameters, ctx: ToolContext) -> ToolResult:
        if not _sitemap.is_address(params.input):
            raise wrong(self.name, "input", "must be an http or https URL")
        crawl = _Crawl(params, ctx)
        path = urlsplit(params.input).path.lower()
        if path.endswith((".xml", ".txt", ".gz", ".rss", ".atom")):
            await crawl.run([params.input], strict=True)
        else:
            robots = await crawl.robots_of(params.input)
            named = [one for one in robots.sitemaps if _sitemap.is_address(one)]
            await crawl.run(
                named or [urljoin(params.input, "/sitemap.xml")], strict=len(named) <= 1
            )
        result = crawl.result()
        lines = [one["url"] for one in result["urls"]]
        return ToolResult(result, output=result["urls"], text="\n".join(lines))


@dataclass(slots=True)
class _Crawl:
    """One walk through the sitemaps of a site."""

    params: SitemapParameters
    ctx: ToolContext
    urls: dict[str, dict[str, Any]] = field(default_factory=dict)
    sitemaps: list[dict[str, Any]] = field(default_factory=list)
    robots: dict[str, _robots.Robots] = field(default_factory=dict)
    skipped: int = 0
    truncated: bool = False

    async def run(self, first: list[str], *, strict: bool) -> None:
        """Read these sitemaps and what they name; a failure of the only one is raised."""
        waiting, seen = deque(first), set(first)
        while waiting and not self.truncated:
            if len(self.sitemaps) >= _MOST_SITEMAPS:
                self.truncated = True
                return
            url = waiting.popleft()
            if self.ctx.cancelled:
                raise DeadlineError(f"sitemap-crawler: {len(self.sitemaps)} sitemaps took too long")
            self.ctx.progress(len(self.sitemaps), len(seen), url)
            try:
                found = await self._read(url)
            except LLMSpellError as error:
                if strict and not self.sitemaps:
                    raise
                self.sitemaps.append({"url": url, "error": error.message})
                continue
            further = found.sitemaps if self.params.follow_sitemaps else []
            new = [one for one in dict.fromkeys(further) if one not in seen]
            waiting += new
            seen.update(new)
            self.sitemaps.append({"url": url, "count": len(found.urls) + len(found.sitemaps)})
            await self._take(found)

    async def robots_of(self, url: str) -> _robots.Robots:
        """The rules of the site of an address; none where there is no robots.txt."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self.robots:
            self.robots[site] = await self._fetch_robots(site)
        return self.robots[site]

    async def _fetch_robots(self, site: str) -> _robots.Robots:
        response = await self.ctx.http.request(
            "GET", f"{site}/robots.txt", timeout_ms=self.params.timeout_ms, max_bytes=MAX_SIZE
        )
        # RFC 9309: a site that has none allows everything.
        if response.status >= _NOT_FOUND:
            return _robots.Robots()
        return _robots.parse(response.text)

    async def _read(self, url: str) -> _sitemap.Sitemap:
        if self.params.respect_robots and self.sitemaps:
            delay = (await self.robots_of(url)).delay_s
            await asyncio.sleep(min(delay, _LONGEST_DELAY_S))
        response = await self.ctx.http.request(
            "GET", url, timeout_ms=self.params.timeout_ms, max_bytes=MAX_SIZE
        )
        check_status(response, response.url)
        # Those that are left out by robots.txt do not count.
        most = self.params.max_urls if not self.params.respect_robots else 100_000
        return await asyncio.to_thread(_sitemap.read, response.content, url, most)

    async def _take(self, found: _sitemap.Sitemap) -> None:
        for one in [*found.urls, *({"url": url} for url in self._kept_indexes(found))]:
            if one["url"] in self.urls:
                continue
            if self.params.respect_robots and not await self._allowed(one["url"]):
                self.skipped += 1
                continue
            if len(self.urls) >= self.params.max_urls:
                self.truncated = True
                return
            self.urls[one["url"]] = one
        self.truncated = self.truncated or found.truncated

    async def _allowed(self, url: str) -> bool:
        parts = urlsplit(url)
        known = self.robots.get(f"{parts.scheme}://{parts.netloc}")
        if known is None and parts.netloc != urlsplit(self.params.input).netloc:
            # Whether a page elsewhere may be fetched is for whoever fetches it to ask.
            return True
        return (known or await self.robots_of(url)).allows(url)

    def _kept_indexes(self, found: _sitemap.Sitemap) -> list[str]:
        return [] if self.params.follow_sitemaps else found.sitemaps

    def result(self) -> dict[str, Any]:
        return {
            "urls": [*self.urls.values()],
            "count": len(self.urls),
            "sitemaps": self.sitemaps,
            "skipped": self.skipped,
            "truncated": self.truncated,
        }

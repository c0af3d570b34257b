"""The tool `url-analyzer`: the parts of a URL, and what the page behind it says of itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import wrong
from llmspell_tools.web._page import fetched, in_helper, is_html, kind_of, page_text
from llmspell_tools.web._url import analyze

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_LONGEST = 65_536


class UrlParameters(ToolParameters):
    """A URL and what to find out about it."""

    input: str = Field(min_length=1, max_length=_LONGEST, description="The URL")
    decode_params: bool = Field(
        True, description="Decode %20 and + in the query fields; false: as they stand there"
    )
    fetch_metadata: bool = Field(
        False, description="Also get the page, for its status, type, title and description"
    )
    timeout_ms: float = Field(
        10_000, gt=0, le=120_000, description="fetch_metadata: for the request, in milliseconds"
    )

    aliases: ClassVar[dict[str, str]] = {"url": "input", "decode": "decode_params"}


class UrlAnalyzer(Tool):
    """Takes URLs apart."""

    name = "url-analyzer"
    description = (
        "Takes a URL apart: scheme, host, registered domain, port, path, query fields; says what "
        "is odd about it; on request also gets the page's title and description."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(network="the host of the URL given, with fetch_metadata")
    open_world = True
    Parameters = UrlParameters
    timeout_ms = 130_000
    extra = "web"
    examples = (
        (
            {"input": "https://shop.example.co.uk:8443/a/list.html?q=tea+pot&q=cup#top"},
            "registered_domain example.co.uk, port 8443, params q = [tea pot, cup]",
        ),
        ({"input": "http://0x7f.1/", "decode_params": False}, "host 127.0.0.1, a loopback address"),
        (
            {"input": "https://example.com/", "fetch_metadata": True},
            "also metadata with status, title and description",
        ),
    )

    async def run_tool(self, params: UrlParameters, ctx: ToolContext) -> ToolResult:
        # The first call reads the list of suffixes.
        found = await asyncio.to_thread(analyze, params.input, decode_params=params.decode_params)
        if params.fetch_metadata:
            if not found["valid"] or found["scheme"] not in ("http", "https"):
                raise wrong(self.name, "input", "must be a valid http or https URL to be fetched")
            found["metadata"] = await self._metadata(params, ctx)
        return ToolResult(found)

    async def _metadata(self, params: UrlParameters, ctx: ToolContext) -> dict[str, Any]:
        response = await fetched(ctx, params.input.strip(), params.timeout_ms)
        made: dict[str, Any] = {
            "status": response.status,
            "url": response.url,
            "redirects": response.history,
            "content_type": kind_of(response),
            "size": len(response.content),
            "elapsed_ms": round(response.elapsed_ms, 1),
        }
        if is_html(response):
            text = page_text(response, self.name)
            page = await in_helper(
                ctx, "scrape", text, response.url, {"meta": True, "selector": "title"}
            )
            meta: dict[str, str] = page["meta"]
            made |= {
                "title": page["title"] or None,
                "description": meta.get("description") or meta.get("og:description"),
                "language": meta.get("language"),
                "canonical": meta.get("canonical"),
                "meta": meta,
            }
        return made

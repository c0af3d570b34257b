"""The tool `web-scraper`: what is on a web page, as text, Markdown, fields, links and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, check_size
from llmspell_tools.web._page import PARSE_MS, fetched, in_helper, is_html, kind_of, page_text

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


class ScrapeParameters(ToolParameters):
    """Which page, and what of it."""

    aliases: ClassVar[dict[str, str]] = {
        "url": "input",
        "links": "extract_links",
        "images": "extract_images",
        "meta": "extract_meta",
        "extract_metadata": "extract_meta",
        "tables": "extract_tables",
    }

    input: str = Field(min_length=1, description="The URL of the page")
    selector: str | None = Field(
        None, description="CSS: only the elements that match, each an entry of `matches`"
    )
    selectors: dict[str, str] = Field(
        default_factory=dict,
        description="CSS by name: each a list of texts in `fields`; "
        '`"a.next::attr(href)"` gives an attribute, `::html` the markup',
        max_length=100,
    )
    extract_links: bool = Field(False, description="Give `links`: [{url, text}]")
    extract_images: bool = Field(False, description="Give `images`: [{url, alt}]")
    extract_meta: bool = Field(False, description="Give `meta`: the page's meta data by name")
    extract_tables: bool = Field(False, description="Give `tables`: [{headers, rows}]")
    format: Annotated[Literal["text", "markdown", "html"], Spelled(md="markdown", plain="text")] = (
        Field("text", description="How to write the content")
    )
    wait_for_js: bool = Field(
        False, description="Let a browser run the page's scripts first (extra `browser`)"
    )
    timeout_ms: float = Field(30_000, gt=0, le=300_000, description="In milliseconds")


class WebScraper(Tool):
    """Reads web pages."""

    name = "web-scraper"
    description = (
        "Fetches a web page and gives its content as text, Markdown or HTML, or the parts that CSS "
        "selectors name, its links, images, meta data and tables."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(
        network="the host of the URL given", processes="wait_for_js: a browser"
    )
    open_world = True
    Parameters = ScrapeParameters
    timeout_ms = 330_000
    extra = "web"
    examples = (
        ({"input": "https://example.com/", "format": "markdown"}, "the page as Markdown"),
        (
            {
                "input": "https://example.com/books",
                "selectors": {"title": "article h3 a", "link": "article h3 a::attr(href)"},
                "extract_tables": True,
            },
            "lists of texts in `fields`, and the tables",
        ),
    )

    async def run_tool(self, params: ScrapeParameters, ctx: ToolContext) -> ToolResult:
        if params.wait_for_js:
            from llmspell_tools.web._browser import visited

            page = await visited(ctx, params.input, params.timeout_ms)
            html, facts = page.html, {"url": page.url, "status": page.status}
        else:
            response = await fetched(ctx, params.input, params.timeout_ms)
            html = page_text(response, self.name)
            facts = {"url": response.url, "status": response.status}
            if not is_html(response):
                return _plain(html, kind_of(response), facts, params)
        result = {**facts, "format": params.format}
        check_size(self.name, len(html), "the page")
        wants = {
            "selector": params.selector,
            "selectors": params.selectors,
            "format": params.format,
            **_extracts(params),
        }
        limit = min(PARSE_MS, params.timeout_ms)
        result |= await in_helper(ctx, "scrape", html, facts["url"], wants, timeout_ms=limit)
        natural: Any = result["content"]
        if params.selectors:
            natural = result["fields"]
        elif params.selector is not None:
            natural = result["matches"]
        return ToolResult(result, output=natural, text=None if params.selectors else _text(result))


def _plain(text: str, kind: str, facts: dict[str, Any], params: ScrapeParameters) -> ToolResult:
    """What has no elements: there is nothing to select, only its text."""
    result: dict[str, Any] = {**facts, "format": "text", "content_type": kind, "title": ""}
    result["content"] = text
    if params.selector is not None:
        result |= {"content": "", "matches": [], "count": 0}
    if params.selectors:
        result["fields"] = {name: [] for name in params.selectors}
    empty: dict[str, Any] = {
        name: {} if name == "meta" else [] for name, on in _extracts(params).items() if on
    }
    return ToolResult(result | empty, output=result["content"])


def _extracts(params: ScrapeParameters) -> dict[str, bool]:
    return {
        "links": params.extract_links,
        "images": params.extract_images,
        "meta": params.extract_meta,
        "tables": params.extract_tables,
    }


def _text(result: dict[str, Any]) -> str:
    return str(result["content"]) or str(result["title"])

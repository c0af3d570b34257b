"""The tool `web-searcher`: searches the web through one of several providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from llmspell_core.errors import LLMSpellError, ToolError, ValidationError
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, wrong
from llmspell_tools._service import ServiceName, documented
from llmspell_tools.web._search import Search
from llmspell_tools.web._search_order import order

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


def _level(value: Any) -> Any:
    return {True: "strict", False: "off"}[value] if isinstance(value, bool) else value


class SearchParameters(ToolParameters):
    """What to look for."""

    aliases: ClassVar[dict[str, str]] = {
        "query": "input",
        "count": "max_results",
        "limit": "max_results",
        "type": "search_type",
    }

    input: str = Field(min_length=1, max_length=2000, description="What to search for")
    provider: (
        Annotated[
            Literal[
                "tavily", "brave", "bing", "google", "serper", "serpapi", "searxng", "duckduckgo",
            ],
            ServiceName(ddg="duckduckgo"),
        ]
        | None
    ) = Field(None, description="Whom to ask; else those that are configured, in turn")  # fmt: skip
    max_results: int = Field(10, ge=1, le=50, description="Results at most")
    search_type: Annotated[
        Literal["web", "news", "images"], Spelled(general="web", image="images", search="web")
    ] = Field("web", description="What kind of results")
    safe_search: Annotated[
        Literal["off", "moderate", "strict"],
        Spelled(none="off", on="strict"),
        BeforeValidator(_level),
    ] = Field("moderate", description="Whether to leave out adult content")
    language: Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z]{2})?)?$")] = Field(
        "", description="Of the results, like en or pt-BR; any by default"
    )
    timeout_ms: float = Field(
        20_000, gt=0, le=300_000, description="For each provider, in milliseconds"
    )


class WebSearcher(Tool):
    """Searches the web."""

    name = "web-searcher"
    description = (
        "Searches the web, news or images and gives title, URL and snippet of each result."
    )
    category = "web"
    security_level = "restricted"
    permissions = Permissions(
        network="the search provider",
        secrets=("tavily", "brave", "bing", "google", "serper", "serpapi"),
    )
    open_world = True
    Parameters = SearchParameters
    timeout_ms = 660_000
    examples = (
        ({"input": "tea ceremony", "max_results": 5}, "results with title, url and snippet"),
        (
            {"input": "Lua", "provider": "duckduckgo", "safe_search": "strict"},
            "what one provider finds",
        ),
    )

    async def run_tool(self, params: SearchParameters, ctx: ToolContext) -> ToolResult:
        search = Search(
            query=params.input,
            count=params.max_results,
            kind=params.search_type,
            safe=params.safe_search,
            language=params.language,
            timeout_ms=params.timeout_ms,
        )
        failed: list[dict[str, Any]] = []
        problem: LLMSpellError | None = None
        empty = ""
        providers = order(ctx, params.provider, search.kind)
        for number, provider in enumerate(providers):
            ctx.progress(number, len(providers), provider.name)
            try:
                if search.kind not in provider.kinds:
                    raise wrong(
                        self.name, "search_type", f"must not be {search.kind} for {provider.name}"
                    )
                with documented(provider.name):
                    found = await provider.search(ctx, search)
            except LLMSpellError as error:
                if isinstance(error, ValidationError) and params.provider is not None:
                    raise
                failed.append({"provider": provider.name, "message": error.message})
                problem = error
                continue
            results = _usable(found)[: search.count]
            if results:
                return _result(search, provider.name, results, failed)
            empty = empty or provider.name
        if empty:
            return _result(search, empty, [], failed)
        raise problem or _nobody(self.name, search.kind)


def _usable(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each address once, and only those of the web."""
    by_url: dict[tuple[str, Any], dict[str, Any]] = {}
    for one in found:
        if one["url"].startswith(("http://", "https://")):
            by_url.setdefault((one["url"], one.get("image")), one)
    return [*by_url.values()]


def _result(
    search: Search, provider: str, results: list[dict[str, Any]], failed: list[dict[str, Any]]
) -> ToolResult:
    result = {
        "results": results,
        "count": len(results),
        "provider": provider,
        "query": search.query,
        "failed": failed,
    }
    lines = [
        f"{number}. {one['title']}\n   {one['url']}\n   {' '.join(one['snippet'].split())}".rstrip()
        for number, one in enumerate(results, 1)
    ]
    return ToolResult(result, output=results, text="\n".join(lines) or "nothing was found")


def _nobody(tool: str, kind: str) -> ToolError:
    return ToolError(
        f"{tool}: no provider of {kind} is configured",
        code="tool.not_configured",
        hint=f"set TAVILY_API_KEY or another key, or [tools.{tool}.searxng] base_url",
    )

"""Which providers of web searches there are, and in what order they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmspell_core.errors import ConfigError
from llmspell_tools._service import option
from llmspell_tools.web._search import Kind, Provider
from llmspell_tools.web._search_open import Duckduckgo, Searxng
from llmspell_tools.web._search_providers import Bing, Brave, Google, Serpapi, Serper, Tavily

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

#: By name, in the order in which they are tried where the configuration names none.
PROVIDERS: dict[str, Provider] = {
    one.name: one
    for one in (
        Tavily(), Brave(), Serper(), Serpapi(), Google(), Bing(), Searxng(), Duckduckgo(),
    )
}  # fmt: skip


def order(ctx: ToolContext, provider: str | None, kind: Kind) -> list[Provider]:
    """Who is asked, one after the other until one has results.

    A provider that the caller names is the only one; else `[tools.web-searcher] provider` and
    `fallback` say, and without them all that are configured.
    """
    if provider is not None:
        return [PROVIDERS[provider]]
    first, others = option(ctx, "", "provider", ""), option(ctx, "", "fallback", [])
    names = [*([first] if first else []), *others]
    for name in names:
        if name not in PROVIDERS:
            raise ConfigError(
                f"[tools.{ctx.tool.name}]: there is no provider {name!r}",
                hint=f"there are {', '.join(PROVIDERS)}",
            )
    if names:
        return [PROVIDERS[name] for name in dict.fromkeys(names)]
    return [one for one in PROVIDERS.values() if kind in one.kinds and one.ready(ctx)]

"""The providers of web searches that take no key, each in the protocol that it documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_tools._service import base_url
from llmspell_tools.web._search import Provider, Search, chosen, entries, entry

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


class Searxng(Provider):
    """docs.searxng.org: GET /search?format=json of an instance of one's own."""

    name = "searxng"
    address = ""
    needs_key = False

    def ready(self, ctx: ToolContext) -> bool:
        return bool(base_url(ctx, "", self.name))

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        return {
            "path": "/search",
            "params": chosen(
                q=search.query,
                format="json",
                categories="general" if search.kind == "web" else search.kind,
                safesearch={"off": 0, "moderate": 1, "strict": 2}[search.safe],
                language=search.language or "all",
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        return [
            entry(
                one.get("title"),
                one.get("url"),
                one.get("content"),
                score=one.get("score"),
                published=one.get("publishedDate"),
                source=one.get("engine"),
                image=one.get("img_src"),
                thumbnail=one.get("thumbnail_src") or one.get("thumbnail"),
            )
            for one in entries(answer, "results")
        ]


class Duckduckgo(Provider):
    """The Instant Answer API: GET /?format=json. It knows topics, not the whole web."""

    name = "duckduckgo"
    address = "https://api.duckduckgo.com"
    kinds = ("web",)
    needs_key = False

    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        region, tongue = search.region.lower(), search.tongue
        return {
            "path": "/",
            "params": chosen(
                q=search.query,
                format="json",
                no_html="1",
                no_redirect="1",
                skip_disambig="1",
                t="llmspell",
                kp={"off": "-2", "moderate": "-1", "strict": "1"}[search.safe],
                kl=f"{region}-{tongue}" if region else "",
            ),
        }

    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        found = []
        if answer.get("AbstractURL"):
            found.append(
                entry(
                    answer.get("Heading"),
                    answer["AbstractURL"],
                    answer.get("AbstractText") or answer.get("Abstract"),
                    source=answer.get("AbstractSource"),
                )
            )
        topics = [*entries(answer, "Results"), *entries(answer, "RelatedTopics")]
        for topic in topics:
            for one in entries(topic, "Topics") or [topic]:
                text = str(one.get("Text") or "")
                if one.get("FirstURL"):
                    found.append(entry(text.partition(" - ")[0], one["FirstURL"], text))
        return found

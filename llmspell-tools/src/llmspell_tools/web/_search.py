"""What a web search is, and what a provider of searches does with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from llmspell_core.errors import ToolError
from llmspell_tools._service import base_url, check_status, json_object, key_of, needed_key

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

Kind = Literal["web", "news", "images"]
Safe = Literal["off", "moderate", "strict"]


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. `language` is like `en` or `pt-BR`, "" for any."""

    query: str
    count: int
    kind: Kind
    safe: Safe
    language: str
    timeout_ms: float

    @property
    def tongue(self) -> str:
        """The language without a region: `pt`."""
        return self.language.partition("-")[0].lower()

    @property
    def region(self) -> str:
        """The region of the language: `BR`, or ""."""
        return self.language.partition("-")[2].upper()


class Provider(ABC):
    """A service that searches the web: how it is asked and where its answer has what."""

    name: ClassVar[str]
    #: Where it is, "" for services without a public place.
    address: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("web", "news", "images")
    needs_key: ClassVar[bool] = True

    def ready(self, ctx: ToolContext) -> bool:
        """Whether all is configured that it needs."""
        return not self.needs_key or key_of(ctx, self.name, self.name) is not None

    def key(self, ctx: ToolContext) -> str:
        """Its key, or `tool.not_configured`."""
        return needed_key(ctx, self.name, self.name)

    async def search(self, ctx: ToolContext, search: Search) -> list[dict[str, Any]]:
        """What it finds: `{title, url, snippet, …}` each."""
        answer = await self.asked(ctx, search, **self.request(ctx, search))
        return self.found(answer, search)

    @abstractmethod
    def request(self, ctx: ToolContext, search: Search) -> dict[str, Any]:
        """The request: `path`, and further arguments of the gate's."""

    @abstractmethod
    def found(self, answer: dict[str, Any], search: Search) -> list[dict[str, Any]]:
        """The entries of an answer."""

    async def asked(
        self, ctx: ToolContext, search: Search, *, path: str, method: str = "GET", **more: Any
    ) -> dict[str, Any]:
        """The JSON object that it answers with."""
        address = base_url(ctx, self.address, self.name)
        if not address:
            raise ToolError(
                f"{ctx.tool.name}: {self.name} has no address",
                code="tool.not_configured",
                hint=f"set base_url in [tools.{ctx.tool.name}.{self.name}]",
            )
        response = await ctx.http.request(
            method, address + path, timeout_ms=search.timeout_ms, **more
        )
        check_status(response, self.name)
        answer = json_object(response, self.name)
        if isinstance(answer.get("error"), str):
            raise ToolError(f"{self.name}: {answer['error'][:300]}", code="tool.search")
        return answer


def entries(answer: Any, *path: str) -> list[dict[str, Any]]:
    """The objects of the list at a path in an answer; none where there is no such list."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []


def entry(title: Any, url: Any, snippet: Any = "", **more: Any) -> dict[str, Any]:
    """One result, without what the provider does not say."""
    facts = {"title": title or url, "url": url or "", "snippet": snippet or ""}
    texts = {name: value if isinstance(value, str) else str(value) for name, value in facts.items()}
    return {**texts, **{name: value for name, value in more.items() if value not in (None, "")}}


def chosen(**params: Any) -> dict[str, Any]:
    """The parameters that have a value."""
    return {name: value for name, value in params.items() if value not in (None, "")}

"""`http_api`: a tool that calls one address of an HTTP API, through `http-requester`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from llmspell_core.tool import Permissions, ToolResult
from llmspell_tools.kinds._base import (
    DescribedConfig,
    DescribedTool,
    fill,
    fill_text,
    placeholders,
)
from llmspell_tools.web.http_requester import Auth, HttpRequester, Retry

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_WITH_BODY = ("POST", "PUT", "PATCH")


class HttpApiConfig(DescribedConfig):
    """An address of an HTTP API; texts may have {{name}} for parameters."""

    aliases: ClassVar[dict[str, str]] = {"base_url": "url", "endpoint": "path"}

    url: str = Field(description="the address, {{name}} for parameters, which are escaped")
    path: str = Field("", description="added to the address")
    method: str = Field("GET", description="GET, POST, ...")
    headers: dict[str, str] = Field(default_factory=dict, description="request headers")
    query: dict[str, Any] = Field(default_factory=dict, description="query fields")
    body: Any = Field(None, description="text or a table, sent as JSON")
    auth: Auth | None = Field(None, description="as of http-requester")
    retry: Retry | None = Field(None, description="as of http-requester")


class HttpApi(DescribedTool):
    """Calls an HTTP API. Parameters that stand in no text go to the query or the body."""

    category = "web"
    permissions = Permissions(network="the host of its address")
    open_world = True

    def __init__(self, config: HttpApiConfig) -> None:
        self._url = (
            config.url.rstrip("/") + "/" + config.path.lstrip("/") if config.path else config.url
        )
        texts = [self._url, config.headers, config.query, config.body]
        super().__init__(config, "restricted", texts)
        self._config = config
        self._placed = set(placeholders(texts))
        self._with_body = config.method.upper() in _WITH_BODY

    async def run_tool(self, params: dict[str, Any], ctx: ToolContext) -> ToolResult:
        config = self._config
        request: dict[str, Any] = {
            "input": fill_text(self._url, params, _escaped),
            "method": config.method,
            "headers": {key: fill_text(one, params) for key, one in config.headers.items()},
            "query": fill(config.query, params),
            "timeout_ms": config.timeout_ms,
        }
        rest = {key: value for key, value in params.items() if key not in self._placed}
        if config.body is not None:
            request["body"] = fill(config.body, params)
        elif rest and self._with_body:
            request["json"] = rest
        if rest and not (self._with_body and config.body is None):
            request["query"] = {**request["query"], **rest}
        if config.auth is not None:
            request["auth"] = config.auth.model_dump(exclude_none=True)
        if config.retry is not None:
            request["retry"] = config.retry.model_dump()
        return await HttpRequester().call(request, ctx)


def _escaped(text: str) -> str:
    # A value is one part of a path: it must not reach another one.
    return quote(text, safe="").replace(".", "%2E") if set(text) == {"."} else quote(text, safe="")


def make(cfg: dict[str, Any]) -> HttpApi:
    """The tool of a description."""
    return HttpApi(HttpApiConfig.model_validate(cfg))

"""The tool `http-requester`: sends one HTTP request, with retries, through the network gate."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import Field, model_validator

from llmspell_core.script.model import ScriptModel
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult, as_text
from llmspell_tools._parameters import MAX_SIZE, Spelled, Text, wrong
from llmspell_tools.web._request import Body, Method, add_json_type, as_json, check_headers
from llmspell_tools.web._retry import PASSING, repeated

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_core.security.http import HttpResponse

_CLIENT_ERROR = 400


class Auth(ScriptModel):
    """How to prove who is asking."""

    aliases: ClassVar[dict[str, str]] = {
        "key": "token",
        "api_key": "token",
        "value": "token",
        "user": "username",
        "header": "name",
        "in": "location",
    }

    type: Annotated[Literal["bearer", "basic", "api_key", "header"], Spelled(apikey="api_key")] = (
        Field("bearer", description="bearer, basic, api_key (a header or query field), header")
    )
    token: Text | None = Field(None, description="The token, key or header value")
    username: Text | None = Field(None, description="basic")
    password: Text | None = Field(None, description="basic")
    name: str | None = Field(
        None, description="The header or query field of the key (default X-API-Key)"
    )
    location: Literal["header", "query"] = Field("header", description="api_key: where it goes")

    @model_validator(mode="after")
    def _complete(self) -> Auth:
        if self.type == "basic" and self.username is None:
            raise ValueError("basic needs username and password")
        if self.type != "basic" and self.token is None:
            raise ValueError(f"{self.type} needs token")
        return self


class Retry(ScriptModel):
    """When to ask again."""

    max_attempts: int = Field(3, ge=1, le=10, description="Requests at most, the first included")
    backoff_ms: float = Field(
        500, ge=0, le=60_000, description="Wait before the second request; doubled each time"
    )
    retry_on_status: list[int] = Field(
        default_factory=lambda: [*PASSING], description="Statuses to repeat on"
    )


class RequestParameters(ToolParameters):
    """One HTTP request."""

    aliases: ClassVar[dict[str, str]] = {
        "url": "input",
        "params": "query",
        "data": "body",
        "json": "json_",
    }

    input: str = Field(min_length=1, description="The URL, http or https")
    method: Method = Field("GET", description="The HTTP method")
    headers: dict[str, Text] = Field(default_factory=dict, description="Request headers")
    body: Body | None = Field(None, description="The body: text, or a table sent as JSON")
    json_: Any = Field(None, alias="json", description="The body as a value, sent as JSON")
    query: dict[str, Any] = Field(default_factory=dict, description="Added to the URL's query")
    auth: Auth | None = Field(None, description="Credentials")
    retry: Retry | None = Field(
        None, description="Ask again after a lost connection or certain statuses"
    )
    timeout_ms: float = Field(
        30_000, gt=0, le=600_000, description="For each request, in milliseconds"
    )
    follow_redirects: bool = Field(True, description="Follow redirects, up to ten")
    max_bytes: int = Field(
        MAX_SIZE, ge=1, le=4 * MAX_SIZE, description="Largest answer to accept, in bytes"
    )


class HttpRequester(Tool):
    """Sends HTTP requests."""

    name = "http-requester"
    description = (
        "Sends an HTTP request to a host that the security policy allows and gives status, headers "
        "and body; JSON answers are parsed."
    )
    category = "web"
    aliases = ("http-request",)
    security_level = "restricted"
    permissions = Permissions(network="the host of the URL given")
    open_world = True
    Parameters = RequestParameters
    timeout_ms = 660_000
    examples = (
        ({"url": "https://api.example.com/items", "query": {"page": 2}}, "the items as a value"),
        (
            {
                "url": "https://api.example.com/items",
                "method": "POST",
                "json": {"name": "tea"},
                "auth": {"type": "bearer", "token": "..."},
                "retry": {"max_attempts": 3, "backoff_ms": 200},
            },
            "status, headers and the created item",
        ),
    )

    async def run_tool(self, params: RequestParameters, ctx: ToolContext) -> ToolResult:
        request = self._request(params)
        retry = params.retry
        response, attempts = await repeated(
            ctx,
            lambda: ctx.http.request(params.method, **request),
            attempts=retry.max_attempts if retry else 1,
            backoff_ms=retry.backoff_ms if retry else 0,
            statuses=retry.retry_on_status if retry else (),
        )
        return _result(response, attempts)

    def _request(self, params: RequestParameters) -> dict[str, Any]:
        """The arguments of the gate's `request`."""
        headers, query = dict(params.headers), dict(params.query)
        request: dict[str, Any] = {
            "headers": headers,
            "timeout_ms": params.timeout_ms,
            "follow_redirects": params.follow_redirects,
            "max_bytes": params.max_bytes,
        }
        self._add_auth(params.auth, headers, query, request)
        request["url"] = _with_query(params.input, query)
        self._add_body(params, headers, request)
        check_headers(self.name, headers)
        return request

    def _add_auth(
        self,
        auth: Auth | None,
        headers: dict[str, str],
        query: dict[str, Any],
        request: dict[str, Any],
    ) -> None:
        if auth is None:
            return
        token = auth.token or ""
        if auth.type == "basic":
            request["auth"] = (auth.username or "", auth.password or "")
        elif auth.type == "bearer":
            headers["Authorization"] = f"Bearer {token}"
        elif auth.location == "query":
            query[auth.name or "api_key"] = token
        else:
            headers[auth.name or "X-API-Key"] = token

    def _add_body(
        self, params: RequestParameters, headers: dict[str, str], request: dict[str, Any]
    ) -> None:
        has_json = "json_" in params.model_fields_set
        if has_json and params.body is not None:
            raise wrong(self.name, "json", "must not be given together with body")
        if not has_json and not isinstance(params.body, (dict, list)):
            if params.body is not None:
                request["content"] = params.body
            return
        value = params.json_ if has_json else params.body
        request["content"] = as_json(self.name, "json" if has_json else "body", value)
        add_json_type(headers)


def _with_query(url: str, query: dict[str, Any]) -> str:
    """The URL with fields added to the query that it has."""
    if not query:
        return url
    pairs = [
        (key, as_text(one))
        for key, value in query.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    address, mark, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode(pairs, errors='surrogatepass')}{mark}{fragment}"


def _result(response: HttpResponse, attempts: int) -> ToolResult:
    result: dict[str, Any] = {
        "status": response.status,
        "headers": dict(response.headers),
        "url": response.url,
        "elapsed_ms": response.elapsed_ms,
    }
    result["body"] = _text_body(response, result)
    parsed, value = _parsed(response)
    if parsed:
        result["json"] = value
    text = result["body"]
    if response.status >= _CLIENT_ERROR or not text:
        text = f"HTTP {response.status} {_phrase(response.status)}\n{text}".strip()
    metadata = {"attempts": attempts, "response": {"status": response.status}}
    return ToolResult(
        result, output=value if parsed else result["body"], text=text, metadata=metadata
    )


def _text_body(response: HttpResponse, result: dict[str, Any]) -> str:
    """The body as text; bytes that are none in base64, which `encoding` tells."""
    if b"\0" not in response.content:
        return response.text
    result["encoding"] = "base64"
    return base64.b64encode(response.content).decode()


def _parsed(response: HttpResponse) -> tuple[bool, Any]:
    kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return False, None
    try:
        return True, json.loads(response.content)
    except (ValueError, RecursionError):
        return False, None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

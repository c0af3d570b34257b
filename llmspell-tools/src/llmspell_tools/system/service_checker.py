"""The tool `service-checker`: whether a service answers, by TCP, HTTP or DNS."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from llmspell_core.errors import DeadlineError, LLMSpellError, ValidationError
from llmspell_core.security.net import NetworkError, split_port
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import Spelled, wrong

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_PORTS = {"http": 80, "https": 443}
#: Of a name's addresses: rules may name a port, and this is the usual one.
_ANY_PORT = 443
_CLIENT_ERROR = 400


class ServiceParameters(ToolParameters):
    """A service and how to ask it."""

    target: str = Field(
        min_length=1, max_length=2_048, description="host:port, a host, or an http(s) URL"
    )
    check_type: (
        Annotated[
            Literal["tcp", "http", "https", "dns"],
            Spelled(port="tcp", socket="tcp", web="http", url="http", resolve="dns", name="dns"),
        ]
        | None
    ) = Field(
        None,
        description="tcp: whether the port takes connections; http, https: the status of the "
        "answer; dns: the addresses of the name. Left out: as the target is, a URL by its scheme, "
        "host:port by tcp, a host alone by dns",
    )
    timeout_ms: float = Field(
        10_000, gt=0, le=120_000, description="How long to wait, in milliseconds"
    )

    aliases: ClassVar[dict[str, str]] = {
        "input": "target",
        "host": "target",
        "url": "target",
        "service": "target",
        "type": "check_type",
    }


class ServiceChecker(Tool):
    """Checks whether services answer."""

    name = "service-checker"
    description = (
        "Checks whether a service answers: a TCP port, an HTTP or HTTPS URL, or a name in the DNS; "
        "gives the time it took, and why it does not."
    )
    category = "system"
    security_level = "restricted"
    permissions = Permissions(network="the host given")
    open_world = True
    Parameters = ServiceParameters
    timeout_ms = 130_000
    examples = (
        ({"target": "db.example.com:5432"}, "available, with response_time_ms"),
        ({"target": "https://example.com/health"}, "available, with the status of the answer"),
        ({"target": "example.com", "check_type": "dns"}, "the addresses of the name"),
    )

    async def run_tool(self, params: ServiceParameters, ctx: ToolContext) -> ToolResult:
        target = params.target.strip()
        try:
            url = urlsplit(target) if "://" in target else None
            kind = params.check_type or _obvious(target, url)
            host, port = _place(target, url)
        except ValueError as error:
            raise self._wrong(str(error)) from None
        except ValidationError as error:
            raise self._wrong(error.message) from None
        started = time.perf_counter()
        result: dict[str, Any] = {"target": target, "check_type": kind, "available": True}
        try:
            async with asyncio.timeout(params.timeout_ms / 1000):
                if kind in ("tcp", "dns"):
                    result |= await self._reach(kind, host, port, ctx)
                else:
                    result |= await _http(_url(kind, target), params.timeout_ms, ctx)
        except TimeoutError:
            result |= _failed(DeadlineError(f"no answer within {params.timeout_ms:g} ms"))
        except (NetworkError, DeadlineError) as error:
            result |= _failed(error)
        except ValidationError as error:
            if error.code == ValidationError.code:
                raise
            raise self._wrong(error.message) from None
        result["response_time_ms"] = round((time.perf_counter() - started) * 1000, 2)
        return ToolResult(result, output=result["available"], text=_text(result))

    async def _reach(
        self, kind: str, host: str, port: int | None, ctx: ToolContext
    ) -> dict[str, Any]:
        net = ctx.http.net
        if kind == "dns":
            addresses = await net.resolve_checked(host, port or _ANY_PORT)
            return {"host": host, "addresses": addresses, "count": len(addresses)}
        if port is None:
            raise wrong(self.name, "target", "must name a port, as in host:port")
        # The time of the call is the one that counts.
        (await net.connect(host, port, timeout_ms=self.timeout_ms)).close()
        return {"host": host, "port": port}

    def _wrong(self, why: str) -> ValidationError:
        return wrong(self.name, "target", f"is no host or URL: {why}")


def _obvious(target: str, url: SplitResult | None) -> Literal["tcp", "http", "https", "dns"]:
    if url is not None:
        if url.scheme == "https":
            return "https"
        return "http" if url.scheme == "http" else "tcp"
    return "dns" if split_port(target)[1] is None else "tcp"


def _place(target: str, url: SplitResult | None) -> tuple[str, int | None]:
    """Host and port that the target names."""
    if url is None:
        return split_port(target)
    host = url.hostname or ""
    return host, url.port or _PORTS.get(url.scheme)


def _url(kind: str, target: str) -> str:
    scheme, separator, rest = target.partition("://")
    if not separator:
        return f"{kind}://{target}"
    return f"{kind}://{rest}" if scheme.lower() in _PORTS else target


async def _http(url: str, timeout_ms: float, ctx: ToolContext) -> dict[str, Any]:
    """Ask for the head only, and for the whole from servers that do not like that."""
    response = await ctx.http.request("HEAD", url, timeout_ms=timeout_ms, follow_redirects=False)
    if response.status >= _CLIENT_ERROR:
        response = await ctx.http.request("GET", url, timeout_ms=timeout_ms, follow_redirects=False)
    found = {"url": response.url, "status": response.status}
    # An error of the server is an answer, and not one of a service that works.
    found["available"] = response.status < _CLIENT_ERROR
    if "location" in response.headers:
        found["location"] = response.headers["location"]
    return found


def _failed(error: LLMSpellError) -> dict[str, Any]:
    return {"available": False, "error": {"code": error.code, "message": error.message}}


def _text(result: dict[str, Any]) -> str:
    took = f"{result['response_time_ms']:g} ms"
    if "error" in result:
        return f"{result['target']} is not available: {result['error']['message']}"
    if "addresses" in result:
        return f"{result['host']} has the addresses {', '.join(result['addresses'])} ({took})"
    if "status" in result:
        word = "available" if result["available"] else "not available"
        return f"{result['target']} is {word}: status {result['status']} ({took})"
    return f"{result['target']} is available ({took})"

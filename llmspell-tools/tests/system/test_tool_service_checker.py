from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from web_test_server import Answer, Request, Route, redirect, serving

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.security.net import NetGate
from llmspell_core.tool import ToolResult
from llmspell_tools.system.service_checker import ServiceChecker

Call = Callable[..., Awaitable[ToolResult]]
NAMES = {
    "public.example": ["93.184.216.34", "2606:4700::1111"],
    "rebound.example": ["127.0.0.1"],
    "localhost": ["127.0.0.1"],
}


async def resolver(host: str, port: int) -> Sequence[str]:
    if host not in NAMES:
        raise OSError(-2, "Name or service not known")
    return NAMES[host]


def picky(request: Request) -> Answer:
    return Answer(status=404 if request.method == "HEAD" else 200)


ROUTES: dict[str, Route] = {
    "/": b"",
    "/x": b"",
    "/gone": Answer(status=404),
    "/moved": redirect("https://elsewhere.example/", 301),
    "/picky": picky,
    "/slow": Answer(delay_s=2),
}


def within(work: Callable[[Call, int], Awaitable[None]], *hosts: str) -> None:
    """A server on loopback, and names that are ours: no resolver of the system is asked."""

    async def main() -> None:
        allowed = list(hosts) or ["*", "127.0.0.1", "localhost"]
        settings = {"security": {"network": {"allowed_hosts": allowed}}}
        async with serving(ROUTES) as server, Runtime(settings) as runtime:
            ctx = runtime.context()
            layers = [profile.network for profile in ctx.policy.profile.chain()]
            ctx.policy.http.net = NetGate(layers, resolver=resolver)

            async def call(target: str, **params: Any) -> ToolResult:
                return await ServiceChecker().call({"target": target, **params}, ctx)

            try:
                await work(call, int(server.url.rpartition(":")[2]))
            finally:
                await runtime.policy.close()

    asyncio.run(main())


def test_a_port_that_takes_connections() -> None:
    async def work(call: Call, port: int) -> None:
        result = await call(f"127.0.0.1:{port}")
        assert result.output is True
        took = result.result["response_time_ms"]
        assert result.result == {
            "target": f"127.0.0.1:{port}",
            "check_type": "tcp",
            "available": True,
            "host": "127.0.0.1",
            "port": port,
            "response_time_ms": took,
        }
        assert result.text == f"127.0.0.1:{port} is available ({took:g} ms)"
        named = await call(f"localhost:{port}", check_type="port")
        assert named.output is True
        assert (await call(f"http://127.0.0.1:{port}/x", check_type="tcp")).output is True

    within(work)


def test_a_port_where_nobody_listens() -> None:
    async def work(call: Call, _: int) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            result = await call(f"127.0.0.1:{unused.getsockname()[1]}")
        assert result.success
        assert result.output is False
        assert result.result["error"]["code"] == "network.connection"
        assert "is not available: cannot connect" in result.text

    within(work)


@pytest.mark.parametrize(
    ("path", "status", "available"),
    [("/", 200, True), ("/gone", 404, False), ("/moved", 301, True), ("/picky", 200, True)],
)
def test_http(path: str, status: int, available: bool) -> None:
    async def work(call: Call, port: int) -> None:
        result = await call(f"http://127.0.0.1:{port}{path}")
        assert (result.result["check_type"], result.result["status"]) == ("http", status)
        assert result.output is available
        # A redirect is an answer; nobody follows it.
        assert result.result.get("location") == (
            "https://elsewhere.example/" if path == "/moved" else None
        )
        plain = await call(f"127.0.0.1:{port}", check_type="http")
        assert plain.result["status"] == 200

    within(work)


def test_what_speaks_no_tls_is_not_available_by_https() -> None:
    async def work(call: Call, port: int) -> None:
        result = await call(f"127.0.0.1:{port}", check_type="https", timeout_ms=1_500)
        assert result.output is False
        assert result.result["error"]["code"] in ("network.tls", "timeout", "network.protocol")

    within(work)


def test_a_slow_service_is_not_available_in_time() -> None:
    async def work(call: Call, port: int) -> None:
        result = await call(f"http://127.0.0.1:{port}/slow", timeout_ms=100)
        assert result.output is False
        assert result.result["error"]["code"] == "timeout"
        assert result.result["response_time_ms"] < 900

    within(work)


def test_dns() -> None:
    async def work(call: Call, _: int) -> None:
        result = await call("public.example")
        assert result.result["check_type"] == "dns"
        assert result.result["addresses"] == ["93.184.216.34", "2606:4700::1111"]
        assert (await call("https://public.example/x", check_type="dns")).result["count"] == 2
        unknown = await call("unknown.example")
        assert (unknown.output, unknown.result["error"]["code"]) == (False, "network.resolve")

    within(work)


@pytest.mark.parametrize(
    "target",
    ["10.0.0.1:22", "169.254.169.254", "http://169.254.169.254/latest/", "rebound.example:22",
     "rebound.example", "0x7f.2:80", "[::1]:80", "http://[::ffff:10.0.0.1]/", "localhost:22"],
)  # fmt: skip
def test_what_the_policy_does_not_allow_is_not_asked(target: str) -> None:
    async def work(call: Call, _: int) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(target)
        assert caught.value.code == "policy.network"

    within(work, "*")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"target": ""}, "target: String should have at least 1"),
        ({"target": "public.example", "check_type": "tcp"}, "target must name a port"),
        ({"target": "public.example:99999"}, "target is no host or URL: .* 99999 is not a port"),
        ({"target": "http://a:b/"}, "target is no host or URL"),
        ({"target": "exa mple:80"}, "target is no host or URL"),
        ({"target": "ftp://"}, "target "),
        ({"target": "a:1", "check_type": "smtp"}, "check_type must be one of tcp, http"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(call: Call, _: int) -> None:
        with pytest.raises(ValidationError, match=message):
            await call(**params)

    within(work)

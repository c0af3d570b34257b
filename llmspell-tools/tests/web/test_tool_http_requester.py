from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.web.http_requester import HttpRequester


@dataclass
class Server:
    """A small HTTP server on loopback that answers with `replies` in turn, then the last one."""

    replies: list[bytes]
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(_pair(line) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append((head[0], headers, body))
        writer.write(reply)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name.lower(), value


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def as_json(value: Any, **more: Any) -> bytes:
    return reply(json.dumps(value).encode(), content_type="application/json", **more)


@asynccontextmanager
async def serving(*replies: bytes) -> AsyncIterator[Server]:
    server = Server(list(replies))
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    async with listening:
        yield server


def within(replies: list[bytes], work: Callable[[Server, Any], Awaitable[None]]) -> None:
    async def main() -> None:
        settings = {"security": {"network": {"allowed_hosts": ["127.0.0.1"]}}}
        async with serving(*replies) as server, Runtime(settings) as runtime:

            async def run(path: str = "/", **params: Any) -> ToolResult:
                return await HttpRequester().call(
                    {"url": server.url + path, **params}, runtime.context()
                )

            try:
                await work(server, run)
            finally:
                await runtime.policy.close()

    asyncio.run(main())


def test_a_json_answer_is_parsed() -> None:
    async def work(server: Server, run: Any) -> None:
        result = await run("/items?a=1", query={"page": 2, "tags": ["x", "y"], "on": True})
        assert server.requests[0][0] == "GET /items?a=1&page=2&tags=x&tags=y&on=true HTTP/1.1"
        assert result.result["status"] == 200
        assert result.result["json"] == result.output == {"items": ["ü"]}
        assert json.loads(result.result["body"]) == {"items": ["ü"]}
        assert result.result["headers"]["content-type"] == "application/json"
        assert result.result["url"].startswith(server.url)
        assert result.result["elapsed_ms"] > 0
        assert result.text == result.result["body"]
        assert result.metadata["attempts"] == 1

    within([as_json({"items": ["ü"]})], work)


def test_bodies() -> None:
    async def work(server: Server, run: Any) -> None:
        await run(method="post", json={"a": None})
        await run(method="PUT", body={"b": 1})
        await run(method="POST", body="plain", headers={"Content-Type": "text/plain", "X-N": 1})
        await run(method="POST", json=None)
        first, second, third, fourth = server.requests
        assert first[0].startswith("POST ")
        assert first[1]["content-type"] == "application/json"
        assert json.loads(first[2]) == {"a": None}
        assert json.loads(second[2]) == {"b": 1}
        assert (third[2], third[1]["content-type"], third[1]["x-n"]) == (
            b"plain",
            "text/plain",
            "1",
        )
        assert fourth[2] == b"null"

    within([reply(b"ok")], work)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer", "token": "t"}, "authorization", "Bearer t"),
        ({"token": "t"}, "authorization", "Bearer t"),
        ({"type": "basic", "username": "u", "password": "p"}, "authorization", "Basic dTpw"),
        ({"type": "api_key", "key": "k"}, "x-api-key", "k"),
        ({"type": "api-key", "key": "k", "name": "X-Mine"}, "x-mine", "k"),
        ({"type": "header", "name": "X-H", "value": "v"}, "x-h", "v"),
    ],
)
def test_credentials(auth: dict[str, Any], header: str, value: str) -> None:
    async def work(server: Server, run: Any) -> None:
        await run(auth=auth)
        assert server.requests[0][1][header] == value

    within([reply(b"ok")], work)


def test_a_key_may_go_into_the_query() -> None:
    async def work(server: Server, run: Any) -> None:
        await run(auth={"type": "api_key", "key": "a b", "in": "query", "name": "key"})
        assert server.requests[0][0] == "GET /?key=a+b HTTP/1.1"

    within([reply(b"ok")], work)


def test_an_error_status_is_a_result() -> None:
    async def work(server: Server, run: Any) -> None:
        result = await run("/missing")
        assert result.success
        assert result.result["status"] == 404
        assert result.text == "HTTP 404 Not Found\nnot here"
        assert result.output == "not here"

    within([reply(b"not here", "404 Not Found")], work)


def test_retries_end_with_the_first_good_answer() -> None:
    async def work(server: Server, run: Any) -> None:
        result = await run(retry={"max_attempts": 4, "backoff_ms": 1})
        assert result.output == "fine"
        assert result.metadata["attempts"] == 3
        assert len(server.requests) == 3
        last = await run(retry={"max_attempts": 2, "backoff_ms": 1, "retry_on_status": [200]})
        assert (last.output, last.metadata["attempts"]) == ("fine", 2)

    within([reply(b"", "503 Busy"), reply(b"", "429 Slow", retry_after="0"), reply(b"fine")], work)


def test_without_retry_there_is_one_request() -> None:
    async def work(server: Server, run: Any) -> None:
        assert (await run()).result["status"] == 503
        assert len(server.requests) == 1

    within([reply(b"", "503 Busy")], work)


def test_bytes_are_given_in_base64() -> None:
    async def work(server: Server, run: Any) -> None:
        result = await run()
        assert result.result["encoding"] == "base64"
        assert base64.b64decode(result.output) == b"\x89PNG\0\xff"

    within([reply(b"\x89PNG\0\xff", content_type="image/png")], work)


def test_what_is_called_json_and_is_none_stays_text() -> None:
    async def work(server: Server, run: Any) -> None:
        result = await run()
        assert result.output == "{oops"
        assert "json" not in result.result

    within([reply(b"{oops", content_type="application/problem+json")], work)


def test_redirects_are_followed_unless_told_otherwise() -> None:
    async def work(server: Server, run: Any) -> None:
        assert (await run("/a", follow_redirects=False)).result["status"] == 302
        result = await run("/a")
        assert (result.output, result.result["url"]) == ("there", server.url + "/b")

    redirect = reply(b"", "302 Found", location="/b")
    within([redirect, redirect, reply(b"there")], work)


def test_limits() -> None:
    async def work(server: Server, run: Any) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await run(max_bytes=10)
        assert caught.value.code == "limit.response_size"

    within([reply(b"x" * 1000)], work)


def test_a_server_that_says_nothing_times_out() -> None:
    async def main() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            await writer.wait_closed()
            gone.set()

        gone = asyncio.Event()
        listening = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        settings = {"security": {"network": {"allowed_hosts": ["127.0.0.1"]}}}
        async with listening, Runtime(settings) as runtime:
            tool, ctx = HttpRequester(), runtime.context()
            with pytest.raises(LLMSpellError, match="did not answer within 200 ms"):
                await tool.call({"url": f"http://127.0.0.1:{port}", "timeout": 0.2}, ctx)
            await runtime.policy.close()
            await gone.wait()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "input is required"),
        ({"url": ""}, "input"),
        ({"url": "http://127.0.0.1", "method": "BREW"}, "method must be 'GET'"),
        ({"url": "http://127.0.0.1", "headers": {"a\r\nb": "c"}}, "is no valid header"),
        ({"url": "http://127.0.0.1", "headers": {"a": "b\nc"}}, "is no valid header"),
        ({"url": "http://127.0.0.1", "auth": {"type": "basic"}}, "basic needs username"),
        ({"url": "http://127.0.0.1", "auth": {"type": "bearer"}}, "bearer needs token"),
        ({"url": "http://127.0.0.1", "auth": {"typ": "basic"}}, 'did you mean "type"?'),
        ({"url": "http://127.0.0.1", "body": "x", "json": 1}, "json must not be given together"),
        ({"url": "http://127.0.0.1", "json": float("nan")}, "json is nothing that JSON"),
        ({"url": "http://127.0.0.1", "retry": {"max_attempts": 99}}, "retry.max_attempts"),
        ({"url": "http://127.0.0.1", "timeout": -1}, "timeout_ms"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def main() -> None:
        async with Runtime({"security": {"network": {"allowed_hosts": []}}}) as runtime:
            with pytest.raises(ValidationError) as caught:
                await HttpRequester().call(params, runtime.context())
            assert message in caught.value.message

    asyncio.run(main())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "nonsense",
        "http://",
    ],
)
def test_what_is_not_allowed_is_not_reached(url: str) -> None:
    async def main() -> None:
        async with Runtime({"security": {"network": {"allowed_hosts": []}}}) as runtime:
            with pytest.raises(LLMSpellError):
                await HttpRequester().call({"url": url}, runtime.context())

    asyncio.run(main())

"""HTTP through the gate: real servers on loopback, names and connections injected."""

from __future__ import annotations

import asyncio
import base64
import functools
import gzip
import http.server
import json
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpcore
import pytest

from llmspell_core.errors import DeadlineError, LimitError, LLMSpellError, PolicyError
from llmspell_core.security.http import HttpGate, HttpResponse, provider_client
from llmspell_core.security.net import NetGate, NetworkError
from llmspell_core.security.profile import NetworkPolicy

NAMES = {
    "one.example": ["93.184.216.34"],
    "two.example": ["93.184.216.35"],
    "both.example": ["2606:4700::1111", "93.184.216.34"],
    "inner.example": ["10.0.0.5"],
    "localhost": ["127.0.0.1"],
}


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Server:
    """A small HTTP/1.1 server on loopback."""

    answer: Callable[[Request], tuple[int, dict[str, str], bytes]]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().split("\r\n")
                headers = {}
                for line in filter(None, lines):
                    name, value = line.split(": ", 1)
                    headers[name.lower()] = value
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                request = Request(method, path, headers, body, number)
                self.requests.append(request)
                status, extra, data = self.answer(request)
                extra = {"content-length": str(len(data)), **extra}
                text = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + data)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


class Connector(httpcore.AsyncNetworkBackend):
    """Leads every checked address to the server on loopback and notes which it was."""

    def __init__(self, port: int, dead: Sequence[str] = ()) -> None:
        self.port = port
        self.dead = dead
        self.addresses: list[str] = []
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.addresses.append(f"{host}:{port}")
        if host in self.dead:
            raise httpcore.ConnectError("refused")
        return await self._inner.connect_tcp("127.0.0.1", self.port, timeout)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def resolver(host: str, port: int) -> Sequence[str]:
    return NAMES[host]


Work = Callable[[HttpGate, Server, Connector], Awaitable[Any]]


def served(
    answer: Callable[[Request], tuple[int, dict[str, str], bytes]],
    work: Work,
    *hosts: str,
    dead: Sequence[str] = (),
) -> Any:
    """Run work against a gate whose connections all end at a server of ours."""

    async def main() -> Any:
        server = Server(answer)
        listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
        server.port = listener.sockets[0].getsockname()[1]
        connector = Connector(server.port, dead)
        rules = NetworkPolicy(allowed_hosts=hosts or ("*",))
        gate = HttpGate(NetGate([rules], resolver=resolver), connector=connector)
        try:
            return await work(gate, server, connector)
        finally:
            await gate.close()
            listener.close()
            await asyncio.sleep(0)

    return asyncio.run(main())


def ok(request: Request) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "text/plain; charset=latin-1"}, "gr\u00fc\u00df".encode("latin-1")


def test_an_answer_has_all_its_parts() -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> HttpResponse:
        return await gate.request(
            "post", "http://one.example/path", params={"q": "a b"}, json={"n": 1},
            headers={"x-mine": "1"}, auth=("me", "word"),
        )  # fmt: skip

    seen: list[Request] = []

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        seen.append(request)
        return ok(request)

    response = served(answer, work)
    assert (response.status, response.ok) == (200, True)
    assert response.text == "gr\u00fc\u00df"
    assert response.url == "http://one.example/path?q=a+b" or "a%20b" in response.url
    assert response.elapsed_ms > 0
    [request] = seen
    assert request.method == "POST"
    assert request.headers["host"] == "one.example"
    assert json.loads(request.body) == {"n": 1}
    assert request.headers["x-mine"] == "1"
    assert base64.b64decode(request.headers["authorization"].split()[1]) == b"me:word"


def test_the_connection_goes_to_the_checked_address_and_is_kept() -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        for _ in range(3):
            await gate.request("GET", "http://one.example:8080/")
        assert connector.addresses == ["93.184.216.34:8080"]
        assert server.connections == 1
        assert {request.headers["host"] for request in server.requests} == {"one.example:8080"}

    served(ok, work)


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        assert (await gate.request("GET", "http://both.example/")).status == 200
        assert connector.addresses == ["2606:4700::1111:80", "93.184.216.34:80"]

    served(ok, work, dead=["2606:4700::1111"])


REFUSED_URLS = [
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://inner.example/",
    "http://one.example@127.0.0.1/",
    "http://one.example:80@127.0.0.1/",
    "http://one.example%2f@127.0.0.1/",
    "http://127.0.0.1#@one.example/",
    "http://127.0.0.1?@one.example/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0/",
]
WRONG_URLS = [
    "http://\uff11\uff12\uff17.0.0.1/",
    "ftp://one.example/",
    "file:///etc/passwd",
    "gopher://one.example/",
    "data:,x",
    "http://",
    "http:///path",
    "one.example",
    "http://one.example:0/",
    "http://one.example:99999/",
    "http://one.example:x/",
    "http://127.0.0.1\\@one.example/",
    "http://exa mple/",
    "http://[fe80::1%25eth0]/",
    "http://[::1",
]


@pytest.mark.parametrize("url", [*REFUSED_URLS, *WRONG_URLS])
def test_no_request_leaves_for_a_refused_or_wrong_address(url: str) -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> str:
        with pytest.raises(LLMSpellError) as caught:
            await gate.request("GET", url)
        assert connector.addresses == []
        return caught.value.code

    code = served(ok, work)
    expected = {"policy.network"} if url in REFUSED_URLS else set()
    assert code in (expected or {"network.invalid_url", "network.invalid_host"})


def _same(
    status: int, headers: dict[str, str], body: bytes, _: Request
) -> tuple[int, dict[str, str], bytes]:
    return status, headers, body


def redirecting(*targets: str) -> Callable[[Request], tuple[int, dict[str, str], bytes]]:
    left = list(targets)

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        return (302, {"location": left.pop(0)}, b"") if left else ok(request)

    return answer


@pytest.mark.parametrize("target", [*REFUSED_URLS, "file:///etc/passwd", "ftp://one.example/"])
def test_each_redirect_is_checked_like_a_first_request(target: str) -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await gate.request("GET", "http://one.example/")
        assert caught.value.code in ("policy.network", "network.invalid_url", "network.protocol")
        assert len(server.requests) == 1

    served(redirecting(target), work)


def test_credentials_stay_with_the_first_origin() -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        response = await gate.request(
            "GET", "http://one.example/",
            headers={"authorization": "Bearer x", "x-api-key": "k", "cookie": "c=1",
                     "accept": "text/html"},
        )  # fmt: skip
        assert response.history == ["http://one.example/", "http://one.example/again"]
        assert response.url == "http://two.example/b"
        first, second, third = server.requests
        assert first.headers["x-api-key"] == second.headers["x-api-key"] == "k"
        assert not {"authorization", "x-api-key", "cookie"} & set(third.headers)
        assert third.headers["accept"] == "text/html"
        assert third.headers["host"] == "two.example"

    served(redirecting("/again", "http://two.example/b"), work)


def test_cookies_last_as_long_as_the_redirects_of_one_request() -> None:
    targets = {"/a": "/b", "/b": "http://two.example/c"}

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.path in targets:
            return 302, {"location": targets[request.path], "set-cookie": "k=1; Path=/"}, b""
        return ok(request)

    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        await gate.request("GET", "http://one.example/a")
        await gate.request("GET", "http://one.example/end")
        given = [(request.path, request.headers.get("cookie")) for request in server.requests]
        assert given == [("/a", None), ("/b", "k=1"), ("/c", None), ("/end", None)]

    served(answer, work)


def test_an_unknown_encoding_of_text_is_read_as_utf8() -> None:
    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        return 200, {"content-type": "text/plain; charset=nonsense"}, "grün".encode()

    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        assert (await gate.request("GET", "http://one.example/")).text == "grün"

    served(answer, work)


def test_redirects_end() -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        with pytest.raises(NetworkError) as caught:
            await gate.request("GET", "http://one.example/")
        assert caught.value.code == "network.redirects"
        assert len(server.requests) == 11
        response = await gate.request("GET", "http://one.example/", follow_redirects=False)
        assert response.status == 302

    served(lambda _: (302, {"location": "/again"}, b""), work)


def _gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(bytes(1 << 20)) for _ in range(64)]) + packer.flush()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"x" * 2_000_000),
        ({"content-encoding": "gzip"}, _gzip_bomb()),
        ({"content-encoding": "deflate"}, zlib.compress(bytes(64 << 20), 9)),
    ],
)
def test_an_answer_is_bounded_after_decompression(headers: dict[str, str], body: bytes) -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        with pytest.raises(LimitError) as caught:
            await gate.request("GET", "http://one.example/", max_bytes=1_000_000)
        assert caught.value.code == "limit.response_size"

    served(lambda _: (200, headers, body), work)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_encodings_that_were_not_asked_for_are_refused(encoding: str) -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        with pytest.raises(NetworkError) as caught:
            await gate.request("GET", "http://one.example/")
        assert caught.value.code == "network.encoding"

    served(lambda _: (200, {"content-encoding": encoding}, b"x"), work)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("identity", b"hello"),
    ],
)
def test_usual_encodings_are_decoded(encoding: str, body: bytes) -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        response = await gate.request("GET", "http://one.example/", max_bytes=5)
        assert response.content == b"hello"

    served(lambda _: (200, {"content-encoding": encoding}, body), work)


def test_a_body_that_is_badly_compressed_or_cut_is_an_error() -> None:
    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        with pytest.raises(NetworkError) as caught:
            await gate.request("GET", "http://one.example/")
        assert caught.value.code == "network.encoding"

    for body in (b"not gzip at all", gzip.compress(b"hello" * 100)[:-12]):
        headers = {"content-encoding": "gzip"}
        served(functools.partial(_same, 200, headers, body), work)


def test_the_time_is_for_everything_together() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        listener = await asyncio.start_server(slow, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        gate = HttpGate(NetGate([NetworkPolicy(allowed_hosts=("127.0.0.1",))]))
        with pytest.raises(DeadlineError):
            await gate.request("GET", f"http://127.0.0.1:{port}/", timeout_ms=200)
        await gate.close()
        listener.close()

    asyncio.run(main())


def test_a_closed_port_is_an_error_in_words() -> None:
    async def main() -> None:
        listener = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        listener.close()
        await listener.wait_closed()
        gate = HttpGate(NetGate([NetworkPolicy(allowed_hosts=("127.0.0.1",))]))
        with pytest.raises(NetworkError) as caught:
            await gate.request("GET", f"http://127.0.0.1:{port}/")
        assert caught.value.code == "network.connection"
        assert caught.value.retryable
        await gate.close()

    asyncio.run(main())


class Keeping(http.server.BaseHTTPRequestHandler):
    """Answers and keeps the connection, in threads of its own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_a_gate_serves_one_event_loop_after_the_other_and_needs_no_closing() -> None:
    gate = HttpGate(NetGate([NetworkPolicy(allowed_hosts=("127.0.0.1",))]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        for _ in range(3):
            assert asyncio.run(gate.request("GET", url)).ok
        server.shutdown()
        thread.join()


def test_a_provider_reaches_its_origin_and_no_other() -> None:
    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.path == "/v1/away":
            return 307, {"location": "http://one.example/v1/x"}, b""
        if request.path == "/v1/port":
            return 307, {"location": "http://127.0.0.1:1/v1/x"}, b""
        if request.path == "/v1/near":
            return 307, {"location": "/v1/here"}, b""
        return ok(request)

    async def work(gate: HttpGate, server: Server, connector: Connector) -> None:
        base = f"http://127.0.0.1:{server.port}/v1"
        async with provider_client(base, headers={"authorization": "Bearer key"}) as client:
            for _ in range(3):
                assert (await client.post("chat", json={})).status_code == 200
            assert (await client.get("near")).status_code == 200
            assert server.connections == 1
            for path in ("away", "port"):
                with pytest.raises(PolicyError, match="redirects"):
                    await client.get(path)
            with pytest.raises(PolicyError):
                await client.get("http://one.example/")
            with pytest.raises(PolicyError):
                await client.get(f"https://127.0.0.1:{server.port}/v1")
        assert all(request.headers["authorization"] for request in server.requests)
        async with gate.client(base) as same, gate.client() as checked:
            assert (await same.get("chat")).status_code == 200
            assert (await checked.get("http://one.example/")).status_code == 200
            with pytest.raises(PolicyError):
                await checked.get("http://127.0.0.1/")

    served(answer, work)


@pytest.mark.parametrize("url", ["", "localhost:11434", "ftp://x", "http://", "http://[::1"])
def test_a_provider_address_that_is_none_is_refused_early(url: str) -> None:
    with pytest.raises(LLMSpellError) as caught:
        provider_client(url)
    assert caught.value.code == "network.invalid_url"


def test_fifty_provider_requests_overlap() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def main() -> float:
        listener = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        async with provider_client(f"http://127.0.0.1:{port}") as client:
            started = loop.time()
            answers = await asyncio.gather(*[client.get("/") for _ in range(50)])
            taken = loop.time() - started
        listener.close()
        assert all(answer.text == "ok" for answer in answers)
        return taken

    assert asyncio.run(main()) < 2.5

"""A real HTTP server on loopback, and tools called against it as users would."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from llmspell_core.runtime import Runtime
from llmspell_core.tool import Tool, ToolResult

REASONS = {200: "OK", 301: "Moved", 302: "Found", 307: "Again", 404: "Not Found", 500: "Broken"}


@dataclass(slots=True)
class Request:
    """What came in. `query` has the last value of each field, header names are lower-case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Answer:
    """What goes out. `pieces` follow the body one by one; `cut` ends the connection early."""

    body: bytes | str | dict[str, Any] | list[Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    delay_s: float = 0
    pieces: tuple[bytes, ...] = ()
    pause_s: float = 0
    cut: bool = False

    def data(self) -> bytes:
        if isinstance(self.body, (dict, list)):
            return json.dumps(self.body).encode()
        return self.body.encode() if isinstance(self.body, str) else self.body

    def content_type(self) -> str:
        if self.kind:
            return self.kind
        return "application/json" if isinstance(self.body, (dict, list)) else "text/html"

    def head(self, size: int) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}",
            f"content-type: {self.content_type()}",
            f"content-length: {size}",
            "connection: close",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


Reply = Answer | str | bytes | dict[str, Any] | list[Any]
Route = Reply | Callable[[Request], Reply]


def redirect(target: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"location": target})


def gzipped(body: bytes, *, broken: bool = False) -> Answer:
    packed = gzip.compress(body)
    return Answer(packed[:-12] if broken else packed, headers={"content-encoding": "gzip"})


@dataclass
class WebServer:
    """Answers by path; the route "*" takes all others."""

    routes: dict[str, Route]
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._answer(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()

    async def end(self) -> None:
        """Cancel what still answers, and wait until every connection is closed."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, True).items()}
        request = Request(method, parts.path, query, headers, body)
        self.requests.append(request)
        answer = self._route(request)
        data = answer.data()
        await asyncio.sleep(answer.delay_s)
        size = len(data) + sum(map(len, answer.pieces)) + (100 if answer.cut else 0)
        writer.write(answer.head(size) + data)
        for piece in answer.pieces:
            await writer.drain()
            await asyncio.sleep(answer.pause_s)
            writer.write(piece)
        await writer.drain()

    def _route(self, request: Request) -> Answer:
        route = self.routes.get(request.path, self.routes.get("*", Answer("none", 404)))
        made = route(request) if callable(route) else route
        return made if isinstance(made, Answer) else Answer(made)


@asynccontextmanager
async def serving(
    routes: dict[str, Route], *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[WebServer]:
    server = WebServer(routes)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http{'s' * bool(tls)}://127.0.0.1:{port}"
    async with listening:
        yield server
        await server.end()


Call = Callable[..., Awaitable[ToolResult]]
Work = Callable[[WebServer, Call], Awaitable[None]]
Settings = dict[str, Any] | Callable[[WebServer], dict[str, Any]]


def using(
    tool: type[Tool],
    routes: dict[str, Route],
    work: Work,
    *,
    settings: Settings | None = None,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Start the server, and let `work` call the tool: an `input` that is a path is on it."""

    async def main() -> None:
        async with serving(routes, tls=tls) as server:
            more = settings(server) if callable(settings) else settings or {}
            given = {"security": loopback(), "state": {"backend": "memory"}, **more}
            async with Runtime(given) as runtime:
                ctx = runtime.context()

                async def call(**params: Any) -> ToolResult:
                    if str(params.get("input", "")).startswith("/"):
                        params["input"] = server.url + params["input"]
                    return await tool().call(params, ctx)

                try:
                    await work(server, call)
                finally:
                    await runtime.policy.close()

    asyncio.run(main())


def loopback() -> dict[str, Any]:
    return {"network": {"allowed_hosts": ["127.0.0.1"]}}


@contextmanager
def local_authority(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """The context of a server whose certificate a CA of our own signed, trusted meanwhile."""
    import trustme

    from llmspell_core.security.transport import tls_context

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    tls_context.cache_clear()
    try:
        yield context
    finally:
        tls_context.cache_clear()

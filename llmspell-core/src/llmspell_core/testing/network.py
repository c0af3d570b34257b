"""`RecordedNetwork`: answers written down beforehand in place of the network.

    network = RecordedNetwork()
    network.answer("GET", "https://api.example.com/city?q=oslo", json={"id": 7})
    async with ToolBench(network=network) as bench:
        ...
    assert network.requests[0].headers["accept"] == "application/json"

It stands where connections are made: the gate, its rules, redirects, limits and decoding are the
real ones, and no packet leaves. Every name resolves to a public address; TLS is not spoken.
"""

from __future__ import annotations

import asyncio
import json as json_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from llmspell_core.errors import LLMSpellError

#: An address that belongs to nobody here, and that the gate takes for a public one.
PUBLIC = "93.184.215.14"
TLS_PORT = 443


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json_module.loads(self.content)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `delay_s` is how long it takes, `cut` ends it in the middle of its body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    delay_s: float = 0.0
    cut: bool = False


AnswerLike = Answer | Callable[[Request], Answer]


class RecordedNetwork:
    """The answers, and the `requests` that came. One that no answer fits fails the call.

    Args:
        addresses: what names resolve to, where that matters; else a public address
    """

    def __init__(self, addresses: Mapping[str, list[str]] | None = None) -> None:
        self.requests: list[Request] = []
        self.unexpected: list[Request] = []
        self._addresses = dict(addresses or {})
        self._rules: list[tuple[str, str, list[AnswerLike]]] = []

    def answer(
        self,
        method: str,
        url: str,
        *answers: AnswerLike,
        json: Any = None,
        text: str | None = None,
        **fields: Any,
    ) -> None:
        """Say what is answered to a method and a URL, `*` in which stands for anything.

        Args:
            method: GET, POST, ... or `*`
            url: the whole URL; without a query any query fits
            answers: one after the other, then the last one again
            json: the body of the only answer, as a value
            text: the body of the only answer, as text
            fields: further fields of `Answer`
        """
        if not answers:
            kind, body = _body(json, text, fields.pop("content", b""))
            headers = {"content-type": kind, **fields.pop("headers", {})}
            answers = (Answer(headers=headers, content=body, **fields),)
        self._rules.append((method.upper(), url, list(answers)))

    async def resolve(self, host: str, port: int) -> list[str]:
        """What the gate asks for the addresses of a name."""
        return self._addresses.get(host, [PUBLIC])

    # What httpcore calls in place of its own network backend.

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> _Stream:
        """A connection of its own to nowhere."""
        return _Stream(self, port)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> _Stream:
        """No tool reaches those."""
        raise LLMSpellError(f"unix socket {path}", code="network.connection")

    async def sleep(self, seconds: float) -> None:
        """Before another attempt."""
        await asyncio.sleep(seconds)

    def find(self, request: Request) -> Answer:
        """The answer to a request, which is kept."""
        self.requests.append(request)
        for method, url, answers in self._rules:
            if method in ("*", request.method) and _fits(url, request.url):
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                return answer(request) if callable(answer) else answer
        self.unexpected.append(request)
        text = f"no answer is recorded for {request.method} {request.url}"
        return Answer(599, {"content-type": "text/plain"}, text.encode())


def _fits(pattern: str, url: str) -> bool:
    if "?" not in pattern:
        url = url.partition("?")[0]
    # `?` is a character like others here: it begins the query.
    return fnmatchcase(url, pattern.replace("[", "[[]").replace("?", "[?]"))


def _body(json: Any, text: str | None, content: bytes) -> tuple[str, bytes]:
    if json is not None:
        return "application/json", json_module.dumps(json).encode()
    if text is not None:
        return "text/plain; charset=utf-8", text.encode()
    return "application/octet-stream", content


class _Stream:
    """One connection: takes HTTP/1.1 requests apart and gives the answers as bytes."""

    def __init__(self, network: RecordedNetwork, port: int) -> None:
        self._network = network
        self._port = port
        self._tls = False
        self._given = b""
        self._out = b""
        self._answer: Answer | None = None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._given += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._out:
            request = self._request()
            if request is None:
                return b""
            self._answer = self._network.find(request)
            self._out = _on_the_wire(self._answer, request.method)
            if self._answer.delay_s:
                await asyncio.sleep(self._answer.delay_s)
        found, self._out = self._out[:max_bytes], self._out[max_bytes:]
        return found

    async def aclose(self) -> None:
        self._given = self._out = b""

    async def start_tls(self, *_: Any, **__: Any) -> _Stream:
        self._tls = True
        return self

    def get_extra_info(self, info: str) -> Any:
        # Whether the other side has closed a connection that is kept for another request.
        return False if info == "is_readable" else None

    def _request(self) -> Request | None:
        head, end, rest = self._given.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            content, self._given = _unchunked(rest), b""
        else:
            length = int(headers.get("content-length", "0"))
            content, self._given = rest[:length], rest[length:]
        method, target, _ = first.split(" ", 2)
        scheme = "https" if self._tls or self._port == TLS_PORT else "http"
        url = target if urlsplit(target).scheme else f"{scheme}://{headers['host']}{target}"
        return Request(method, url, headers, content)


def _unchunked(data: bytes) -> bytes:
    parts = []
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        parts.append(data[:length])
        data = data[length + 2 :]
    return b"".join(parts)


def _on_the_wire(answer: Answer, method: str) -> bytes:
    headers = {**answer.headers, "content-length": str(len(answer.content))}
    lines = [f"HTTP/1.1 {answer.status} Answer", *(f"{k}: {v}" for k, v in headers.items())]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if method == "HEAD":
        return head
    return head + (answer.content[: len(answer.content) // 2] if answer.cut else answer.content)

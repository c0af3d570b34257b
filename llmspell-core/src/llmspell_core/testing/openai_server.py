"""`FakeOpenAI`: a real HTTP server on 127.0.0.1 that answers like an OpenAI-compatible one.

    async with FakeOpenAI(latency_ms=100) as server:
        settings = {"providers": {"fake": {"type": "openai", "base_url": server.base_url}}}

Each answer is what `replies` says, in order and then the last one again: a text, a dict (the
JSON body), a `Raw` answer of any shape, or a function of the request's body that gives one.
Embeddings are made of the texts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class Raw:
    """An answer as it goes over the wire; `pieces` are sent one by one, `cut` ends them early."""

    body: str | bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    pieces: list[str | bytes] = field(default_factory=list)
    delay_ms: float = 0.0
    cut: bool = False


Reply = str | dict[str, Any] | Raw
ReplyLike = Reply | Callable[[dict[str, Any]], Reply]


def completion(text: str = "", *, tool_calls: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The JSON of an ordinary answer."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tool_calls:
        message["tool_calls"] = tool_calls
    reason = "tool_calls" if tool_calls else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "fake-model",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """The JSON of embeddings: a vector of the length, the words and the vowels of each text."""
    given = body["input"]
    rows = [
        {"object": "embedding", "index": index, "embedding": _vector(text)}
        for index, text in enumerate([given] if isinstance(given, str) else given)
    ]
    return {
        "object": "list",
        "model": body["model"],
        "data": rows,
        "usage": {"prompt_tokens": 5 * len(rows), "total_tokens": 5 * len(rows)},
    }


def _vector(text: str) -> list[float]:
    return [float(len(text)), float(len(text.split())), float(sum(map(text.count, "aeiou")))]


def sse(*chunks: dict[str, Any] | str, done: bool = True) -> Raw:
    """A streamed answer of these chunks; text stands for the chunk that brings it."""
    events = [chunk_of(one) if isinstance(one, str) else one for one in chunks]
    pieces: list[str | bytes] = [f"data: {json.dumps(event)}\n\n" for event in events]
    if done:
        pieces.append("data: [DONE]\n\n")
    return Raw(content_type="text/event-stream", pieces=pieces)


def chunk_of(text: str, reason: str | None = None) -> dict[str, Any]:
    """One chunk of a streamed answer."""
    delta = {"content": text} if text else {}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


class FakeOpenAI:
    """The server. `requests` are the JSON bodies it was sent, `headers` the headers with them."""

    def __init__(self, *replies: ReplyLike, latency_ms: float = 0.0, key: str = "") -> None:
        self._replies: list[ReplyLike] = list(replies) or ["Hello."]
        self._latency_ms = latency_ms
        self._key = key
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[dict[str, Any]] = []
        #: The same bodies as they came over the wire.
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        #: Connections that the client closed before it had its answer.
        self.abandoned = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        """Its address, as `[providers.NAME] base_url` takes it."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=256)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Transports close one turn of the loop after they were told to.
        await asyncio.sleep(0)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before it began runs no `finally`.
        task.add_done_callback(lambda _: writer.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.abandoned += 1
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether another one may follow."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return False
        first, *lines = head.split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        body = json.loads(content) if content else {}
        self.headers.append(headers)
        if first.startswith("GET"):
            return await self._send(writer, {"data": [{"id": "fake-model"}]}, stream=False)
        self.requests.append(body)
        self.bodies.append(content)
        number = len(self.requests)
        if await self._gone(reader):
            self.abandoned += 1
            return False
        if self._key and headers.get("authorization") != f"Bearer {self._key}":
            wrong = {"error": {"message": "Incorrect API key provided", "type": "invalid_request"}}
            return await self._send(writer, Raw(json.dumps(wrong), 401), stream=False)
        if first.split()[1].endswith("/embeddings"):
            return await self._send(writer, embeddings(body), stream=False)
        reply = self._replies[min(number, len(self._replies)) - 1]
        if callable(reply):
            reply = reply(body)
        return await self._send(writer, reply, stream=bool(body.get("stream")))

    async def _gone(self, reader: asyncio.StreamReader) -> bool:
        """Wait as long as an answer takes; whether the client left meanwhile."""
        if not self._latency_ms:
            return False
        try:
            async with asyncio.timeout(self._latency_ms / 1000):
                return await reader.read(1) == b""
        except TimeoutError:
            return False

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply, *, stream: bool) -> bool:
        raw = _raw(reply, stream=stream)
        headers = {"content-type": raw.content_type, **raw.headers}
        lines = [f"HTTP/1.1 {raw.status} Answer"]
        if raw.pieces:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(len(_bytes(raw.body)))
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        if not raw.pieces:
            writer.write(_bytes(raw.body))
            await writer.drain()
            return True
        for piece in raw.pieces:
            data = _bytes(piece)
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
            # Each piece arrives by itself.
            await asyncio.sleep(raw.delay_ms / 1000)
        if raw.cut:
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _raw(reply: Reply, *, stream: bool) -> Raw:
    if isinstance(reply, Raw):
        return reply
    if isinstance(reply, dict):
        return Raw(json.dumps(reply))
    if not stream:
        return Raw(json.dumps(completion(reply)))
    words = reply.split(" ")
    pieces = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
    usage = {"choices": [], "usage": completion()["usage"]}
    return sse(*pieces, chunk_of("", "stop"), usage)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text

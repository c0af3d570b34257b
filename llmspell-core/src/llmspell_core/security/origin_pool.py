"""`OriginPool`: the connections to one origin, taken and given back in constant time.

httpcore's own pool looks at every connection for every other one whenever a request begins or
ends, and hands the same idle connection to all requests that begin together: fifty parallel
requests to one model service cost it several times what the requests themselves cost.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import cast

import httpcore

MAX_CONNECTIONS = 100
KEEP_ALIVE = 64
KEEP_ALIVE_SECONDS = 30.0


class OriginPool:
    """Connections that are idle lie on a stack; a request takes one or opens its own."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._backend = httpcore.AnyIOBackend()
        self._idle: list[httpcore.AsyncHTTPConnection] = []
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send it on a connection of its own, which comes back when the answer is closed."""
        await self._slots.acquire()
        connection: httpcore.AsyncHTTPConnection | None = None
        try:
            connection = await self._take(request.url.origin)
            response = await connection.handle_async_request(request)
        except BaseException:
            self._slots.release()
            if connection is not None and not connection.is_closed():
                await connection.aclose()
            raise
        given_back = connection

        async def done() -> None:
            self._slots.release()
            await self._give_back(given_back)

        return httpcore.Response(
            status=response.status,
            headers=response.headers,
            content=_Body(cast("AsyncIterable[bytes]", response.stream), done),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the idle connections; those in use are closed when they come back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._context,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=self._backend,
        )

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        if connection.is_idle() and not self._closed and len(self._idle) < KEEP_ALIVE:
            self._idle.append(connection)
        elif not connection.is_closed():
            await connection.aclose()


class _Body:
    """The body of an answer, which tells when nobody reads it any more."""

    def __init__(self, stream: AsyncIterable[bytes], done: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream
        self._done = done
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            close = getattr(self._stream, "aclose", None)
            if close is not None:
                await close()
        finally:
            await self._done()

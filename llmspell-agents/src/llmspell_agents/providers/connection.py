"""One pooled HTTP client per provider, and the errors of the transport in our classification."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from llmspell_core.chat.errors import (
    Service,
    bad_response,
    connection_error,
    error_text,
    http_error,
    looks_like_html,
    timeout_error,
)
from llmspell_core.json_text import read_json
from llmspell_core.security.net import NetworkError
from llmspell_core.telemetry import headers_of

if TYPE_CHECKING:
    import httpx

    from llmspell_core.context import ExecutionContext

CONNECT_SECONDS = 10.0
MAX_BODY_BYTES = 64 * 1024 * 1024


class Connection:
    """Sends requests to one service. Nothing is opened before the first one."""

    def __init__(
        self, service: Service, headers: dict[str, str], *, from_script: bool = False
    ) -> None:
        self.service = service
        self._headers = headers
        self._from_script = from_script
        self._client: httpx.AsyncClient | None = None

    async def json(
        self, path: str, body: dict[str, Any] | None, ctx: ExecutionContext, timeout_ms: float
    ) -> Any:
        """The JSON that ``POST path`` answers (``GET`` without a body)."""
        with self._classified(timeout_ms):
            async with asyncio.timeout(timeout_ms / 1000):
                response = await self._start(path, body, ctx)
                try:
                    text = await self._text(response)
                finally:
                    await response.aclose()
        return self.decode(text)

    async def pieces(
        self, path: str, body: dict[str, Any], ctx: ExecutionContext, timeout_ms: float
    ) -> AsyncGenerator[tuple[str, bytes], None]:
        """The answer to ``POST path`` as it comes: (content type, bytes) again and again."""
        deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
        with self._classified(timeout_ms):
            async with asyncio.timeout_at(deadline):
                response = await self._start(path, body, ctx)
        kind = response.headers.get("content-type", "").lower()
        try:
            source = response.aiter_bytes()
            while True:
                # The time limit never spans a `yield`: it would hit whoever reads us instead.
                with self._classified(timeout_ms):
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(source, None)
                if piece is None:
                    return
                yield kind, piece
        finally:
            await response.aclose()

    def decode(self, text: str) -> Any:
        """The JSON of a body; `provider.bad_response` names what it is instead."""
        try:
            return read_json(text.removeprefix("\ufeff"))
        except ValueError:
            what = error_text(text) if looks_like_html(text) else f"no JSON: {text[:100]!r}"
            raise bad_response(self.service, what) from None

    async def close(self) -> None:
        """Close the pooled connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self, ctx: ExecutionContext) -> httpx.AsyncClient:
        if self._client is None:
            # An address out of the configuration may be called whatever the profile says about
            # tools; one that a script chose passes the network gate like any other.
            allow = None if self._from_script else self.service.base_url
            self._client = ctx.policy.http.client(allow, timeout=CONNECT_SECONDS)
        return self._client

    async def _start(
        self, path: str, body: dict[str, Any] | None, ctx: ExecutionContext
    ) -> httpx.Response:
        """A successful response whose body is still to be read."""
        import httpx

        client = self._open(ctx)
        request = client.build_request(
            "GET" if body is None else "POST",
            f"{self.service.base_url.rstrip('/')}{path}",
            content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
            headers={
                "content-type": "application/json",
                **self._headers,
                **headers_of(ctx.span),
            },
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        )
        response = await client.send(request, stream=True)
        if not response.is_success:
            try:
                text = await self._text(response)
            finally:
                await response.aclose()
            model = str(body.get("model", "")) if body else ""
            raise http_error(self.service, response.status_code, response.headers, text, model)
        return response

    async def _text(self, response: httpx.Response) -> str:
        read = bytearray()
        async for piece in response.aiter_bytes():
            read += piece
            if len(read) > MAX_BODY_BYTES:
                raise bad_response(self.service, f"more than {MAX_BODY_BYTES} bytes")
        return read.decode("utf-8", errors="replace")

    @contextmanager
    def _classified(self, timeout_ms: float) -> Iterator[None]:
        import httpx

        try:
            yield
        except TimeoutError as error:
            raise timeout_error(self.service, timeout_ms) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise connection_error(self.service, str(error), refused=True) from error
        except (httpx.HTTPError, NetworkError) as error:
            reason = str(error) or type(error).__name__
            raise connection_error(self.service, reason) from error

"""httpx transports: one that connects to checked addresses only, one bound to one origin."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import httpcore
from httpx import AsyncBaseTransport, AsyncHTTPTransport  # noqa: TID253 - imported on first use

from llmspell_core.errors import PolicyError, ValidationError
from llmspell_core.security.origin_pool import OriginPool

if TYPE_CHECKING:
    import httpx

    from llmspell_core.security.net import NetGate

_MAX_CONNECTIONS = 100
# As httpx has it: httpcore counts its idle connections again for each of them.
_KEEP_ALIVE = 20
_KEEP_ALIVE_SECONDS = 30.0
_ATTEMPT_SECONDS = 3.0


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects as httpcore does, but to addresses that the gate resolved and checked.

    This is where a name becomes an address; Host header, SNI and certificate check go by the
    name of the URL, as before.
    """

    def __init__(self, gate: NetGate, connector: httpcore.AsyncNetworkBackend | None) -> None:
        self._gate = gate
        self._inner = connector or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._gate.resolve_checked(host, port)
        until = None if timeout is None else time.monotonic() + timeout
        failure: Exception | None = None
        for position, address in enumerate(addresses):
            left = None if until is None else max(0.001, until - time.monotonic())
            if position < len(addresses) - 1:
                # A host may have an address that this machine cannot reach (IPv6, often).
                left = _ATTEMPT_SECONDS if left is None else min(left, _ATTEMPT_SECONDS)
            try:
                made = await self._inner.connect_tcp(
                    address, port, left, local_address, socket_options
                )
                return _Securable(made)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"no address of {host} answers")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("unix sockets are not reached through the network gate")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Securable(httpcore.AsyncNetworkStream):
    """A connection that is closed when it is given up while TLS begins: httpcore forgets that."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        secured = False
        try:
            made = await self._inner.start_tls(ssl_context, server_hostname, timeout)
            secured = True
        finally:
            if not secured:
                await self._inner.aclose()
        return made


class PooledTransport(AsyncHTTPTransport):
    """httpx's transport over a pool of ours: httpx has no argument for the network backend."""

    def __init__(
        self, backend: httpcore.AsyncNetworkBackend | None, context: ssl.SSLContext | None
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_KEEP_ALIVE,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=backend,
        )


class OriginPoolTransport(AsyncHTTPTransport):
    """httpx's transport over the pool of one origin."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        # The pool has the two methods of httpcore's that httpx calls.
        self._pool = cast("httpcore.AsyncConnectionPool", OriginPool(context))


class CheckedTransport(AsyncBaseTransport):
    """Every request, redirects included, passes the gate; connections are kept alive."""

    def __init__(
        self, gate: NetGate, connector: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._gate = gate
        self._backend = CheckedBackend(gate, connector)
        self._pools: dict[str, PooledTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in ("http", "https") or not url.host:
            raise ValidationError(
                f'"{url.scheme}:" addresses are not supported: http or https is',
                code="network.invalid_url",
            )
        self._gate.check_host(url.host, port_of(url))
        return await self._pool(url.scheme).handle_async_request(request)

    def _pool(self, scheme: str) -> PooledTransport:
        # The certificates are read (20 ms) only when something speaks TLS.
        if scheme not in self._pools:
            context = tls_context() if scheme == "https" else None
            self._pools[scheme] = PooledTransport(self._backend, context)
        return self._pools[scheme]

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()


class OriginTransport(AsyncBaseTransport):
    """Reaches one origin, whatever its address, and refuses every other one."""

    def __init__(self, base_url: httpx.URL) -> None:
        self._origin = origin(base_url)
        proxy = _proxy_for(base_url)
        context = tls_context() if base_url.scheme == "https" else None
        self._inner: AsyncHTTPTransport
        if proxy is not None:
            self._inner = AsyncHTTPTransport(verify=context or True, proxy=proxy)
        else:
            self._inner = OriginPoolTransport(context)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if origin(request.url) != self._origin:
            scheme, host, port = self._origin
            raise PolicyError(
                f'the service at {scheme}://{host}:{port} redirects to "{request.url.host}", '
                "which is not followed",
                code="policy.network",
                hint="set base_url to where the service really is",
            )
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """Scheme, host and port of an address."""
    return url.scheme, url.host, port_of(url)


def port_of(url: httpx.URL) -> int:
    """The port of an address: 443 of https and 80 of http when it names none."""
    if url.port is not None:
        return url.port
    return 443 if url.scheme == "https" else 80


@cache
def tls_context() -> ssl.SSLContext:
    """One context for all clients; `SSL_CERT_FILE` and `SSL_CERT_DIR` count."""
    import httpx

    return httpx.create_ssl_context()


def _proxy_for(url: httpx.URL) -> str | None:
    """The proxy that the environment names for a provider: it resolves the name for us."""
    from urllib.request import getproxies, proxy_bypass

    if url.host in ("localhost", "127.0.0.1", "::1") or proxy_bypass(url.host):
        return None
    found = getproxies()
    proxy = found.get(url.scheme) or found.get("all")
    return proxy if proxy and "://" in proxy else proxy and f"http://{proxy}"

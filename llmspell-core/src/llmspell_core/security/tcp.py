"""TCP connections to addresses that the network gate resolved and checked."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import time
from typing import TYPE_CHECKING

from llmspell_core.errors import DeadlineError
from llmspell_core.security.net import NetworkError

if TYPE_CHECKING:
    from llmspell_core.security.net import Connector, NetGate

#: A host may have an address that this machine cannot reach (IPv6, often).
_ATTEMPT_SECONDS = 3.0


async def connect(
    gate: NetGate, connector: Connector | None, host: str, port: int, timeout_ms: float
) -> socket.socket:
    """`NetGate.connect`: each address of the host in turn."""
    dial = connector or tcp_connector
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            addresses = await gate.resolve_checked(host, port)
            for address in addresses[:-1]:
                with contextlib.suppress(OSError):
                    async with asyncio.timeout(_ATTEMPT_SECONDS):
                        return await dial(address, port)
            return await dial(addresses[-1], port)
    except TimeoutError:
        raise DeadlineError(
            f'"{host}" port {port} did not answer within {timeout_ms:g} ms', hint="raise timeout_ms"
        ) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise NetworkError(
            f'cannot connect to "{host}" port {port}: {why}', code="network.connection"
        ) from None


async def tcp_connector(address: str, port: int) -> socket.socket:
    """Connect to an address; a name, which somebody would resolve again, is a ValueError."""
    is_new = ipaddress.ip_address(address).version == 6  # noqa: PLR2004
    made = socket.socket(socket.AF_INET6 if is_new else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


async def streams(
    gate: NetGate, host: str, port: int, *, tls: bool, timeout_ms: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """`NetGate.open`: the connection as streams, secured where that is wanted."""
    until = time.monotonic() + timeout_ms / 1000
    made = await gate.connect(host, port, timeout_ms=timeout_ms)
    if not tls:
        return await asyncio.open_connection(sock=made)
    from llmspell_core.security.transport import tls_context

    name = str(gate.check_host(host, port))
    try:
        async with asyncio.timeout(max(until - time.monotonic(), 0.001)):
            return await asyncio.open_connection(sock=made, ssl=tls_context(), server_hostname=name)
    except TimeoutError:
        made.close()
        raise DeadlineError(
            f'"{host}" port {port} did not speak TLS within {timeout_ms:g} ms'
        ) from None
    except OSError as error:
        made.close()
        raise NetworkError(
            f'no secure connection to "{host}" port {port}: {error}',
            code="network.tls",
            retryable=False,
        ) from None

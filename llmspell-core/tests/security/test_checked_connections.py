from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

import pytest

from llmspell_core.errors import DeadlineError, LLMSpellError, PolicyError
from llmspell_core.security.http import HttpGate
from llmspell_core.security.net import Connector, NetGate, NetworkError
from llmspell_core.security.profile import NetworkPolicy
from llmspell_core.security.tcp import tcp_connector

NAMES = {
    "public.example": ["93.184.216.34"],
    "two.example": ["93.184.216.34", "2606:4700::1111"],
    "rebound.example": ["127.0.0.1"],
    "half.example": ["93.184.216.34", "127.0.0.1"],
    "localhost": ["127.0.0.1"],
}


async def resolver(host: str, port: int) -> Sequence[str]:
    if host not in NAMES:
        raise OSError(-2, "Name or service not known")
    return NAMES[host]


def gate(*hosts: str, connector: Connector | None = None) -> NetGate:
    policy = NetworkPolicy(allowed_hosts=hosts or ("*",))
    return NetGate([policy], resolver=resolver, connector=connector)


class Dialled:
    """A connector that reaches nothing: it says which addresses it was asked for."""

    def __init__(self, *answers: bool) -> None:
        self.asked: list[tuple[str, int]] = []
        self._answers = answers

    async def __call__(self, address: str, port: int) -> socket.socket:
        self.asked.append((address, port))
        if not self._answers[len(self.asked) - 1]:
            raise ConnectionRefusedError(111, "Connection refused")
        return socket.socket()


def dial(net: NetGate, host: str, port: int = 5432) -> str:
    """The code of the error, or "" for a connection."""
    try:
        asyncio.run(net.connect(host, port, timeout_ms=2_000)).close()
    except LLMSpellError as error:
        return error.code
    return ""


def test_a_connection_goes_to_the_address_that_was_checked() -> None:
    dialled = Dialled(True)
    assert dial(gate(connector=dialled), "public.example") == ""
    assert dialled.asked == [("93.184.216.34", 5432)]


def test_the_next_address_is_tried() -> None:
    dialled = Dialled(False, True)
    assert dial(gate(connector=dialled), "two.example") == ""
    assert dialled.asked == [("93.184.216.34", 5432), ("2606:4700::1111", 5432)]
    assert dial(gate(connector=Dialled(False, False)), "two.example") == "network.connection"


@pytest.mark.parametrize(
    "host",
    ["rebound.example", "half.example", "127.0.0.1", "0x7f.1", "[::1]", "169.254.169.254",
     "localhost", "10.0.0.1"],
)  # fmt: skip
def test_nothing_is_dialled_that_is_not_allowed(host: str) -> None:
    dialled = Dialled()
    assert dial(gate(connector=dialled), host) == "policy.network"
    assert dialled.asked == []


def test_ports_and_names_that_are_none() -> None:
    assert dial(gate(), "unknown.example") == "network.resolve"
    assert dial(gate(), "public.example", 70_000) == "network.invalid_host"
    assert dial(gate("public.example:443"), "public.example", 22) == "policy.network"


def test_what_does_not_answer_ends_in_time() -> None:
    async def never(address: str, port: int) -> socket.socket:
        await asyncio.sleep(30)
        raise AssertionError

    with pytest.raises(DeadlineError, match="did not answer within 50 ms"):
        asyncio.run(gate(connector=never).connect("public.example", 1, timeout_ms=50))


Work = Callable[[NetGate, int], Awaitable[None]]


def with_echo(work: Work, context: ssl.SSLContext | None = None) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
        async with server:
            await work(gate("localhost", "127.0.0.1"), server.sockets[0].getsockname()[1])

    asyncio.run(main())


def test_streams_of_a_real_connection() -> None:
    async def work(net: NetGate, port: int) -> None:
        for host in ("localhost", "127.0.0.1"):
            reader, writer = await net.open(host, port)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            writer.close()
            await writer.wait_closed()

    with_echo(work)


def test_a_port_where_nobody_listens() -> None:
    async def work(net: NetGate, port: int) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with pytest.raises(NetworkError) as caught:
                await net.connect("localhost", unused.getsockname()[1])
        assert caught.value.code == "network.connection"

    with_echo(work)


def test_tls_is_refused_where_nobody_speaks_it() -> None:
    async def work(net: NetGate, port: int) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await net.open("localhost", port, tls=True, timeout_ms=2_000)
        assert caught.value.code in ("network.tls", "timeout")

    with_echo(work)


def test_a_connection_given_up_while_tls_begins_is_closed() -> None:
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            pass
        ended.set()
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            http = HttpGate(gate("127.0.0.1"))
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(DeadlineError):
                await http.request("GET", f"https://127.0.0.1:{port}/", timeout_ms=200)
            # The other side sees the end at once, not when memory is collected.
            await asyncio.wait_for(ended.wait(), 1)
            await http.close()

    asyncio.run(main())


def test_the_connector_takes_no_names() -> None:
    # Nothing is asked of a resolver: it is no address.
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        asyncio.run(tcp_connector("localhost", 9))


def test_a_closed_policy_reaches_nothing() -> None:
    closed = NetGate([NetworkPolicy(mode="none")], resolver=resolver, connector=Dialled())
    with pytest.raises(PolicyError):
        asyncio.run(closed.connect("public.example", 443))

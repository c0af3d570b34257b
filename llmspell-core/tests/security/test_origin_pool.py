"""The connections to one origin: kept, bounded, and never shared by two requests."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from llmspell_core.security import origin_pool
from llmspell_core.security.http import provider_client
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import Raw

BODY: dict[str, Any] = {"messages": []}
URL = "chat/completions"


class CountingServer(FakeOpenAI):
    """Counts the connections it accepts."""

    def __init__(self, *replies: Any, **options: Any) -> None:
        super().__init__(*replies, **options)
        self.connections = 0

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        super()._connected(reader, writer)


def test_requests_one_after_another_use_one_connection() -> None:
    async def main() -> None:
        async with CountingServer("hi") as server, provider_client(server.base_url) as client:
            for _ in range(5):
                assert (await client.post(URL, json=BODY)).status_code == 200
            assert server.connections == 1

    asyncio.run(main())


def test_requests_at_once_have_a_connection_each_and_leave_them_for_the_next() -> None:
    async def main() -> None:
        async with (
            CountingServer("hi", latency_ms=30) as server,
            provider_client(server.base_url) as client,
        ):
            for _ in range(3):
                answers = await asyncio.gather(*(client.post(URL, json=BODY) for _ in range(20)))
                assert {one.status_code for one in answers} == {200}
            assert server.connections == 20

    asyncio.run(main())


def test_more_requests_than_connections_wait_for_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(origin_pool, "MAX_CONNECTIONS", 3)

    async def main() -> None:
        async with (
            CountingServer("hi", latency_ms=5) as server,
            provider_client(server.base_url) as client,
        ):
            await asyncio.gather(*(client.post(URL, json=BODY) for _ in range(12)))
            assert server.connections == 3

    asyncio.run(main())


def test_a_cancelled_request_closes_its_connection_and_frees_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(origin_pool, "MAX_CONNECTIONS", 1)

    async def main() -> None:
        async with (
            CountingServer("hi", latency_ms=200) as server,
            provider_client(server.base_url) as client,
        ):
            task = asyncio.ensure_future(client.post(URL, json=BODY))
            while not server.requests:
                await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.wait([task])
            assert (await client.post(URL, json=BODY)).status_code == 200
            assert (server.connections, server.abandoned) == (2, 1)

    asyncio.run(main())


def test_a_body_that_is_not_read_to_its_end_is_not_left_in_the_connection() -> None:
    async def main() -> None:
        pieces: list[str | bytes] = [b"x" * 1000 for _ in range(50)]
        long = Raw(content_type="text/plain", pieces=pieces)
        async with (
            CountingServer(long, "hi") as server,
            provider_client(server.base_url) as client,
        ):
            async with client.stream("POST", URL, json=BODY) as response:
                async for _ in response.aiter_bytes():
                    break
            assert (await client.post(URL, json=BODY)).json()["choices"]
            assert server.connections == 2

    asyncio.run(main())


def test_a_connection_that_the_service_closed_meanwhile_is_replaced() -> None:
    async def main() -> None:
        gone = Raw("{}", headers={"connection": "close"})
        async with (
            CountingServer(gone, "hi") as server,
            provider_client(server.base_url) as client,
        ):
            await client.post(URL, json=BODY)
            assert (await client.post(URL, json=BODY)).status_code == 200
            assert server.connections == 2

    asyncio.run(main())


def test_no_connection_is_an_error_that_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin_pool, "MAX_CONNECTIONS", 1)

    async def main() -> None:
        async with FakeOpenAI() as server:
            address = server.base_url
        async with provider_client(address) as client:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError):
                    await client.post(URL, json=BODY)

    asyncio.run(main())

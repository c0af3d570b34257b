"""State in a real PostgreSQL: the conformance suite, and what only a server can do wrong."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_test_server import PASSWORD, binaries, postgres
from started_server import free_port

from llmspell_core.errors import ConfigError, StateError
from llmspell_core.runtime import Runtime
from llmspell_core.state import StateStore, StateView
from llmspell_core.state.postgres import PostgresStore
from llmspell_core.testing.store_suite import StoreSuite

pytestmark = pytest.mark.skipif(binaries() is None, reason="no PostgreSQL on this machine")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


def schema_of(server: str, folder: Path) -> str:
    """An address under which the tables lie in a schema of the folder's own."""
    name = "t" + hashlib.sha256(str(folder).encode()).hexdigest()[:20]
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {name}".encode())
    return f"{server}?options=-csearch_path%3D{name}"


class TestPostgresStore(StoreSuite):
    persistent = True
    server = ""

    @pytest.fixture(autouse=True)
    def _on_the_server(self, server: str) -> None:
        type(self).server = server

    def open(self, folder: Path) -> StateStore:
        return PostgresStore(schema_of(self.server, folder))


def test_a_configured_database_holds_state_and_storage(server: str, tmp_path: Path) -> None:
    url = schema_of(server, tmp_path)

    async def main() -> None:
        settings = {"state": {"backend": "postgresql", "url": url}}
        async with Runtime(settings) as runtime:
            await runtime.context(state_scope="script:a.lua").state.set("k", {"a": 1})
        async with Runtime(settings) as runtime:
            assert runtime.store() is runtime.persistent_store()
            assert await runtime.context(state_scope="script:a.lua").state.all() == {"k": {"a": 1}}

    asyncio.run(main())


def test_an_address_is_required_and_must_be_one() -> None:
    async def main(url: str) -> None:
        async with Runtime({"state": {"backend": "postgresql", "url": url}}) as runtime:
            runtime.store()

    for url in ("", "postgresql://%%%"):
        with pytest.raises(ConfigError, match=r"\[state\] url"):
            asyncio.run(main(url))


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    async def main() -> None:
        port = free_port()
        store = PostgresStore(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/state")
        with pytest.raises(StateError) as caught:
            await store.get("s", "k")
        assert caught.value.code == "state.unreachable"
        assert f"127.0.0.1:{port}" in caught.value.message
        assert PASSWORD not in repr(caught.value.to_dict())
        assert caught.value.__cause__ is None
        await store.close()

    asyncio.run(main())


def test_a_wrong_password_is_not_shown(server: str) -> None:
    async def main() -> None:
        store = PostgresStore(server.replace(PASSWORD, "wr0ng-password"))
        with pytest.raises(StateError) as caught:
            await store.set("s", "k", 1)
        assert caught.value.code == "state.unreachable"
        assert "wr0ng-password" not in repr(caught.value.to_dict())
        await store.close()

    asyncio.run(main())


def test_a_lost_connection_is_made_anew(server: str, tmp_path: Path) -> None:
    async def main() -> None:
        url = schema_of(server, tmp_path)
        store = PostgresStore(url)
        await store.set("s", "k", 1)
        with psycopg.connect(server, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'llmspell'"
            )
        with pytest.raises(StateError) as caught:
            await store.get("s", "k")
        assert caught.value.code == "state.unreachable"
        assert caught.value.retryable
        assert (await store.get("s", "k"))[0] == 1
        await store.close()

    asyncio.run(main())


def test_a_newer_schema_is_left_alone(server: str, tmp_path: Path) -> None:
    async def main() -> None:
        url = schema_of(server, tmp_path)
        store = PostgresStore(url)
        await store.set("s", "k", 1)
        await store.close()
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("UPDATE llmspell_state_schema SET version = 99")
        store = PostgresStore(url)
        with pytest.raises(StateError) as caught:
            await store.get("s", "k")
        assert caught.value.code == "state.version"
        await store.close()

    asyncio.run(main())


def test_many_clients_share_a_database_without_losing_updates(server: str, tmp_path: Path) -> None:
    url = schema_of(server, tmp_path)

    async def main() -> None:
        stores = [PostgresStore(url) for _ in range(4)]
        await asyncio.gather(
            *(StateView(store, "s").increment("n") for store in stores for _ in range(25))
        )
        assert (await stores[0].get("s", "n"))[0] == 100
        for store in stores:
            await store.close()

    asyncio.run(main())


_WRITER = """
import asyncio, sys
from llmspell_core.state.postgres import PostgresStore

async def main():
    store = PostgresStore(sys.argv[1])
    for number in range(1, 1_000_000):
        await store.compare_and_set("s", {"a": (None, number), "b": (None, number)})
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_what_was_answered_survives_a_kill_of_the_client(server: str, tmp_path: Path) -> None:
    url = schema_of(server, tmp_path)
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    answered, end = 0, time.monotonic() + 60
    while answered < 20 and time.monotonic() < end:
        answered = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split(b"\n")[:-1]
    writer.stdout.close()
    writer.wait()
    answered = int(rest[-1]) if rest else answered

    async def main() -> None:
        store = PostgresStore(url)
        found = await store.all("s")
        assert found["a"] == found["b"] >= answered
        await store.close()

    asyncio.run(main())

"""The tool `database-connector` against a real PostgreSQL, as its superuser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from postgres_test_server import PASSWORD, binaries, postgres

from llmspell_core.errors import DeadlineError, LLMSpellError, PolicyError, ToolFailed
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.communication.database_connector import DatabaseConnector

pytestmark = pytest.mark.skipif(binaries() is None, reason="no PostgreSQL on this machine")
Call = Callable[..., Awaitable[ToolResult]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


def within(url: str, work: Callable[[Call], Awaitable[None]], *allow: str) -> None:
    async def main() -> None:
        security = {
            "network": {"allowed_hosts": ["127.0.0.1"]},
            "tools": {"allow": ["*", *allow]},
        }
        async with Runtime({"security": security}) as runtime:

            async def call(query: str | None = None, **params: Any) -> ToolResult:
                given = {"url": url, **params, **({"query": query} if query else {})}
                return await DatabaseConnector().call(given, runtime.context())

            await work(call)

    asyncio.run(main())


def test_tables_rows_and_types(server: str) -> None:
    async def work(call: Call) -> None:
        await call(
            "CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL, price numeric(12,2),"
            " made date, tags text[], data jsonb, big bigint)",
            operation="execute",
        )
        made = await call(
            "INSERT INTO items (name, price, made, tags, data, big)"
            " VALUES (:n, :p, :m, '{a,b}', :d, :b), ('it''s :n', $$1$$, NULL, NULL, NULL, 1)"
            " RETURNING id",
            operation="execute",
            params={"n": "tea", "p": 3.5, "m": "2024-02-03", "d": '{"a": [1]}', "b": 2**40},
        )
        assert made.output == [{"id": 1}, {"id": 2}]
        assert made.result["affected_rows"] == 2
        row = (await call("SELECT * FROM items WHERE price > $1 AND name = $2",
                          params=[2, "tea"])).output[0]  # fmt: skip
        assert row == {
            "id": 1,
            "name": "tea",
            "price": 3.5,
            "made": "2024-02-03",
            "tags": ["a", "b"],
            "data": {"a": [1]},
            "big": 2**40,
        }
        has = await call("SELECT data ? 'a' AS has FROM items WHERE id = :id", params={"id": 1})
        assert has.output == [{"has": True}]
        several = await call("SELECT id FROM items WHERE id IN :ids", params={"ids": [2, 3]})
        assert several.output == [{"id": 2}]
        others = await call(
            "SELECT 'NaN'::float8 AS f, interval '1 day' AS i, '\\x00ff'::bytea AS b,"
            " timestamptz '2024-01-01 00:00+00' AS t, 1e30::numeric AS n"
        )
        assert others.output[0]["f"] == "nan"
        assert others.output[0]["b"] == "AP8="
        assert others.output[0]["t"].startswith("20")
        assert others.output[0]["n"] == "1" + "0" * 30
        assert (await call(operation="tables")).output == [{"name": "items", "type": "table"}]
        schema = (await call(operation="schema", table="items")).output[0]
        assert schema["primary_key"] == ["id"]
        assert {one["name"]: one["type"] for one in schema["columns"]}["price"] == "NUMERIC(12, 2)"

    within(server, work, "database-connector")


def test_the_server_itself_holds_a_question_to_reading(server: str) -> None:
    async def work(call: Call) -> None:
        await call("CREATE TABLE kept (a int)", operation="execute")
        await call("CREATE SEQUENCE numbers", operation="execute")
        for query in (
            "SELECT nextval('numbers')",
            "SELECT 1 AS a INTO made_by_reading",
            "SELECT * FROM kept FOR UPDATE",
        ):
            with pytest.raises(ToolFailed, match="read-only transaction"):
                await call(query)
        with pytest.raises(LLMSpellError):
            await call("WITH x AS (INSERT INTO kept VALUES (1) RETURNING a) SELECT * FROM x")
        shown = await call("SHOW transaction_read_only")
        assert shown.output == [{"transaction_read_only": "on"}]
        assert (await call("SELECT count(*) AS n FROM kept")).output == [{"n": 0}]

    within(server, work, "database-connector")


def test_writing_needs_a_policy_and_nothing_is_more_than_data(server: str) -> None:
    async def refused(call: Call) -> None:
        with pytest.raises(PolicyError) as caught:
            await call("CREATE TABLE x (a int)", operation="execute")
        assert caught.value.code == "policy.tool"

    async def allowed(call: Call) -> None:
        for query in (
            "COPY pg_class TO PROGRAM 'touch /tmp/llmspell-was-here'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT pg_catalog.\"pg_ls_dir\" ('/')",
            "ALTER SYSTEM SET archive_command = 'id'",
            "DO $$ BEGIN COPY pg_class TO '/tmp/x'; END $$",
            "CREATE TABLE x AS SELECT pg_read_binary_file('/etc/passwd')",
        ):
            with pytest.raises(PolicyError) as caught:
                await call(query, operation="execute")
            assert caught.value.code == "policy.sql"

    within(server, refused)
    within(server, allowed, "database-connector")


def test_time_rows_and_a_lost_login(server: str) -> None:
    async def work(call: Call) -> None:
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            await call("SELECT count(*) FROM generate_series(1, 10000000000)", timeout_ms=300)
        assert time.monotonic() - started < 4
        few = await call("SELECT n FROM generate_series(1, 5000) AS n", max_rows=3)
        assert few.output == [{"n": 1}, {"n": 2}, {"n": 3}]
        assert few.result["truncated"]
        with pytest.raises(ToolFailed, match="cannot be interpreted"):
            await call("SELECT $1::int", params=["x"])
        wrong = server.replace(PASSWORD, "other-secret")
        with pytest.raises(ToolFailed, match="password authentication failed") as caught:
            await call("SELECT 1", url=wrong)
        assert "other-secret" not in str(caught.value.to_dict())
        with pytest.raises(LLMSpellError) as closed:
            await call("SELECT 1", url="postgresql://a:b@127.0.0.1:9/x")
        assert closed.value.code == "network.connection"
        for mode in ("require", "verify-full"):
            with pytest.raises(LLMSpellError, match="SSL"):
                await call("SELECT 1", url=f"{server}?sslmode={mode}")

    within(server, work)

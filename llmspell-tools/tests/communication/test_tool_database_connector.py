from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.approval import ApprovalAnswer, ApprovalRequest
from llmspell_core.errors import (
    DeadlineError,
    LimitError,
    LLMSpellError,
    PolicyError,
    ToolFailed,
    ValidationError,
)
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.communication._rows import number, plain
from llmspell_tools.communication.database_connector import DatabaseConnector

Call = Callable[..., Awaitable[ToolResult]]
WRITING = {"allow": ["*", "database-connector"]}


def within(
    folder: Path, work: Callable[[Call], Awaitable[None]], settings: Any = None, **security: Any
) -> None:
    async def main() -> None:
        files = {"read": [str(folder)], "write": [str(folder)]}
        given = {"security": {"files": files, **security}, **(settings or {})}
        async with Runtime(given) as runtime:

            async def call(query: str | None = None, **params: Any) -> ToolResult:
                if "url" not in params:
                    params.setdefault("database", str(folder / "shop.db"))
                params.update({"query": query} if query is not None else {})
                return await DatabaseConnector().call(params, runtime.context())

            await work(call)

    asyncio.run(main())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.executescript(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL DEFAULT 1);"
        "CREATE TABLE parts (item INTEGER REFERENCES items (id), label TEXT);"
        "CREATE UNIQUE INDEX by_name ON items (name);"
        "CREATE VIEW cheap AS SELECT * FROM items WHERE price < 10;"
        "INSERT INTO items (name, price) VALUES ('tea', 3.5), ('pot', 20), ('it''s: x', 1);"
    )
    connection.commit()
    connection.close()
    return tmp_path


def test_rows_with_bound_parameters(shop: Path) -> None:
    async def work(call: Call) -> None:
        result = await call("SELECT name, price FROM items WHERE price < :p", params={"p": 3})
        assert result.output == [{"name": "it's: x", "price": 1.0}]
        assert result.result["columns"] == ["name", "price"]
        assert result.result["row_count"] == 1
        assert not result.result["truncated"]
        # Whatever a value says, it stays a value.
        evil = "x' OR '1'='1"
        assert (await call("SELECT * FROM items WHERE name = ?", params=[evil])).output == []
        several = await call(
            "SELECT id FROM items WHERE id IN (:ids) AND name <> ':ids' ORDER BY id",
            params={"ids": [1, 3]},
        )
        assert [row["id"] for row in several.output] == [1, 3]
        twice = await call("SELECT :a AS a, :a AS b, 'x:y' AS c, 1 AS a", params={"a": None})
        assert twice.output == [{"a": None, "b": None, "c": "x:y", "a_2": 1}]
        assert (await call("SELECT x'00ff' AS b", database=":memory:")).output == [{"b": "AP8="}]
        few = await call("SELECT id FROM items ORDER BY id", max_rows=2)
        assert [row["id"] for row in few.output] == [1, 2]
        assert few.result["truncated"]
        url = f"sqlite:///{shop}/shop.db"
        assert (await call("SELECT count(*) AS n FROM cheap", url=url)).output == [{"n": 2}]

    within(shop, work)


def test_parameters_that_do_not_fit(shop: Path) -> None:
    async def work(call: Call) -> None:
        for query, params in (
            ("SELECT :a", {}),
            ("SELECT :a", {"a": 1, "b": 2}),
            ("SELECT ?", []),
            ("SELECT ?", [1, 2]),
            ("SELECT ?", [{"a": 1}]),
            ("SELECT ?", [2**70]),
            ("SELECT ?", "text"),
        ):
            with pytest.raises(ValidationError, match="params"):
                await call(query, params=params)
        with pytest.raises(ValidationError, match='"insert", and the query select'):
            await call("SELECT 1", query_type="insert")
        both = {"database": "a", "url": "sqlite:///b"}
        for given in ({"query": "SELECT 1"}, {"query": "SELECT 1", **both}):
            with pytest.raises(ValidationError, match="database or url"):
                await DatabaseConnector().call(given)
        with pytest.raises(ValidationError, match="query is required"):
            await call()
        with pytest.raises(ToolFailed, match="no such column: nope"):
            await call("SELECT nope FROM items")

    within(shop, work)


def test_tables_and_their_columns(shop: Path) -> None:
    async def work(call: Call) -> None:
        tables = await call(operation="tables")
        assert tables.result == {
            "tables": [
                {"name": "items", "type": "table"},
                {"name": "parts", "type": "table"},
                {"name": "cheap", "type": "view"},
            ],
            "count": 3,
        }
        items = (await call(operation="schema", table="items")).output[0]
        assert items["columns"][1] == {
            "name": "name",
            "type": "TEXT",
            "nullable": False,
            "default": None,
            "primary_key": False,
        }
        assert items["primary_key"] == ["id"]
        assert items["indexes"] == [{"name": "by_name", "columns": ["name"], "unique": True}]
        parts = (await call(operation="schema", table="parts")).output[0]
        assert parts["foreign_keys"] == [
            {"columns": ["item"], "table": "items", "references": ["id"]}
        ]
        assert (await call(operation="schema")).result["count"] == 3
        with pytest.raises(ValidationError, match="table"):
            await call(operation="schema", table="nothing")

    within(shop, work)


def test_writing_needs_a_policy_that_says_so(shop: Path) -> None:
    insert = "INSERT INTO items (name) VALUES (?)"

    async def refused(call: Call) -> None:
        with pytest.raises(ValidationError, match="changes data"):
            await call(insert, params=["cup"])
        with pytest.raises(PolicyError) as caught:
            await call(insert, params=["cup"], operation="execute")
        assert caught.value.code == "policy.tool"
        # What only reads needs no leave.
        assert (await call("SELECT 1 AS a", operation="execute")).output == [{"a": 1}]

    async def allowed(call: Call) -> None:
        made = await call(insert, params=["cup"], operation="execute", query_type="insert")
        assert made.result["affected_rows"] == 1
        assert made.result["last_insert_id"] == 4
        assert made.text == "1 rows affected"
        again = await call(
            "INSERT INTO items (name) VALUES ('jug') RETURNING id, name", operation="execute"
        )
        assert again.output == [{"id": 5, "name": "jug"}]
        changed = await call("UPDATE items SET price = 2 WHERE id > 3", operation="execute")
        assert changed.result["affected_rows"] == 2
        await call("CREATE TABLE more (a)", operation="execute", query_type="ddl")
        assert (await call("SELECT count(*) AS n FROM items")).output == [{"n": 5}]
        new = str(shop / "new" / "other.db")
        await call("CREATE TABLE t (a)", operation="execute", database=new)
        assert (await call(operation="tables", database=new)).result["count"] == 1
        with pytest.raises(ToolFailed, match="UNIQUE constraint failed"):
            await call(insert, params=["cup"], operation="execute")

    within(shop, refused)
    within(shop, allowed, tools=WRITING)


def test_a_person_is_asked_where_the_profile_asks(shop: Path) -> None:
    asked: list[ApprovalRequest] = []

    class Person:
        def __init__(self, *answers: ApprovalAnswer) -> None:
            self.answers = list(answers)

        async def ask(self, request: ApprovalRequest) -> ApprovalAnswer:
            asked.append(request)
            return self.answers.pop(0)

    async def main() -> None:
        security = {"profile": "low", "files": {"read": [str(shop)], "write": [str(shop)]}}
        person = Person(ApprovalAnswer.deny("no"), ApprovalAnswer.approve())
        async with Runtime({"security": security}, approver=person) as runtime:
            params = {
                "operation": "execute",
                "database": str(shop / "shop.db"),
                "query": "DELETE FROM items WHERE id = :id",
                "params": {"id": 1},
            }
            with pytest.raises(PolicyError, match="no") as caught:
                await DatabaseConnector().call(params, runtime.context())
            assert caught.value.code == "tool.not_approved"
            done = await DatabaseConnector().call(params, runtime.context())
            assert done.result["affected_rows"] == 1
            assert asked[0].arguments["query"].startswith("DELETE")

    asyncio.run(main())


READ_ONLY_MUST_HOLD = (
    "WITH x AS (SELECT 1) SELECT * FROM x, (SELECT writefile('a', 'b'))",
    "PRAGMA user_version(7)",
    "PRAGMA journal_mode",
    "PRAGMA writable_schema",
    "PRAGMA query_only(0)",
    "SELECT * FROM pragma_database_list",
    "SELECT fts3_tokenizer('simple', x'00')",
)


def test_sqlite_itself_holds_a_question_to_reading(shop: Path) -> None:
    before = (shop / "shop.db").read_bytes()

    async def work(call: Call) -> None:
        for query in READ_ONLY_MUST_HOLD:
            with pytest.raises((PolicyError, ToolFailed)):
                await call(query)
        assert (await call("PRAGMA user_version")).output == [{"user_version": 0}]
        columns = await call("SELECT name FROM pragma_table_info('items')")
        assert [row["name"] for row in columns.output] == ["id", "name", "price"]
        each = await call("SELECT value FROM json_each('[1, 2]')")
        assert [row["value"] for row in each.output] == [1, 2]

    within(shop, work)
    assert (shop / "shop.db").read_bytes() == before
    assert [one.name for one in shop.iterdir()] == ["shop.db"]


def test_writing_reaches_no_other_file(shop: Path) -> None:
    async def work(call: Call) -> None:
        for query in (
            f"ATTACH '{shop}/other.db' AS other",
            f"VACUUM INTO '{shop}/other.db'",
            "CREATE VIRTUAL TABLE v USING csv(filename='/etc/passwd')",
            "CREATE TABLE x AS SELECT load_extension('x')",
            "PRAGMA temp_store_directory = '/tmp'",
        ):
            with pytest.raises((PolicyError, ToolFailed)):
                await call(query, operation="execute")
        await call("CREATE VIRTUAL TABLE texts USING fts5(body)", operation="execute")
        assert not (shop / "other.db").exists()

    within(shop, work, tools=WRITING)


def test_the_file_gate_decides_about_sqlite_files(shop: Path, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "far.db").write_bytes((shop / "shop.db").read_bytes())
    (shop / "link.db").symlink_to(outside / "far.db")
    (shop / "odd ?#%41.db").write_bytes((shop / "shop.db").read_bytes())
    (shop / "near.db").write_bytes((shop / "shop.db").read_bytes())
    (shop / "near.db-wal").symlink_to(outside / "far.db")
    os.link(shop / "shop.db", shop / "second.db")
    os.mkfifo(shop / "pipe.db")

    async def work(call: Call) -> None:
        for name in ("/etc/passwd", str(outside / "far.db"), str(shop / "link.db"),
                     str(shop / "../x.db"), str(shop / "near.db"), str(shop / "pipe.db"),
                     "/proc/self/mem", "file:shop.db?mode=rwc"):  # fmt: skip
            with pytest.raises(PolicyError) as caught:
                await call("SELECT 1", database=name)
            assert caught.value.code == "policy.file", name
        odd = await call("SELECT count(*) AS n FROM items", database=str(shop / "odd ?#%41.db"))
        assert odd.output == [{"n": 3}]
        with pytest.raises(PolicyError, match="hard link"):
            await call("DELETE FROM items", operation="execute", database=str(shop / "second.db"))
        with pytest.raises(LLMSpellError) as missing:
            await call("SELECT 1", database=str(shop / "nothing.db"))
        assert missing.value.code == "file.not_found"
        assert not (shop / "nothing.db").exists()
        (shop / "text.db").write_text("no database " * 100)
        with pytest.raises(ToolFailed, match="not a database"):
            await call("SELECT * FROM sqlite_master", database=str(shop / "text.db"))

    within(shop, work, tools=WRITING)


def test_questions_without_end_are_stopped(shop: Path) -> None:
    endless = "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) "

    async def work(call: Call) -> None:
        started = time.monotonic()
        with pytest.raises(DeadlineError) as caught:
            await call(endless + "SELECT count(*) FROM x", timeout_ms=200)
        assert caught.value.code == "tool.timeout"
        assert time.monotonic() - started < 3
        with pytest.raises(DeadlineError):
            await call(endless + "SELECT n FROM x ORDER BY -n", timeout=0.2)
        first = await call(endless + "SELECT n FROM x", max_rows=2)
        assert first.result["truncated"]
        with pytest.raises(ToolFailed, match="too big"):
            await call("SELECT zeroblob(100000000)")
        with pytest.raises(LimitError, match="more than 16 MiB"):
            await call(endless + "SELECT printf('%.*c', 1000000, 'x') FROM x")

    within(shop, work)


def test_a_configured_database_by_its_name(shop: Path) -> None:
    async def work(call: Call) -> None:
        assert (await call("SELECT count(*) AS n FROM items", database="store")).output == [
            {"n": 3}
        ]

    databases = {"store": f"sqlite:///{shop}/shop.db"}
    settings = {"tools": {"database-connector": {"databases": databases}}}
    within(shop, work, settings)


def test_addresses(shop: Path) -> None:
    async def work(call: Call) -> None:
        for url, message in (
            ("oracle://x/y", "must be a sqlite, postgresql or mysql address"),
            ("postgresql:///x", "needs a host"),
            ("postgresql://h:99999/x", "is no address"),
            ("postgresql://h/x?passfile=/etc/passwd", 'unknown option "passfile"'),
            ("postgresql://h/x?host=/var/run", 'unknown option "host"'),
            ("mysql://h/x?sslmode=perhaps", "sslmode"),
            ("sqlite://x.db", "sqlite:///relative"),
            ("sqlite:///x.db?mode=rwc", "no options"),
        ):
            with pytest.raises(ValidationError, match="url") as caught:
                await call("SELECT 1", url=url)
            assert message in caught.value.message
        for host in (
            "10.0.0.1",
            "169.254.169.254",
            "127.0.0.1",
            "[::1]",
            "0x7f000001",
            "2130706433",
        ):
            for scheme in ("postgresql", "mysql"):
                with pytest.raises(PolicyError) as denied:
                    await call("SELECT 1", url=f"{scheme}://u:p@{host}/x")
                assert denied.value.code == "policy.network"

    within(shop, work)


def test_values_of_columns_as_json() -> None:
    assert [number(text) for text in ("12", "-1.50", "1234567890123456789", "0.1", "NaN")] == [
        12, -1.5, 1234567890123456789, 0.1, "NaN",
    ]  # fmt: skip
    exact = "12345678901234567.25"
    assert number(exact) == exact
    assert number("9" * 30) == "9" * 30
    assert plain([float("inf"), {"a": b"\0"}]) == ["inf", {"a": "AA=="}]

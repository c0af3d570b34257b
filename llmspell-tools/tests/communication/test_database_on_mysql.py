"""The tool `database-connector` against a real MariaDB, where the machine has one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mysql_test_server import mariadb, program

from llmspell_core.errors import DeadlineError, LLMSpellError, PolicyError, ToolFailed
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.communication.database_connector import DatabaseConnector

pytestmark = pytest.mark.skipif(program() is None, reason="no MariaDB on this machine")
SECURITY: dict[str, Any] = {
    "network": {"allowed_hosts": ["127.0.0.1"]},
    "tools": {"allow": ["*", "database-connector"]},
}


def test_rows_reading_and_time() -> None:
    async def main(url: str) -> None:
        async with Runtime({"security": SECURITY}) as runtime:

            async def call(query: str | None = None, **params: Any) -> ToolResult:
                given = {"url": url, **params, **({"query": query} if query else {})}
                return await DatabaseConnector().call(given, runtime.context())

            await call(
                "CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name text NOT NULL,"
                " price decimal(12,2), made date, data blob)",
                operation="execute",
            )
            made = await call(
                "INSERT INTO items (name, price, made)"
                " VALUES (:n, :p, :m), ('100%\\' :n', 1, NULL)",
                operation="execute",
                params={"n": "t'e\\'a", "p": 3.5, "m": "2024-02-03"},
            )
            assert made.result["affected_rows"] == 2
            rows = await call("SELECT name, price, made FROM items WHERE price > ?", params=[2])
            assert rows.output == [{"name": "t'e\\'a", "price": 3.5, "made": "2024-02-03"}]
            some = await call("SELECT name FROM items WHERE name LIKE '100%' AND id IN :ids",
                              params={"ids": [1, 2]})  # fmt: skip
            assert some.output == [{"name": "100%' :n"}]
            few = await call("SELECT seq FROM seq_1_to_10000000", max_rows=2)
            assert few.result["truncated"]
            assert (await call(operation="tables")).result["count"] == 1
            with pytest.raises(ToolFailed, match="READ ONLY transaction"):
                await call("SELECT * FROM items FOR UPDATE")
            endless = "SELECT count(*) FROM seq_1_to_1000000000 a, seq_1_to_1000000000 b"
            with pytest.raises((DeadlineError, ToolFailed)):
                await call(endless, timeout_ms=300)
            for query in ("SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT load_file('/etc/passwd')"):
                with pytest.raises(PolicyError):
                    await call(query)
            with pytest.raises(LLMSpellError, match="Access denied") as caught:
                await call("SELECT 1", url=url.replace("pw@", "secret-word@"))
            assert "secret-word" not in str(caught.value.to_dict())
            with pytest.raises(LLMSpellError) as closed:
                await call("SELECT 1", url="mysql://a:b@127.0.0.1:9/x")
            assert closed.value.code == "network.connection"

    with mariadb() as url:
        asyncio.run(main(url))

"""The tool `database-connector`: asks SQLite, PostgreSQL and MySQL, and writes where it may."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from llmspell_core.approval import ApprovalRequest
from llmspell_core.errors import ConfigError, PolicyError
from llmspell_core.schema import describe
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._extras import imported
from llmspell_tools._parameters import Spelled, needed, wrong
from llmspell_tools._service import configured
from llmspell_tools.communication._database import connected
from llmspell_tools.communication._database_url import Place, place_of
from llmspell_tools.communication._rows import bound, rows_of
from llmspell_tools.communication._sql import SqlError, Statement, read_statement
from llmspell_tools.communication._sql_rules import check_statement, kind_of

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext


def _params(value: Any) -> Any:
    if value is None:
        return []
    if isinstance(value, (list, dict)):
        return value
    raise ValueError(f"must be a list or a table of values, not {describe(value)}")


Params = Annotated[Any, PlainValidator(_params), WithJsonSchema({"type": ["array", "object"]})]


class DatabaseParameters(ToolParameters):
    """A database and what to ask it."""

    aliases: ClassVar[dict[str, str]] = {
        "input": "query",
        "sql": "query",
        "statement": "query",
        "path": "database",
        "connection": "database",
        "connection_string": "url",
        "parameters": "params",
        "limit": "max_rows",
    }

    operation: Annotated[
        Literal["query", "execute", "schema", "tables"],
        Spelled(select="query", write="execute", describe="schema", list_tables="tables"),
    ] = Field(
        "query",
        description="query: read rows; execute: change data or tables, where the security policy "
        "allows that; tables: list them; schema: columns, keys and indexes",
    )
    database: str | None = Field(
        None, min_length=1, description="A SQLite file, or the name of a configured database"
    )
    url: str | None = Field(
        None,
        min_length=1,
        description="postgresql://user:password@host/database, mysql://..., sqlite:///file",
    )
    query: str | None = Field(
        None, min_length=1, description="One SQL statement, with :name or ? for each value"
    )
    params: Params = Field(
        default_factory=list,
        description="The values: a table for :name, a list for ? (PostgreSQL: $1). A list as a "
        "value stands for IN :name",
    )
    query_type: Annotated[
        Literal["any", "select", "insert", "update", "delete", "ddl"], Spelled(create="ddl")
    ] = Field("any", description="Refuse the query when it is of another kind")
    table: str | None = Field(None, description="schema: this table only")
    max_rows: int = Field(1000, ge=1, le=100_000, description="Rows to give at most")
    timeout_ms: float = Field(
        30_000, gt=0, le=600_000, description="How long it may take, in milliseconds"
    )

    @model_validator(mode="after")
    def _one_database(self) -> DatabaseParameters:
        if (self.database is None) == (self.url is None):
            raise ValueError("give database or url, one of them")
        if self.operation == "query" and self.query is None and self.table is not None:
            self.operation = "schema"
        return self


class _Writing(Tool):
    """What the policy is asked about before anything is written."""

    name = "database-connector"
    category = "communication"
    security_level = "privileged"
    destructive = True


class DatabaseConnector(Tool):
    """Reads and writes databases."""

    name = "database-connector"
    description = (
        "Queries SQLite, PostgreSQL and MySQL databases with bound parameters, and shows their "
        "tables and columns. It reads only, unless the security policy allows writing."
    )
    category = "communication"
    security_level = "restricted"
    permissions = Permissions(
        files="read, and write where allowed, the SQLite file given",
        network="the database server given",
    )
    destructive = True
    Parameters = DatabaseParameters
    timeout_ms = 660_000
    extra = "database"
    examples = (
        (
            {
                "database": "data/shop.db",
                "query": "SELECT name FROM items WHERE price < :most ORDER BY name",
                "params": {"most": 10},
            },
            "the names of the cheap items",
        ),
        ({"operation": "tables", "database": "data/shop.db"}, "the tables and views"),
        ({"operation": "schema", "database": "data/shop.db", "table": "items"}, "its columns"),
        (
            {"database": ":memory:", "query": "SELECT ? + 1 AS next", "params": [41]},
            '[{"next": 42}]',
        ),
    )

    async def run_tool(self, params: DatabaseParameters, ctx: ToolContext) -> ToolResult:
        place = self._place(params, ctx)
        if params.operation in ("tables", "schema"):
            return await self._look(params, place, ctx)
        needed(self.name, params.operation, query=params.query)
        statement = self._statement(params, place)
        if statement.writes and params.operation == "query":
            message = "changes data"
            hint = 'operation = "execute" does that, where the security policy allows it'
            raise wrong(self.name, "query", message, hint=hint)
        if statement.writes:
            await self._ask_leave(params, ctx)
        return await self._run(params, place, statement, ctx)

    def _place(self, params: DatabaseParameters, ctx: ToolContext) -> Place:
        if params.url is not None:
            return place_of(self.name, "url", params.url)
        name = params.database or ""
        known = configured(ctx, "databases")
        if name not in known:
            return place_of(self.name, "database", name)
        if not isinstance(known[name], str):
            raise ConfigError(f"[tools.{self.name}.databases] {name} must be an address")
        found = place_of(self.name, "database", known[name])
        # Whoever configured it did not give its password to scripts.
        if found.password:
            ctx.policy.redactor.add(found.password)
        return found

    def _statement(self, params: DatabaseParameters, place: Place) -> Statement:
        try:
            statement = read_statement(params.query or "", place.dialect)
        except SqlError as error:
            raise wrong(self.name, "query", f"is no statement: {error}") from None
        check_statement(statement)
        kind = kind_of(statement)
        if params.query_type not in ("any", kind):
            raise wrong(self.name, "query_type", f'is "{params.query_type}", and the query {kind}')
        return statement

    async def _ask_leave(self, params: DatabaseParameters, ctx: ToolContext) -> None:
        """Writing is privileged: the policy refuses it, asks a person, or allows it."""
        writing = _Writing()
        if ctx.policy.check_tool(writing, chosen_by_model=False) != "ask":
            return
        answer = await ctx.approver.ask(
            ApprovalRequest(
                tool=self.name,
                arguments={"query": params.query, "params": params.params},
                reason="privileged",
                description="writes to a database",
                path=ctx.path,
                correlation_id=ctx.correlation_id,
            )
        )
        if answer.kind == "always":
            ctx.policy.always(writing)
        elif answer.kind != "approve":
            message = answer.message or "writing was not approved"
            raise PolicyError(f"{self.name}: {message}", code="tool.not_approved")

    async def _run(
        self, params: DatabaseParameters, place: Place, statement: Statement, ctx: ToolContext
    ) -> ToolResult:
        sqlalchemy = await asyncio.to_thread(imported, "sqlalchemy", self.name, "database")
        query = bound(self.name, sqlalchemy, statement, params.params)
        started = time.perf_counter()
        result: dict[str, Any]
        async with connected(
            place, ctx, writes=statement.writes, timeout_ms=params.timeout_ms
        ) as connection:
            if statement.writes:
                result = await self._write(params, connection, query, statement)
            else:
                result = await self._read(params, connection, query, place)
        result["elapsed_ms"] = round((time.perf_counter() - started) * 1000, 3)
        if "rows" in result:
            return ToolResult(result, output=result["rows"])
        return ToolResult(result, text=f"{result['affected_rows']} rows affected")

    async def _read(
        self, params: DatabaseParameters, connection: Any, query: Any, place: Place
    ) -> dict[str, Any]:
        result = await connection.stream(query)
        try:
            return await self._rows(result, params.max_rows)
        finally:
            if place.dialect == "mysql":
                # To close its cursor would read all rows that are left.
                (await connection.get_raw_connection()).driver_connection.close()
                await connection.invalidate()
            else:
                await result.close()

    async def _write(
        self, params: DatabaseParameters, connection: Any, query: Any, statement: Statement
    ) -> dict[str, Any]:
        result = await connection.execute(query)
        found: dict[str, Any] = {"affected_rows": max(0, result.rowcount)}
        if result.returns_rows:
            found.update(await self._rows(result, params.max_rows))
        else:
            last = getattr(result, "lastrowid", None)
            if last and kind_of(statement) == "insert":
                found["last_insert_id"] = last
        await connection.commit()
        return found

    async def _rows(self, result: Any, most: int) -> dict[str, Any]:
        columns, rows, more = await rows_of(self.name, result, most)
        return {"rows": rows, "columns": columns, "row_count": len(rows), "truncated": more}

    async def _look(self, params: DatabaseParameters, place: Place, ctx: ToolContext) -> ToolResult:
        from llmspell_tools.communication._tables import schema_of, tables_of

        sqlalchemy = await asyncio.to_thread(imported, "sqlalchemy", self.name, "database")
        async with connected(place, ctx, writes=False, timeout_ms=params.timeout_ms) as connection:
            if params.operation == "tables":
                found = await connection.run_sync(lambda sync: tables_of(sqlalchemy, sync))
            else:
                found = await connection.run_sync(
                    lambda sync: schema_of(sqlalchemy, sync, params.table)
                )
        if params.table is not None and not found:
            raise wrong(self.name, "table", f'is not there: "{params.table[:60]}"')
        return ToolResult({"tables": found, "count": len(found)}, output=found)

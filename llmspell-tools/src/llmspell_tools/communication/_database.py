"""Connections to databases, opened only where the file gate or the network gate allows it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import DeadlineError, ToolFailed
from llmspell_core.security.addresses import kind_of, parse_address
from llmspell_core.security.net import NetworkError
from llmspell_tools._extras import imported
from llmspell_tools.communication._database_url import MEMORY, Place
from llmspell_tools.communication._rows import number
from llmspell_tools.communication._sqlite import SqliteFile

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_TOOL = "database-connector"
_CONNECT_S = 10.0
_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mysql": "aiomysql"}
#: PyMySQL's number for a server that does not answer.
_MYSQL_NO_CONNECTION = 2003
#: SQLite's files beside the database.
_BESIDE = ("-journal", "-wal", "-shm")

Creator = Callable[[], Awaitable[Any]]


@asynccontextmanager
async def connected(
    place: Place, ctx: ToolContext, *, writes: bool, timeout_ms: float
) -> AsyncIterator[Any]:
    """A SQLAlchemy connection that the database itself holds to reading unless it `writes`.

    Everything inside takes at most `timeout_ms`.

    Raises:
        PolicyError: a gate refuses the file or the host.
        DeadlineError: `tool.timeout`.
        ToolFailed: `tool.database`, whatever the database says.
        NetworkError: `network.connection`: no server answers.
    """
    sqlalchemy, asyncio_part = await asyncio.to_thread(_libraries, _DRIVERS[place.dialect])
    deadline = time.monotonic() + timeout_ms / 1000
    file: SqliteFile | None = None
    if place.dialect == "sqlite":
        uri = await asyncio.to_thread(_checked_file, place.path, ctx, writes=writes)
        file = SqliteFile(uri, writes, deadline)
    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + timeout_ms / 1000):
            creator = await _creator(place, ctx, file, writes=writes, timeout_ms=timeout_ms)
            engine = asyncio_part.create_async_engine(
                f"{place.dialect}+{_DRIVERS[place.dialect]}://",
                async_creator=creator,
                poolclass=sqlalchemy.pool.NullPool,
            )
            async with engine.connect() as connection:
                await _prepare(connection, place, writes=writes)
                with _stopping(file):
                    yield connection
    except TimeoutError:
        raise too_slow(timeout_ms) from None
    except (sqlalchemy.exc.SQLAlchemyError, *_driver_errors(place)) as error:
        if time.monotonic() > deadline:
            raise too_slow(timeout_ms) from None
        raise database_error(error) from None
    finally:
        if file is not None:
            await asyncio.shield(asyncio.to_thread(file.finish))


def _libraries(driver: str) -> tuple[Any, Any]:
    """SQLAlchemy and its part for asyncio: importing them takes longer than most queries."""
    imported(driver, _TOOL, "database")
    asyncio_part = imported("sqlalchemy.ext.asyncio", _TOOL, "database")
    return imported("sqlalchemy", _TOOL, "database"), asyncio_part


@contextmanager
def _stopping(file: SqliteFile | None) -> Iterator[None]:
    """End SQLite's query at once when nobody waits for it any more."""
    try:
        yield
    except BaseException:
        if file is not None:
            file.stopped.set()
        raise


def _driver_errors(place: Place) -> tuple[type[Exception], ...]:
    """What comes through SQLAlchemy as it is: errors in the middle of a streamed result."""
    if place.dialect == "postgresql":
        asyncpg = imported("asyncpg", _TOOL, "database")
        return asyncpg.PostgresError, asyncpg.InterfaceError
    if place.dialect == "mysql":
        return (imported("pymysql", _TOOL, "database").MySQLError,)
    return (imported("aiosqlite", _TOOL, "database").Error,)


def too_slow(timeout_ms: float) -> DeadlineError:
    """`tool.timeout`."""
    return DeadlineError(
        f"{_TOOL}: the database took longer than {timeout_ms:g} ms",
        code="tool.timeout",
        hint="ask for less, or raise timeout_ms",
    )


def database_error(error: Any) -> ToolFailed:
    """What the database says, without the statement and its values."""
    found = getattr(error, "orig", None) or error
    text = _words(getattr(found, "__cause__", None) or found)
    return ToolFailed(f"{_TOOL}: {text[:500]}", code="tool.database")


def _words(error: BaseException) -> str:
    """The first line of what an error says; MySQL's have a number before it."""
    numbered = len(error.args) == 2 and isinstance(error.args[0], int)  # noqa: PLR2004
    text = str(error.args[1] if numbered else error).strip().partition("\n")[0]
    # SQLAlchemy's asyncio drivers put the class of the error before its text.
    return text.rpartition(">: ")[2] if text.startswith("<class") else text


def _checked_file(path: str, ctx: ToolContext, *, writes: bool) -> str:
    """The file as SQLite's URI, with all that it opens beside it let through by the gate."""
    if path == MEMORY:
        return path
    # What a file opened by the gate must be: no device, no second hard link to be written. An
    # empty one, made here with its directory, is an empty database.
    ctx.files.open(path, "ab" if writes else "rb").close()
    found = ctx.files.resolve(path, "write" if writes else "read")
    for ending in _BESIDE:
        beside = f"{found}{ending}"
        ctx.files.resolve(beside, "write" if writes else "read")
        if ctx.files.exists(beside):
            ctx.files.open(beside, "r+b" if writes else "rb").close()
    return found.as_uri()


async def _creator(
    place: Place, ctx: ToolContext, file: SqliteFile | None, *, writes: bool, timeout_ms: float
) -> Creator:
    if file is not None:
        return _sqlite(file)
    addresses = await ctx.policy.net.resolve_checked(place.host, place.port)
    tls = _tls(place, addresses[0])
    connect = _postgresql if place.dialect == "postgresql" else _mysql

    async def create() -> Any:
        failed: Exception | None = None
        for address in addresses:
            try:
                return await connect(place, address, tls, writes, timeout_ms)
            except (OSError, TimeoutError) as error:
                failed = error
            # Each driver has errors of its own for the same few reasons.
            except Exception as error:  # noqa: BLE001
                if error.args[:1] != (_MYSQL_NO_CONNECTION,):
                    raise _refused(place, error) from None
                failed = error
        raise NetworkError(
            f"no connection to {place.host} port {place.port}: {failed}"[:300],
            code="network.connection",
        ) from None

    return create


def _refused(place: Place, error: Exception) -> Exception:
    """A server that answers and does not let us in; TLS that does not fit."""
    text = _words(error)
    if place.password:
        text = text.replace(place.password, "***")
    hint = None
    if "SSL" in text or "certificate" in text.lower():
        hint = "?sslmode=require takes any certificate, ?sslmode=disable none at all"
    return ToolFailed(f"{_TOOL}: {place.host}: {text[:300]}", code="tool.database", hint=hint)


def _sqlite(file: SqliteFile) -> Creator:
    async def create() -> Any:
        aiosqlite = imported("aiosqlite", _TOOL, "database")
        made = aiosqlite.Connection(file.connect, iter_chunk_size=64)
        # An interpreter that ends must not wait for a query.
        file.thread = getattr(made, "_thread", made)
        file.thread.daemon = True
        return await made

    return create


async def _postgresql(
    place: Place, address: str, tls: SSLContext | None, writes: bool, timeout_ms: float
) -> Any:
    asyncpg = imported("asyncpg", _TOOL, "database")
    milliseconds = str(int(timeout_ms) + 1)
    return await asyncpg.connect(
        host=address,
        port=place.port,
        user=place.user or "postgres",
        # Without one it would look for files and variables of the user.
        password=place.password,
        database=place.database or place.user or "postgres",
        ssl=tls or False,
        timeout=_CONNECT_S,
        target_session_attrs="any",
        server_settings={
            "application_name": "llmspell",
            "default_transaction_read_only": "off" if writes else "on",
            "standard_conforming_strings": "on",
            "statement_timeout": milliseconds,
            "lock_timeout": milliseconds,
            "idle_in_transaction_session_timeout": milliseconds,
        },
    )


async def _mysql(
    place: Place, address: str, tls: SSLContext | None, writes: bool, timeout_ms: float
) -> Any:
    aiomysql = imported("aiomysql", _TOOL, "database")
    made = await aiomysql.connect(
        host=address,
        port=place.port,
        user=place.user,
        password=place.password,
        db=place.database or None,
        charset="utf8mb4",
        ssl=tls,
        connect_timeout=_CONNECT_S,
        local_infile=False,
    )
    try:
        async with made.cursor() as cursor:
            # Quotes and backslashes mean to the server what they mean to our reader.
            await cursor.execute(
                "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"
            )
            access = "READ WRITE" if writes else "READ ONLY"
            await cursor.execute(f"SET SESSION TRANSACTION {access}")
            # MySQL and MariaDB each know one of these; the one stops a query that nobody waits for.
            for limit in (
                f"max_execution_time = {int(timeout_ms) + 1}",
                f"max_statement_time = {timeout_ms / 1000 + 0.001:.3f}",
            ):
                with suppress(aiomysql.MySQLError):
                    await cursor.execute(f"SET SESSION {limit}")
    except BaseException:
        made.close()
        raise
    return made


class _NamedContext(SSLContext):
    """TLS to a checked address under the name that was given."""

    name: str = ""

    def wrap_bio(self, incoming: Any, outgoing: Any, *args: Any, **options: Any) -> Any:
        return super().wrap_bio(
            incoming, outgoing, *args, **{**options, "server_hostname": self.name}
        )


def _tls(place: Place, address: str) -> SSLContext | None:
    """As `sslmode` says; by default verified, and none on this machine."""
    mode = place.tls
    if not mode:
        mode = "disable" if kind_of(parse_address(address)) == "loopback" else "verify-full"
    if mode == "disable":
        return None
    context = _NamedContext(PROTOCOL_TLS_CLIENT)
    context.name = place.host
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    else:
        context.load_default_certs()
    return context


#: Types of PostgreSQL that JSON has not: they come and go as text.
_AS_TEXT = (
    "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "inet", "cidr",
    "macaddr", "money", "xml",
)  # fmt: skip


async def _prepare(connection: Any, place: Place, *, writes: bool) -> None:
    if place.dialect != "postgresql":
        return
    raw = (await connection.get_raw_connection()).driver_connection
    for name in (*_AS_TEXT, "numeric"):
        await raw.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=str,
            decoder=number if name == "numeric" else str,
            format="text",
        )
    if not writes:
        await connection.execution_options(postgresql_readonly=True)
        # A transaction that has read can no longer be told to write.
        await connection.exec_driver_sql("SELECT 1")

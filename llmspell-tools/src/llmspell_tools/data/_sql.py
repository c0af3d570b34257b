"""SQL on rows: a database in memory that can read its one table and nothing else."""

from __future__ import annotations

import json
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake

TOOL = "csv-analyzer"
TABLE = "data"
MAX_ROWS = 100_000
_MAX_BYTES = 16 * 1024 * 1024
_MAX_SQL = 100_000
_REFUSED = frozenset(("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"))


def query(sql: str, columns: list[str], rows: list[list[Any]]) -> str:
    """What a SELECT finds: `{"columns", "rows"}`, as JSON."""
    import sqlite3

    connection = sqlite3.connect(":memory:")
    try:
        _fill(connection, columns, rows)
        _restrict(connection)
        cursor = connection.execute(sql)
        if cursor.description is None:
            raise mistake(TOOL, "query", "must be a SELECT")
        found = cursor.fetchmany(MAX_ROWS + 1)
        names = _unique([str(one[0]) for one in cursor.description])
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        raise _mistake(sql, columns, str(error)) from None
    finally:
        connection.close()
    if len(found) > MAX_ROWS:
        raise LimitError(
            f"{TOOL}: the query finds more than {MAX_ROWS:,} rows",
            code="limit.value",
            hint="add a LIMIT",
        )
    made = json.dumps({"columns": names, "rows": [[_plain(v) for v in row] for row in found]})
    if len(made) > _MAX_BYTES:
        raise LimitError(f"{TOOL}: the result is larger than 16 MiB", code="limit.value")
    return made


def _mistake(sql: str, columns: list[str], words: str) -> Exception:
    if words == "not authorized" or words.startswith("not authorized to use function"):
        return mistake(TOOL, "query", "may only read the table: one SELECT", hint=_hint(columns))
    return mistake(TOOL, "query", f"is no SQL that works: {words}", hint=_hint(columns))


def _hint(columns: list[str]) -> str:
    shown = ", ".join(columns[:20])
    return f'the table is "{TABLE}" with the columns {shown}; the syntax is SQLite\'s'


def _fill(connection: Any, columns: list[str], rows: list[list[Any]]) -> None:
    # Names cannot be bound as parameters: quoted, they are nothing but names.
    names = ", ".join('"' + name.replace('"', '""').replace("\0", "") + '"' for name in columns)
    marks = ", ".join("?" * len(columns))
    connection.execute(f"CREATE TABLE {TABLE} ({names})")
    connection.executemany(f"INSERT INTO {TABLE} VALUES ({marks})", rows)  # noqa: S608
    connection.commit()


def _restrict(connection: Any) -> None:
    import sqlite3

    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _MAX_SQL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    allowed = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}

    def authorize(action: int, first: Any, second: Any, *more: Any) -> int:
        function = action == sqlite3.SQLITE_FUNCTION and str(second).lower() not in _REFUSED
        return sqlite3.SQLITE_OK if action in allowed or function else sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)


def _unique(names: list[str]) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        plain, number = name, 2
        while name in found:
            name, number = f"{plain}_{number}", number + 1  # noqa: PLW2901
        found[name] = None
    return list(found)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    return value

"""The tables of a database and what is in them, as SQLAlchemy's inspector finds it."""

from __future__ import annotations

from typing import Any

_MOST_TABLES = 1000
_MOST_DESCRIBED = 200


def tables_of(sqlalchemy: Any, connection: Any) -> list[dict[str, Any]]:
    """Name, schema where it is not the usual one, and type of each table and view."""
    inspector = sqlalchemy.inspect(connection)
    found: list[dict[str, Any]] = []
    for schema in (None, *_other_schemas(inspector, connection)):
        place = {"schema": schema} if schema else {}
        tables = sorted(inspector.get_table_names(schema=schema))
        views = sorted(inspector.get_view_names(schema=schema))
        found += [{"name": name, "type": "table", **place} for name in tables]
        found += [{"name": name, "type": "view", **place} for name in views]
    return found[:_MOST_TABLES]


def _other_schemas(inspector: Any, connection: Any) -> list[str]:
    """Only PostgreSQL's are parts of one database."""
    if connection.dialect.name != "postgresql":
        return []
    usual = inspector.default_schema_name
    hidden = ("information_schema", usual)
    return [one for one in inspector.get_schema_names() if one not in hidden]


def schema_of(sqlalchemy: Any, connection: Any, wanted: str | None) -> list[dict[str, Any]]:
    """Columns, keys and indexes of all tables, or of one (`name` or `schema.name`)."""
    found = tables_of(sqlalchemy, connection)
    if wanted is not None:
        found = [one for one in found if wanted in (one["name"], _full_name(one))]
    inspector = sqlalchemy.inspect(connection)
    return [_described(inspector, one) for one in found[:_MOST_DESCRIBED]]


def _full_name(table: dict[str, Any]) -> str:
    return f"{table.get('schema', 'public')}.{table['name']}"


def _described(inspector: Any, table: dict[str, Any]) -> dict[str, Any]:
    name, schema = table["name"], table.get("schema")
    keys = inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or []
    return {
        **table,
        "columns": [_column(one, keys) for one in inspector.get_columns(name, schema=schema)],
        "primary_key": keys,
        "foreign_keys": [
            {
                "columns": one["constrained_columns"],
                "table": one["referred_table"],
                "references": one["referred_columns"],
            }
            for one in inspector.get_foreign_keys(name, schema=schema)
        ],
        "indexes": [
            {"name": one["name"], "columns": one["column_names"], "unique": bool(one["unique"])}
            for one in inspector.get_indexes(name, schema=schema)
        ],
    }


def _column(given: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    default = given.get("default")
    return {
        "name": given["name"],
        "type": str(given["type"]),
        "nullable": bool(given["nullable"]),
        "default": None if default is None else str(default),
        "primary_key": given["name"] in keys,
    }

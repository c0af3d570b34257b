"""Where a database is: a file's path, or an address with its user and options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from llmspell_tools._parameters import wrong
from llmspell_tools.communication._sql import Dialect

_SCHEMES: dict[str, Dialect] = {
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pgsql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
_PORTS = {"postgresql": 5432, "mysql": 3306}
_TLS = ("disable", "require", "verify-full")
MEMORY = ":memory:"


@dataclass(frozen=True, slots=True)
class Place:
    """A database. `tls` is "" where the address does not say."""

    dialect: Dialect
    path: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    tls: str = ""


def place_of(tool: str, name: str, given: str) -> Place:
    """What a parameter names: a path of a SQLite file, or a URL.

    Args:
        tool: the tool, for errors
        name: the parameter, for errors
        given: its value
    """
    scheme, found, rest = given.partition("://")
    if not found:
        return Place("sqlite", path=given)
    # Drivers are named as SQLAlchemy does: postgresql+asyncpg.
    dialect = _SCHEMES.get(scheme.partition("+")[0].strip().lower())
    if dialect is None:
        raise wrong(tool, name, f"must be a sqlite, postgresql or mysql address, not {scheme[:20]}")
    if dialect == "sqlite":
        return Place("sqlite", path=_sqlite_path(tool, name, rest))
    try:
        parts = urlsplit(f"{dialect}://{rest}")
        port = parts.port or _PORTS[dialect]
    except ValueError:
        raise wrong(tool, name, "is no address: check its port and host") from None
    if not parts.hostname:
        raise wrong(tool, name, "needs a host: postgresql://user:password@host/database")
    return Place(
        dialect,
        host=unquote(parts.hostname),
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.removeprefix("/")),
        tls=_tls(tool, name, parts.query),
    )


def _sqlite_path(tool: str, name: str, rest: str) -> str:
    """As SQLAlchemy has it: three slashes before a relative path, four before an absolute one."""
    path, query, _ = rest.partition("?")
    if query:
        raise wrong(tool, name, "takes no options for SQLite")
    path = unquote(path)
    if not path.startswith("/"):
        raise wrong(tool, name, "must be sqlite:///relative/path or sqlite:////absolute/path")
    return path[1:] or MEMORY


def _tls(tool: str, name: str, query: str) -> str:
    given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    tls = str(given.pop("sslmode", "") or given.pop("ssl-mode", ""))
    if given:
        raise wrong(tool, name, f'has the unknown option "{next(iter(given))[:40]}"; sslmode only')
    if tls and tls not in _TLS:
        raise wrong(tool, name, f"must have an sslmode of {', '.join(_TLS)}")
    return tls

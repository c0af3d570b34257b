"""What statements may do: reading, or with leave writing tables, and never more than the data.

The databases enforce that reading is reading. These rules keep statements from what a database
can reach beyond its data: files, programs, other servers, its own settings and users.
"""

from __future__ import annotations

import re

from llmspell_core.errors import PolicyError
from llmspell_tools.communication._sql import READING, Statement

#: What changes data, and by which word `query_type` asks for it.
_WRITING = ("insert", "update", "delete", "merge", "replace", "truncate")
_SCHEMA = ("create", "alter", "drop")
_KINDS = (
    "table", "index", "view", "sequence", "schema", "type", "materialized", "trigger", "column",
)  # fmt: skip
_MODIFIERS = (
    "unique", "temp", "temporary", "or", "replace", "if", "not", "exists", "recursive", "local",
    "global", "unlogged", "virtual", "concurrently", "fulltext", "spatial",
)  # fmt: skip

#: Functions that reach files, programs, other servers or settings, or run text as SQL.
_FUNCTIONS = re.compile(
    r"pg_(read|ls|copy|export|file|logfile|rotate|reload|terminate|cancel|create|drop|switch|promote|log"
    r"|replication|logical|backup|start_backup|stop_backup|wal_replay|current_logfile|stat_file"
    r"|import|execute|sleep|advisory|try_advisory|notify|hba_file|config|stat_reset|get_wal)"
    r"|lo_(import|export|creat|open|unlink|put|get|from_bytea|truncate|lseek)|loread|lowrite"
    r"|dblink|postgres_fdw|crosstab|connectby|xpath_table|query_to_xml|cursor_to_xml|ts_stat"
    r"|ts_rewrite|set_config|load_file|load_extension|fts3_tokenizer|readfile|writefile|edit\Z"
    r"|sys_(exec|eval|get|set)|sleep\Z|benchmark\Z|get_lock|release_lock|release_all_locks"
    r"|master_pos_wait|source_pos_wait"
)
#: Tables and clauses of the same kind.
_NAMES = {
    "postgresql": (
        "pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_file_settings",
        "pg_hba_file_rules", "pg_ident_file_mappings", "pg_largeobject", "pg_config",
    ),
    "mysql": ("outfile", "dumpfile", "infile"),
    "sqlite": (),
}  # fmt: skip
_HINT = "database-connector reads and writes tables, and nothing beyond them"


def check_statement(statement: Statement) -> None:
    """Raise `policy.sql` when a statement reaches beyond the data."""
    verb = statement.verb
    if verb not in (*READING, *_WRITING, *_SCHEMA):
        shown = verb.upper() or "it begins with no verb, and that"
        raise refused(f"{shown} is not allowed")
    if verb == "pragma" and statement.dialect != "sqlite":
        raise refused("PRAGMA is not allowed")
    if verb in _SCHEMA:
        _check_kind(statement)
    for name in statement.functions:
        if _FUNCTIONS.match(name):
            raise refused(f"the function {name[:60]} is not allowed")
    for name in statement.words:
        if name in _NAMES[statement.dialect]:
            raise refused(f"{name.upper()} is not allowed")


def _check_kind(statement: Statement) -> None:
    """CREATE, ALTER and DROP are for tables and what belongs to them."""
    words = [token.text for token in statement.found if token.kind == "word"][1:]
    kind = next((word for word in words if word not in _MODIFIERS), "")
    if kind not in _KINDS or (kind == "trigger" and statement.dialect != "sqlite"):
        raise refused(f"{statement.verb.upper()} {kind.upper()} is not allowed")


def kind_of(statement: Statement) -> str:
    """The word for what it does: `select`, `insert`, `update`, `delete`, `ddl`."""
    if statement.verb in _SCHEMA:
        return "ddl"
    if not statement.writes:
        return "select"
    bare = [token.text for token in statement.found if token.kind == "word"]
    verb = next((word for word in bare if word in _WRITING), statement.verb)
    return {"replace": "insert", "merge": "update", "truncate": "delete"}.get(verb, verb)


def refused(why: str) -> PolicyError:
    """`policy.sql`."""
    return PolicyError(f"this statement is refused: {why}", code="policy.sql", hint=_HINT)

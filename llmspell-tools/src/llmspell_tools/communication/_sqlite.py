"""A connection to a SQLite file that can do no more than the statement may."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from llmspell_tools.communication._database_url import MEMORY

if TYPE_CHECKING:
    import sqlite3

#: Ask now and then whether time is over.
_STEPS = 10_000
_WAIT_S = 5.0
_MOST_VALUE = 16 * 1024 * 1024
#: Numbers of SQLite's limits, and the most of each: its module is imported on first use.
_LIMITS = {
    0: _MOST_VALUE,  # a text or a row
    1: 200_000,  # a statement
    3: 500,  # depth of an expression
    4: 200,  # parts of a compound SELECT
    8: 1000,  # a pattern of LIKE: matched in one step, in time that grows with its square
    11: 0,  # threads
}
#: Numbers of what SQLite asks leave for.
_PRAGMA, _READ, _SELECT, _TRANSACTION = 19, 20, 21, 22
_ATTACH, _DETACH, _CREATE_VTABLE, _DROP_VTABLE, _FUNCTION, _RECURSIVE = 24, 25, 29, 30, 31, 33
_UPDATE = 23
_OK, _DENY = 0, 1
_SETUP = ("PRAGMA trusted_schema = OFF", "PRAGMA foreign_keys = ON", "PRAGMA cache_size = -65536")
_MODULES = ("fts3", "fts4", "fts5", "rtree")
#: Facts about the schema, and checks.
_PRAGMAS = (
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
    "foreign_key_list", "foreign_key_check", "integrity_check", "quick_check", "user_version",
    "schema_version", "application_id", "encoding", "page_count", "page_size", "freelist_count",
    "data_version", "compile_options", "read_uncommitted", "collation_list",
    "function_list", "module_list",
)  # fmt: skip
#: With a value they are set.
_SETTABLE = (
    "user_version",
    "schema_version",
    "application_id",
    "encoding",
    "page_size",
    "read_uncommitted",
)
_FUNCTIONS = ("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit")
_ASKING = (_SELECT, _READ, _TRANSACTION, _RECURSIVE)


@dataclass(slots=True)
class SqliteFile:
    """A file that the gate has let through, or memory.

    `deadline` is in `time.monotonic()` seconds; `thread` is the one that the connection lives in.
    """

    uri: str
    writes: bool
    deadline: float
    stopped: Event = field(default_factory=Event)
    thread: Any = None

    def finish(self) -> None:
        """Stop what runs and wait until its thread, which tells the event loop, is gone."""
        self.stopped.set()
        if self.thread is not None and self.thread.ident is not None:
            self.thread.join(_WAIT_S)

    def connect(self) -> sqlite3.Connection:
        """Open it; called in the thread that the connection lives in."""
        import sqlite3

        if self.uri == MEMORY:
            found = sqlite3.connect(MEMORY, check_same_thread=False)
        else:
            mode = "rwc" if self.writes else "ro"
            found = sqlite3.connect(
                f"{self.uri}?mode={mode}", uri=True, timeout=5, check_same_thread=False
            )
        try:
            self._guard(found)
        except BaseException:
            found.close()
            raise
        return found

    def _guard(self, found: sqlite3.Connection) -> None:
        for name, most in _LIMITS.items():
            found.setlimit(name, most)
        for pragma in (*_SETUP, *(() if self.writes else ("PRAGMA query_only = ON",))):
            found.execute(pragma)
        found.set_progress_handler(self._over, _STEPS)
        found.set_authorizer(self._authorized)

    def _over(self) -> int:
        return int(self.stopped.is_set() or time.monotonic() > self.deadline)

    def _authorized(self, action: int, first: Any, second: Any, *where: Any) -> int:
        allowed = self._may(action, first, second)
        return _OK if allowed else _DENY

    def _may(self, action: int, first: Any, second: Any) -> bool:
        if action in _ASKING:
            return True
        if action == _FUNCTION:
            return str(second).lower() not in _FUNCTIONS
        if action == _PRAGMA:
            name = str(first).lower()
            return name in _PRAGMAS and not (second is not None and name in _SETTABLE)
        if not self.writes:
            # Asked when `json_each` and the like are named first; nothing is updated then.
            return action == _UPDATE and first == "sqlite_master"
        if action in (_CREATE_VTABLE, _DROP_VTABLE):
            return str(second).lower() in _MODULES
        return action not in (_ATTACH, _DETACH)

"""The files of the prelude, compiled once and kept where Python keeps its own byte code.

Compiling takes a tenth of the time in which a worker is ready. A stale or foreign file is not
used: its key holds the size and time of every source and of Lua itself.
"""

from __future__ import annotations

import marshal
import sys

if sys.platform == "win32":  # `os` is not imported by a worker
    from nt import getpid, replace, stat
else:
    from posix import getpid, replace, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Most are loaded when a script first needs them.
FILES = (
    "boot",
    "json",
    "json_base",
    "json_encode",
    "json_decode",
    "errors",
    "limits",
    "tasks",
    "calls",
    "coroutines",
    "scheduler",
    "functions",
    "spelling",
    "results",
    "proxies",
    "objects",
    "streams",
    "text",
    "sandbox",
    "session",
    "async",
    "promises",
    "queues",
    "builders",
    "files",
    "modules",
    "logger",
)

FOLDER = __file__[: -len("compiled.py")] + "prelude/"
COMPILE = b"""
local load, dump, assert = load, string.dump, assert
return function(text, name) return dump(assert(load(text, name, "t")), true) end
"""

_compiled: dict[bytes, bytes] = {}


def prelude(lua: Any, binary: str) -> dict[bytes, bytes]:
    """The compiled files by name; `lua` compiles them, `binary` is the file it came from."""
    if not _compiled:
        key = _key(binary)
        _compiled.update(_kept(key) or _compile(lua, key))
    return _compiled


def sources() -> dict[bytes, bytes]:
    """The files as text."""
    found = {}
    for name in FILES:
        with open(f"{FOLDER}{name}.lua", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            found[name.encode()] = file.read()
    return found


def _cache() -> str:
    return f"{FOLDER}../__pycache__/prelude.{sys.implementation.cache_tag}-{sys.platform}.luac"


def _key(binary: str) -> tuple[tuple[int, int], ...]:
    paths = [f"{FOLDER}{name}.lua" for name in FILES]
    return tuple((found.st_size, found.st_mtime_ns) for found in map(stat, [binary, *paths]))


def _kept(key: tuple[tuple[int, int], ...]) -> dict[bytes, bytes] | None:
    try:
        with open(_cache(), "rb") as file:  # noqa: PTH123 - as above
            found: Any = marshal.load(file)  # noqa: S302 - beside the byte code of this module
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return found[1] if isinstance(found, tuple) and found[0] == key else None


def _compile(lua: Any, key: tuple[tuple[int, int], ...]) -> dict[bytes, bytes]:
    compiler = lua.execute(COMPILE)
    found = {name: compiler(text, b"=llmspell:" + name) for name, text in sources().items()}
    if not sys.dont_write_bytecode:
        _keep((key, found))
    return found


def _keep(value: Any) -> None:
    path = _cache()
    fresh = f"{path}.{getpid()}"
    try:
        with open(fresh, "wb") as file:  # noqa: PTH123 - as above
            marshal.dump(value, file)
        replace(fresh, path)
    except OSError:
        return

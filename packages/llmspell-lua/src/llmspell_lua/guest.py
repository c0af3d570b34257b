"""The Lua engine's guest: one lupa state, and a prelude in Lua that does nearly everything.

The prelude (`prelude/*.lua`) converts values, runs tasks and shows the globals; this module
carries text between it and the `HostChannel`.

Lua strings are bytes here (`encoding=None`): a script may hold any bytes, and lupa would raise
before our code runs on those that are not UTF-8.
"""

from __future__ import annotations

import sys

from llmspell_core.script.compact import compact
from llmspell_core.script.jsontext import dumps
from llmspell_lua.compiled import prelude
from llmspell_lua.link import Budget, Link, error_text, to_bytes
from llmspell_lua.room import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from llmspell_core.script.protocol import HostChannel


def _lua54() -> Any:
    """Lupa's Lua 5.4, imported with this module: a worker can open no files later.

    In a worker its package is entered as a bare folder. What `lupa/__init__` offers is not used
    here, and its `contextlib` would be a tenth of the time in which a worker is ready.
    """
    if "contextlib" not in sys.modules:
        for folder in sys.path:
            package = type(sys)("lupa")
            package.__path__ = [folder + "/lupa"]
            sys.modules["lupa"] = package
            try:
                import lupa.lua54
            except ImportError:
                del sys.modules["lupa"]
            else:
                return lupa.lua54
    import lupa.lua54

    return lupa.lua54


_lua = _lua54()
LuaError, LuaMemoryError, LuaRuntime = _lua.LuaError, _lua.LuaMemoryError, _lua.LuaRuntime


def create(channel: HostChannel, options: dict[str, Any]) -> LuaSession:
    """A new session of the Lua engine."""
    return LuaSession(channel, options)


def _head(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the prelude needs of a global at once; it reads the rest when a script touches it."""
    head: dict[str, Any] = {"text": dumps(manifest)}
    head.update({key: manifest[key] for key in ("name", "aliases", "call") if key in manifest})
    return head


def unanswered(manifests: list[dict[str, Any]]) -> list[str]:
    """Guest methods of these globals that neither the prelude nor `natives` answers."""
    from llmspell_core.script.natives import NATIVES

    session = LuaSession(_Nobody(), {})  # type: ignore[arg-type]
    found = []
    for manifest in filter(None, map(compact, manifests)):
        for method, guest in manifest["guest"].items():
            name = f"{manifest['name']}.{method}"
            known = name in NATIVES or method in manifest["builders"]
            if guest and not known and not session.answers(manifest["name"], method):
                found.append(name)
    session.close()
    return found


class _Nobody:
    """A channel for a session that runs nothing."""

    def call(self, *_: object) -> None: ...


def _refuse(_object: object, _name: object, _setting: bool) -> object:
    raise AttributeError("scripts reach no attributes")


class LuaSession:
    """A `ScriptSession` on lupa."""

    def __init__(self, channel: HostChannel, options: dict[str, Any]) -> None:
        limits = options.get("limits") or {}
        memory = int((limits.get("memory_mb") or 0) * (1 << 20)) or None
        self._budget = Budget(limits)
        self._lua: Any = LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_refuse,
            max_memory=memory,
        )
        self._room = Room(self._lua, memory, self._budget)
        self._link = Link(channel, self._budget, self._room)
        self._open = self._link.open
        self._queue: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._running = False
        self._idle = True
        self._busy = False
        self._broken: str | None = None
        self._api = self._boot(options)

    def _boot(self, options: dict[str, Any]) -> dict[str, Any]:
        lua = self._lua
        files = prelude(lua, _lua.__file__)
        given = self._room.given
        functions = {**self._link.functions(), b"file": lambda name: given(files.get(name))}
        plain = {key: value for key, value in options.items() if value is not None}
        plain["globals"] = [_head(one) for one in map(compact, options.get("globals") or ()) if one]
        plain.setdefault("limits", {})
        load = lua.execute(
            b"local load, assert = load, assert return function(file, ...) "
            b"return assert(load(file, '=llmspell', 'b'))(...) end"
        )
        api = load(files[b"boot"], lua.table_from(functions), dumps(plain).encode())
        # Fetched now: inside a callback under a coroutine, lupa's table[key] returns a tuple.
        names = ("run", "invoke", "answer", "cancel", "release", "stop", "turn", "answers")
        return {name: api[name.encode()] for name in names}

    # -- ScriptSession -----------------------------------------------------------------------

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        self._open.add(call_id)
        self._busy = True
        self._budget.reset()
        self._enter("run", call_id, to_bytes(source), to_bytes(name), mode.encode())

    def invoke(self, call_id: int, function: int, args: str) -> None:
        self._open.add(call_id)
        self._busy = True
        self._enter("invoke", call_id, function, to_bytes(args))

    def answer(self, call_id: int, ok: bool, value: str) -> None:
        self._enter("answer", call_id, ok, to_bytes(value))

    def cancel(self, call_id: int) -> None:
        if call_id in self._open:
            self._enter("cancel", call_id)

    def release(self, functions: list[int]) -> None:
        for function in functions:
            self._enter("release", function, 1)

    def interrupt(self, code: str, message: str) -> None:
        """End the script at once, or at its next look while it runs (then from any thread)."""
        self._budget.stop = code
        if not self._running:
            self._enter("stop", code.encode(), to_bytes(message))

    def idle(self) -> bool:
        return self._idle and not self._running and not self._open

    def close(self) -> None:
        self._open.clear()
        self._broken = self._broken or error_text("script.closed", "the session is closed")
        if self._running:
            self._budget.stop = "script.closed"
            return
        self._queue.clear()
        self._api.clear()
        self._lua = None

    def answers(self, name: str, method: str) -> bool:
        """Whether the prelude has this guest method."""
        return bool(self._api["answers"](name.encode(), method.encode()))

    # -- turns -------------------------------------------------------------------------------

    def _enter(self, name: str, *args: Any) -> None:
        """Run the engine until every task waits; what comes in meanwhile waits for its turn."""
        if self._broken:
            self._fail_open()
            return
        self._queue.append((self._api[name], args))
        if self._running:
            return
        self._running = True
        self._budget.start()
        try:
            while self._queue:
                function, given = self._queue.pop(0)
                self._room.make(sum(len(one) for one in given if type(one) is bytes))
                idle = function(*given)
                if idle is not None:
                    self._idle = idle
        except (LuaError, LuaMemoryError, MemoryError) as error:
            self._break(error)
        finally:
            self._budget.pause()
            self._running = False
        self._after()

    def _after(self) -> None:
        if self._broken:
            self._fail_open()
            self.close()
        if self._busy and self.idle():
            self._busy = False
            self._link.channel.idle()
        if self._link.interrupted is not None:
            error, self._link.interrupted = self._link.interrupted, None
            raise error

    def _break(self, error: BaseException) -> None:
        """The prelude itself could not go on: nearly always no memory is left."""
        memory = isinstance(error, MemoryError) or "not enough memory" in str(error)
        if memory:
            self._broken = error_text("script.memory_limit", "the script used up its memory")
        else:
            self._broken = error_text("script.crashed", f"the engine failed: {error}")

    def _fail_open(self) -> None:
        failed = [*self._open]
        self._open.clear()
        self._idle = True
        for call_id in failed:
            self._link.channel.done(call_id, False, self._broken or "{}")

"""The Lua engine's guest: one lupa state, and a prelude in Lua that does nearly everything.

The prelude (`prelude/*.lua`) converts values, runs tasks and shows the globals; this module
carries text between it and the `HostChannel`. Functions handed to Lua take and return only
bytes, numbers, booleans and None, stay upvalues of the prelude, and never raise: an exception
would arrive in the script as a Python object.

Lua strings are bytes here (`encoding=None`): a script may hold any bytes, and lupa would raise
before our code runs on those that are not UTF-8.
"""

from __future__ import annotations

import sys
import time

from llmspell_core.script.compact import compact
from llmspell_core.script.jsontext import dumps

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

#: Instructions between two calls of `_tick`; the prelude's STEP.
STEP = 100_000
#: How long output may wait while a script computes.
HOUSEKEEPING_S = 0.02

#: The files of the prelude; most are loaded when a script first needs them.
PRELUDE = (
    "boot",
    "json",
    "errors",
    "scheduler",
    "functions",
    "objects",
    "streams",
    "text",
    "sandbox",
    "session",
    "async",
    "files",
    "logger",
)

_sources: dict[bytes, bytes] = {}
_compiled: dict[bytes, bytes] = {}


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


def _read_prelude() -> dict[bytes, bytes]:
    """Its files, all at once: later a sandboxed worker can open none."""
    folder = __file__[: -len("guest.py")] + "prelude/"
    found = {}
    for name in PRELUDE:
        with open(f"{folder}{name}.lua", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            found[name.encode()] = file.read()
    return found


def _bytes(text: str) -> bytes:
    # Lone surrogates stand for bytes that were no UTF-8 (file names, arguments).
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _error(code: str, message: str) -> str:
    return dumps({"code": code, "message": message, "retryable": False})


class LuaSession:
    """A `ScriptSession` on lupa."""

    def __init__(self, channel: HostChannel, options: dict[str, Any]) -> None:
        limits = options.get("limits") or {}
        memory = int((limits.get("memory_mb") or 0) * (1 << 20)) or None
        self._channel = channel
        self._budget = _Budget(limits)
        self._decode = _Decoders()
        self._lua: Any = LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_refuse,
            max_memory=memory,
        )
        self._open: set[int] = set()
        self._queue: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self._running = False
        self._idle = True
        self._busy = False
        self._broken: str | None = None
        self._interrupted: BaseException | None = None
        self._api = self._boot(options)

    def _boot(self, options: dict[str, Any]) -> dict[str, Any]:
        if not _sources:
            _sources.update(_read_prelude())
        lua = self._lua
        functions = _HostFunctions(self).table()
        plain = {key: value for key, value in options.items() if value is not None}
        plain["globals"] = [_head(one) for one in map(compact, options.get("globals") or ()) if one]
        plain.setdefault("limits", {})
        load = lua.execute(
            b"local load, assert = load, assert return function(text, ...) "
            b"return assert(load(text, '=llmspell', 't'))(...) end"
        )
        api = load(_sources[b"boot"], lua.table_from(functions), dumps(plain).encode())
        # Fetched now: inside a callback under a coroutine, lupa's table[key] returns a tuple.
        names = ("run", "invoke", "answer", "cancel", "release", "stop", "turn", "answers")
        return {name: api[name.encode()] for name in names}

    # -- ScriptSession -----------------------------------------------------------------------

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        self._open.add(call_id)
        self._busy = True
        self._budget.reset()
        self._enter("run", call_id, _bytes(source), _bytes(name), mode.encode())

    def invoke(self, call_id: int, function: int, args: str) -> None:
        self._open.add(call_id)
        self._busy = True
        self._enter("invoke", call_id, function, _bytes(args))

    def answer(self, call_id: int, ok: bool, value: str) -> None:
        self._enter("answer", call_id, ok, _bytes(value))

    def cancel(self, call_id: int) -> None:
        if call_id in self._open:
            self._enter("cancel", call_id)

    def release(self, functions: list[int]) -> None:
        for function in functions:
            self._enter("release", function, 1)

    def interrupt(self, code: str, message: str) -> None:
        """End the script from any thread: at once when it waits, else at its next look."""
        self._budget.stop = code
        if not self._running:
            self._enter("stop", code.encode(), _bytes(message))

    def idle(self) -> bool:
        return self._idle and not self._running and not self._open

    def close(self) -> None:
        self._open.clear()
        self._broken = self._broken or _error("script.closed", "the session is closed")
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
            self._channel.idle()
        if self._interrupted is not None:
            error, self._interrupted = self._interrupted, None
            raise error

    def _break(self, error: BaseException) -> None:
        """The prelude itself could not go on: nearly always no memory is left."""
        memory = isinstance(error, MemoryError) or "not enough memory" in str(error)
        if memory:
            self._broken = _error("script.memory_limit", "the script used up its memory")
        else:
            self._broken = _error("script.crashed", f"the engine failed: {error}")

    def _fail_open(self) -> None:
        failed, self._open = self._open, set()
        self._idle = True
        for call_id in failed:
            self._channel.done(call_id, False, self._broken or "{}")


class _Budget:
    """CPU time and instructions: what the count hook asks."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._cpu = limits.get("cpu_s") or 0
        self._instructions = limits.get("instructions") or 0
        self._used = 0.0
        self._began = 0.0
        self._count = 0
        self._kept = 0.0
        self.stop: str | None = None

    def reset(self) -> None:
        """Each run has the whole budget: a session may serve many, as in a REPL."""
        self._used, self._count = 0.0, 0

    def start(self) -> None:
        self._began = time.thread_time()
        self._kept = time.monotonic()

    def pause(self) -> None:
        self._used += time.thread_time() - self._began

    def tick(self) -> bytes | bool | None:
        """None, True when output has waited long enough, or why the script must end."""
        if self.stop:
            return self.stop.encode()
        self._count += STEP
        if self._instructions and self._count > self._instructions:
            return b"script.instructions_limit"
        if self._cpu and self._used + time.thread_time() - self._began > self._cpu:
            return b"script.cpu_limit"
        now = time.monotonic()
        if now - self._kept > HOUSEKEEPING_S:
            self._kept = now
            return True
        return None


class _Decoders:
    """Output as text: characters cut between two blocks are kept for the next."""

    def __init__(self) -> None:
        self._rest: dict[str, bytes] = {}

    def text(self, stream: str, data: bytes) -> str:
        data = self._rest.pop(stream, b"") + data
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            # An incomplete character at the very end; bytes that are none stay what they are.
            if error.reason == "unexpected end of data" and len(data) - error.start < 4:  # noqa: PLR2004
                self._rest[stream] = data[error.start :]
                data = data[: error.start]
            return data.decode("utf-8", "surrogateescape")


class _HostFunctions:
    """The functions that the prelude gets, by name."""

    def __init__(self, session: LuaSession) -> None:
        self._session = session
        self._names: dict[bytes, str] = {}

    def table(self) -> dict[bytes, Callable[..., Any]]:
        plain = ("cancel", "done", "write", "log", "drop", "unhandled", "at")
        return {
            b"call": self._call(),
            b"tick": self._session._budget.tick,
            b"clock": lambda: time.monotonic() * 1000,
            b"fetch": self._fetch,
            b"keep": self._keep,
            b"native": self._native,
            b"base64": _base64,
            b"unbase64": _unbase64,
            **{name.encode(): self._safe(getattr(self, f"_{name}")) for name in plain},
        }

    def _call(self) -> Callable[..., Any]:
        session, names = self._session, self._names
        channel_call = session._channel.call

        def name_of(data: bytes) -> str:
            if len(names) > 1000:  # noqa: PLR2004
                names.clear()
            name = names[data] = data.decode("utf-8", "replace")
            return name

        def call(call_id: int, target: Any, method: bytes, args: bytes, origin: int) -> Any:
            try:
                if type(target) is bytes:
                    target = names.get(target) or name_of(target)
                answer = channel_call(
                    call_id, target, names.get(method) or name_of(method), args.decode(), origin
                )
                if answer is None:
                    return None
                ok, text = answer
                try:
                    return ok, text.encode()
                except UnicodeEncodeError:
                    return ok, _bytes(text)
            except BaseException as error:  # noqa: BLE001 - nothing may be raised into Lua
                return False, self._caught(error)

        return call

    def _caught(self, error: BaseException) -> bytes:
        if not isinstance(error, Exception):
            self._session._interrupted = error
            self._session._budget.stop = "script.interrupted"
        return _error("internal", f"{type(error).__name__}: {error}").encode()

    def _safe(self, function: Callable[..., None]) -> Callable[..., None]:
        def safe(*args: Any) -> None:
            try:
                function(*args)
            except BaseException as error:  # noqa: BLE001 - as above
                self._caught(error)

        return safe

    def _cancel(self, call_id: int) -> None:
        self._session._channel.cancel(call_id)

    def _done(self, call_id: int, ok: bool, value: bytes) -> None:
        session = self._session
        if call_id in session._open:
            session._open.discard(call_id)
            session._channel.done(call_id, ok, value.decode("utf-8", "replace"))

    def _write(self, stream: bytes, data: bytes) -> None:
        name = stream.decode()
        text = self._session._decode.text(name, data)
        if text:
            self._session._channel.write(name, text)

    def _log(self, records: bytes) -> None:
        self._session._channel.log(records.decode("utf-8", "replace"))

    def _drop(self, handles: bytes) -> None:
        self._session._channel.drop([int(one) for one in handles[1:-1].split(b",") if one])

    def _unhandled(self, error: bytes) -> None:
        self._session._channel.unhandled(error.decode("utf-8", "replace"))

    def _at(self, place: bytes | None) -> None:
        """The script computes for long: a carrier may pass its output on, and where it is."""
        busy = getattr(self._session._channel, "busy", None)
        if busy is not None:
            busy(place.decode("utf-8", "replace") if place else "")

    @staticmethod
    def _fetch(name: bytes) -> tuple[bytes, bool]:
        found = _compiled.get(name)
        return (found, True) if found is not None else (_sources[name], False)

    @staticmethod
    def _keep(name: bytes, compiled: bytes) -> None:
        _compiled[name] = compiled

    def _native(self, name: bytes, args: bytes) -> Any:
        try:
            from llmspell_core.script.natives import native

            ok, text = native(name.decode(), args.decode())
            return ok, text.encode()
        except BaseException as error:  # noqa: BLE001 - as above
            return False, self._caught(error)


def _base64(data: bytes) -> bytes:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False)


def _unbase64(text: bytes) -> bytes:
    from binascii import a2b_base64

    try:
        return a2b_base64(text)
    except ValueError:
        return b""

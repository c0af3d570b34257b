"""The Duktape engine's guest: one context, and a prelude in JavaScript that does nearly everything.

The prelude (`prelude/*.js`) converts values, runs tasks and shows the globals; this module carries
text between it and the `HostChannel`. One function stands between the two, of a text and with a
text as its value: JavaScript never calls Python, which fails inside its threads, and never holds
an object of Python's.
"""

from __future__ import annotations

import sys

from llmspell_core.script.compact import compact
from llmspell_core.script.jsontext import dumps, loads
from llmspell_duktape.limits import hold
from llmspell_duktape.prelude import bootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from llmspell_core.script.protocol import HostChannel


def _pyduktape2() -> Any:
    """Pyduktape2, imported with this module: a worker can open no files later.

    It would format the exceptions of Python functions that JavaScript calls, of which there are
    none: what it imports for that is half the time that the import takes.
    """
    if "traceback" in sys.modules:
        import pyduktape2

        return pyduktape2
    sys.modules["traceback"] = type(sys)("traceback")
    try:
        import pyduktape2
    finally:
        del sys.modules["traceback"]
    return pyduktape2


_duktape = _pyduktape2()

#: What a worker has made ready before it knows its session; in another process nothing.
_prepared: list[tuple[Any, Callable[[str], str]]] = []


def create(channel: HostChannel, options: dict[str, Any]) -> DuktapeSession:
    """A new session of the Duktape engine."""
    if not _prepared:
        return DuktapeSession(channel, options)
    session = DuktapeSession(channel, options, _prepared.pop())
    # A worker is its session's alone, and may be bounded for ever.
    hold(options)
    return session


def preload() -> None:
    """Called in a worker while its host is still starting, and before files are out of reach."""
    _decoded("=")  # what it imports
    _prepared.append(_engine())


def _engine() -> tuple[Any, Callable[[str], str]]:
    """A context with the prelude in it, and the function that serves a session."""
    text, late = bootstrap()
    context: Any = _duktape.DuktapeContext()
    step: Callable[[str], str] = context.eval_js(text)
    step(late)
    return context, step


def unanswered(manifests: list[dict[str, Any]]) -> list[str]:
    """Guest methods of these globals that neither the prelude nor `natives` answers."""
    from llmspell_core.script.natives import NATIVES

    session = DuktapeSession(_Nobody(), {})  # type: ignore[arg-type]
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


def _error(code: str, message: str) -> str:
    return dumps({"code": code, "message": message, "retryable": False})


def _head(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the prelude needs of a global at once; it reads the rest when a script touches it."""
    head: dict[str, Any] = {"text": dumps(manifest)}
    head.update({key: manifest[key] for key in ("name", "aliases", "call") if key in manifest})
    return head


class DuktapeSession:
    """A `ScriptSession` on Duktape."""

    def __init__(
        self,
        channel: HostChannel,
        options: dict[str, Any],
        engine: tuple[Any, Callable[[str], str]] | None = None,
    ) -> None:
        self._channel = channel
        self._open: set[int] = set()
        self._queue: list[str] = []
        self._running = False
        self._idle = True
        self._busy = False
        self._broken: str | None = None
        self._context, self._step = engine or _engine()
        plain = {key: value for key, value in options.items() if value is not None}
        plain["globals"] = [_head(one) for one in map(compact, options.get("globals") or ()) if one]
        self._enter("boot", plain)

    # -- ScriptSession -----------------------------------------------------------------------

    def run(self, call_id: int, source: str, name: str, mode: str) -> None:
        self._start(call_id)
        self._enter("run", call_id, source, name, mode)

    def invoke(self, call_id: int, function: int, args: str) -> None:
        self._start(call_id)
        self._enter("invoke", call_id, function, args)

    def answer(self, call_id: int, ok: bool, value: str) -> None:
        self._enter("answer", call_id, ok, value)

    def cancel(self, call_id: int) -> None:
        if call_id in self._open:
            self._enter("cancel", call_id)

    def release(self, functions: list[int]) -> None:
        for function in functions:
            self._enter("release", function)

    def interrupt(self, code: str, message: str) -> None:
        """End the script, once it is not running: a running one can only be killed."""
        self._enter("stop", code, message)

    def idle(self) -> bool:
        return self._idle and not self._running and not self._open

    def close(self) -> None:
        self._open.clear()
        self._queue.clear()
        self._broken = self._broken or _error("script.closed", "the session is closed")
        self._context = None

    def answers(self, name: str, method: str) -> bool:
        """Whether the prelude has this guest method."""
        return self._step(dumps(["answers", name, method])) == "1"

    # -- turns -------------------------------------------------------------------------------

    def _start(self, call_id: int) -> None:
        self._open.add(call_id)
        self._busy = True

    def _enter(self, *operation: object) -> None:
        """Run the engine until every task waits; what comes in meanwhile waits for its turn."""
        if self._broken is not None:
            self._fail_open()
            return
        self._queue.append(dumps(operation))
        if self._running:
            return
        self._running = True
        try:
            while self._queue and self._broken is None:
                self._turn(self._queue.pop(0))
        finally:
            self._running = False
        if self._broken is not None:
            self._fail_open()
        if self._busy and self.idle():
            self._busy = False
            self._channel.idle()

    def _turn(self, given: str | None) -> None:
        while given is not None and self._broken is None:
            try:
                text = self._step(given)
            except _duktape.JSError:
                # Not even the prelude's last `catch` could run: nearly always memory is gone.
                raise MemoryError from None
            given = self._read(_decoded(text))

    def _read(self, text: str) -> str | None:
        """Do what the prelude asks; what it is to be told next, if anything."""
        if text.startswith("!"):
            self._broken = text[1:]
            return None
        *lines, mark = text.split("\n")
        for line in lines:
            kind, _, rest = line.partition("\t")
            if kind == "n":
                return self._native(rest)
            self._HANDLERS[kind](self, rest)
        if mark:
            self._idle = mark == "_"
        return '["go"]' if mark == "+" else None

    def _native(self, line: str) -> str:
        from llmspell_core.script.natives import native

        name, _, args = line.partition("\t")
        return dumps(["native", *native(name, args)])

    def _call(self, line: str) -> None:
        number, target, method, origin, args = line.split("\t", 4)
        at: Any = loads(target)
        answer = self._channel.call(int(number), at, method, args, int(origin))
        if answer is not None:
            self._queue.append(dumps(["answer", int(number), *answer]))

    def _done(self, line: str) -> None:
        number, ok, value = line.split("\t", 2)
        if int(number) in self._open:
            self._open.discard(int(number))
            self._channel.done(int(number), ok == "1", value)

    def _write(self, line: str) -> None:
        stream, text = line.split("\t", 1)
        self._channel.write(stream, str(loads(text)))

    def _drop(self, line: str) -> None:
        handles: Any = loads(line)
        self._channel.drop(handles)

    def _at(self, place: str) -> None:
        """The script computes for long: a carrier may pass on its output, and where it is."""
        busy = getattr(self._channel, "busy", None)
        if busy is not None:
            busy(place)

    _HANDLERS: dict[str, Callable[[DuktapeSession, str], None]] = {  # noqa: RUF012 - a table
        "h": _call,
        "c": lambda self, line: self._channel.cancel(int(line)),
        "R": _done,
        "w": _write,
        "L": lambda self, line: self._channel.log(line),
        "D": _drop,
        "U": lambda self, line: self._channel.unhandled(line),
        "b": _at,
    }

    def _fail_open(self) -> None:
        failed = [*self._open]
        self._open.clear()
        self._idle = True
        for call_id in failed:
            self._channel.done(call_id, False, self._broken or "{}")


def _decoded(text: str) -> str:
    """Text of the engine: ASCII as it is, anything else as the bytes that the engine keeps."""
    if not text.startswith("="):
        return text
    from binascii import a2b_base64

    # Characters beyond 16 bits are pairs of halves to the engine, and a half may stand alone.
    halves = a2b_base64(text[1:]).decode("utf-8", "surrogatepass")
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

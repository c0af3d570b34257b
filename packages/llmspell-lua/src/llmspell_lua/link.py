"""What the prelude calls: the host's functions, the budget, output as text.

Functions handed to Lua take and return only bytes, numbers, booleans and None, and never raise:
an exception would arrive in the script as a Python object.
"""

from __future__ import annotations

import time

from llmspell_core.script.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from llmspell_core.script.protocol import HostChannel
    from llmspell_lua.room import Room

#: Instructions between two calls of `Budget.tick`; the STEP of limits.lua.
STEP = 100_000
#: How long output may wait while a script computes.
HOUSEKEEPING_S = 0.02
#: Names of targets and methods kept as text.
NAMES = 1000


def to_bytes(text: str) -> bytes:
    """Text for Lua. Lone surrogates, which are no UTF-8, stay recognizable."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def error_text(code: str, message: str) -> str:
    """An error's fields as JSON text."""
    return dumps({"code": code, "message": message, "retryable": False})


class Budget:
    """CPU time and instructions of a run: what the count hook asks."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._cpu = limits.get("cpu_s") or 0
        self._instructions = limits.get("instructions") or 0
        self._used = 0.0
        self._began = 0.0
        self._count = 0
        self._kept = 0.0
        #: Set from outside, on any thread: the code with which the script must end.
        self.stop: str | None = None

    def reset(self) -> None:
        """Each run has the whole budget: a session may serve many, as in a REPL."""
        self._used, self._count = 0.0, 0

    def start(self) -> None:
        """The engine runs from now on."""
        if self._cpu:  # asking twice a turn is a tenth of a call that suspends
            self._began = time.thread_time()
        self._kept = time.monotonic()

    def pause(self) -> None:
        """The engine waits."""
        if self._cpu:
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


class Link:
    """Between one Lua state and its channel."""

    def __init__(self, channel: HostChannel, budget: Budget, room: Room) -> None:
        self.channel = channel
        self.budget = budget
        self._given = room.given
        #: Runs and invocations that the host waits for.
        self.open: set[int] = set()
        #: What ended a host function and must not be lost: KeyboardInterrupt, SystemExit.
        self.interrupted: BaseException | None = None
        self._names: dict[bytes, str] = {}
        self._cut: dict[str, bytes] = {}

    def functions(self) -> dict[bytes, Callable[..., Any]]:
        """The functions of the prelude's table `host`."""
        safe = ("cancel", "done", "write", "log", "drop", "unhandled", "at")
        given, tick = self._given, self.budget.tick
        return {
            b"call": self._call(),
            b"tick": lambda: given(tick()),
            b"clock": lambda: time.monotonic() * 1000,
            b"native": lambda name, args: given(self._native(name, args)),
            b"base64": lambda data: given(_base64(data)),
            b"unbase64": lambda text: given(_unbase64(text)),
            **{name.encode(): self._safe(getattr(self, f"_{name}")) for name in safe},
        }

    def _call(self) -> Callable[..., Any]:
        names, channel_call, given = self._names, self.channel.call, self._given

        def name_of(data: bytes) -> str:
            if len(names) > NAMES:
                names.clear()
            name = names[data] = data.decode("utf-8", "replace")
            return name

        def call(call_id: int, target: Any, method: bytes, args: bytes, origin: int) -> Any:
            try:
                if type(target) is bytes:
                    target = names.get(target) or name_of(target)
                name = names.get(method) or name_of(method)
                answer = channel_call(call_id, target, name, args.decode(), origin)
                if answer is None:
                    return None
                return given((answer[0], to_bytes(answer[1])))
            except BaseException as error:  # noqa: BLE001 - nothing may be raised into Lua
                return given((False, self._caught(error)))

        return call

    def _caught(self, error: BaseException) -> bytes:
        if not isinstance(error, Exception):
            self.interrupted = error
            self.budget.stop = "script.interrupted"
        return error_text("internal", f"{type(error).__name__}: {error}").encode()

    def _safe(self, function: Callable[..., None]) -> Callable[..., None]:
        def safe(*args: Any) -> None:
            try:
                function(*args)
            except BaseException as error:  # noqa: BLE001 - as above
                self._caught(error)

        return safe

    def _cancel(self, call_id: int) -> None:
        self.channel.cancel(call_id)

    def _done(self, call_id: int, ok: bool, value: bytes) -> None:
        self._flush_cut()
        if call_id in self.open:
            self.open.discard(call_id)
            self.channel.done(call_id, ok, value.decode("utf-8", "replace"))

    def _write(self, stream: bytes, data: bytes) -> None:
        """Output as text; a character cut between two blocks waits for the next."""
        name = stream.decode()
        data = self._cut.pop(name, b"") + data
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                self._cut[name] = data[error.start :]
                data = data[: error.start]
            # Bytes that are no characters stay what they are.
            text = data.decode("utf-8", "surrogateescape")
        if text:
            self.channel.write(name, text)

    def _flush_cut(self) -> None:
        while self._cut:
            name, data = self._cut.popitem()
            self.channel.write(name, data.decode("utf-8", "surrogateescape"))

    def _log(self, records: bytes) -> None:
        self.channel.log(records.decode("utf-8", "replace"))

    def _drop(self, handles: bytes) -> None:
        self.channel.drop([int(one) for one in handles[1:-1].split(b",") if one])

    def _unhandled(self, error: bytes) -> None:
        self.channel.unhandled(error.decode("utf-8", "replace"))

    def _at(self, place: bytes | None) -> None:
        """The script computes for long: a carrier may pass on its output, and where it is."""
        busy = getattr(self.channel, "busy", None)
        if busy is not None:
            busy(place.decode("utf-8", "replace") if place else "")

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

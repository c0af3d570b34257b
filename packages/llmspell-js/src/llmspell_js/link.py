"""Between the prelude's lines of text and the `HostChannel`: see calls.js for the lines."""

from __future__ import annotations

from llmspell_core.script.jsontext import dumps, loads
from llmspell_core.script.natives import native
from llmspell_js.budget import MESSAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from llmspell_core.script.protocol import HostChannel

#: Characters handed over at once: frames of a worker are bounded.
LARGEST = 1 << 20
#: How the fields of an error begin that is null.
_NULL = '{"message":"null","code":"script.error"'
#: What is in those of an error that could not be described, and of a deadlock.
_LOST = (
    '"details":{"lost":"null"}',
    '"message":"an error that cannot be described"',
    '"code":"async.deadlock"',
)


def error_text(code: str, message: str, **more: Any) -> str:
    """An error's fields as JSON text."""
    return dumps({"code": code, "message": message, "retryable": False, **more})


def no_error_left(text: str) -> bool:
    """Whether these fields may be all that an engine without memory could say."""
    return text.startswith(_NULL) or any(one in text for one in _LOST)


def passable(text: str) -> str:
    """JSON text as the wrapper can pass it on: half pairs of surrogates are escaped."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def writable(text: str) -> str:
    """Text for a stream: half pairs are replaced, but for what stands for bytes of a file."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        kept = ("\udc80", "\udcff")
        return "".join(
            "\ufffd" if "\ud800" <= c <= "\udfff" and not kept[0] <= c <= kept[1] else c
            for c in text
        )
    return text


class Link:
    """Takes lines; what the host answered at once is in `answers`.

    Args:
        channel: the host
        memory_is_short: whether an error that is null means that there is no memory for one
    """

    def __init__(self, channel: HostChannel, memory_is_short: Callable[[], bool]) -> None:
        self.channel = channel
        self.memory_is_short = memory_is_short
        #: Runs and invocations that the host waits for.
        self.open: set[int] = set()
        #: Calls without answer.
        self.pending: set[int] = set()
        self.answers: list[tuple[int, bool, str]] = []
        #: What ended a host function and must not be lost: KeyboardInterrupt, SystemExit.
        self.interrupted: BaseException | None = None
        #: An error after which nothing of the script may run; the host has been told of it.
        self.fatal: str | None = None
        self._targets: dict[str, str | int] = {}
        self._dropped: list[int] = []
        #: Lines that came while the script computed: they wait for the end of the turn.
        self.held: list[str] = []

    def take(self, lines: str) -> None:
        """Handle the lines of a turn."""
        if self.held:
            held, self.held = self.held, []
            for line in held:
                self._line(line)
        for line in lines.split("\n"):
            if line:
                self._line(line)
        if self._dropped:
            dropped, self._dropped = self._dropped, []
            self._safe(self.channel.drop, dropped)

    def take_text(self, lines: str) -> None:
        """Handle output while the script computes; the rest waits for the end of the turn."""
        for line in lines.split("\n"):
            if line[:1] in ("w", "L"):
                self._line(line)
            elif line:
                self.held.append(line)

    def _line(self, line: str) -> None:
        kind = line[0]
        if kind == "h":
            self._call(line)
            return
        _, rest = line.split("\t", 1)
        if kind == "w":
            stream, text = rest.split("\t", 1)
            self._write(stream, loads(text))
        elif kind == "R":
            call_id, ok, text = rest.split("\t", 2)
            self._done(int(call_id), ok == "1", text)
        elif kind == "c":
            self.pending.discard(int(rest))
            self._safe(self.channel.cancel, int(rest))
        elif kind == "D":
            self._dropped.append(int(rest))
        elif kind == "L":
            self._safe(self.channel.log, rest)
        elif kind == "U":
            self._safe(self.channel.unhandled, self._note_fatal(rest))
        elif kind == "X":
            self.fatal = exit_text(rest)

    def _call(self, line: str) -> None:
        _, number, wire, method, origin, args = line.split("\t", 5)
        call_id = int(number)
        target = self._targets.get(wire)
        if target is None:
            if len(self._targets) > 1000:  # noqa: PLR2004 - names kept
                self._targets.clear()
            target = self._targets[wire] = loads(wire)
        try:
            answer = self.channel.call(call_id, target, method, args, int(origin))
        except BaseException as error:  # noqa: BLE001 - the host's own failure is an answer too
            answer = False, self.caught(error)
        if answer is None:
            self.pending.add(call_id)
        else:
            self.answers.append((call_id, *answer))

    def _write(self, stream: str, text: str) -> None:
        text = writable(text)
        for start in range(0, len(text), LARGEST):
            self._safe(self.channel.write, stream, text[start : start + LARGEST])

    def _done(self, call_id: int, ok: bool, text: str) -> None:
        if not ok:
            text = self._note_fatal(text)
        if call_id in self.open:
            self.open.discard(call_id)
            self._safe(self.channel.done, call_id, ok, text)

    def _note_fatal(self, text: str) -> str:
        """An error's fields, as they are to be told; notes one that ends the script."""
        if no_error_left(text) and self.memory_is_short():
            # Not even an error could be made of it, or what was to go on could not be kept.
            text = error_text("script.memory_limit", MESSAGES["script.memory_limit"])
        if '"script.memory_limit"' in text:
            found: Any = loads(text)
            if found.get("code") == "script.memory_limit":
                self.fatal = text
        return text

    def fail_all(self, text: str) -> bool:
        """The script is over: whoever waits gets the reason. Whether anybody did."""
        pending, opened = [*self.pending], [*self.open]
        self.pending.clear()
        self.open.clear()
        for call_id in pending:
            self._safe(self.channel.cancel, call_id)
        for call_id in opened:
            self._safe(self.channel.done, call_id, False, text)
        return bool(opened)

    def native(self, request: str) -> tuple[bool, str]:
        """Answer what a guest method has asked: its name, a line end, its arguments."""
        name, _, args = request.partition("\n")
        try:
            return native(name, args)
        except BaseException as error:  # noqa: BLE001 - as above
            return False, self.caught(error)

    def busy(self, place: str) -> None:
        """The script computes for long: a carrier may pass on its output, and where it is."""
        busy = getattr(self.channel, "busy", None)
        if busy is not None:
            self._safe(busy, place)

    def _safe(self, function: Any, *args: Any) -> None:
        try:
            function(*args)
        except BaseException as error:  # noqa: BLE001 - nothing may be raised into an engine
            self.caught(error)

    def caught(self, error: BaseException) -> str:
        """Keep what must not be lost; the error's fields as JSON text."""
        if not isinstance(error, Exception):
            self.interrupted = error
        return error_text("internal", f"{type(error).__name__}: {error}")


def exit_text(code: str) -> str:
    """The error of a script that ended itself."""
    message = "the script called process.exit"
    return error_text("script.exit", message, details={"code": int(code)})

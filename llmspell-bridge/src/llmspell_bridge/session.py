"""`HostSession`: the host's half of one script run. It implements the engine's HostChannel.

Nothing here may raise into the engine, and no method of the guest but `interrupt` is called
while the guest is inside one of ours: what the host wants of it is queued and sent from the
event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from llmspell_bridge.calls import HostCalls, SessionLimits
from llmspell_bridge.decoding import decode
from llmspell_bridge.dispatch import Dispatcher, Internal
from llmspell_bridge.guest_errors import FATAL, again, script_error
from llmspell_bridge.handles import HandleTable
from llmspell_bridge.invocations import UNWIND_S, Invocations
from llmspell_bridge.limits import WallClock
from llmspell_bridge.values import encode
from llmspell_core.context import _current, computing
from llmspell_core.errors import LLMSpellError, ScriptError
from llmspell_core.script.protocol import Answer, ScriptSession

if TYPE_CHECKING:
    from llmspell_bridge.streams import Streams
    from llmspell_core.context import ExecutionContext

log = logging.getLogger("llmspell.script")

#: Engines that do not tell when they are idle are asked again, less and less often.
IDLE_POLL_S = (0.01, 0.25)

MAX_REPORTS = 100


class Report:
    """What a session has to tell beside its value: the first errors nobody handled, and more."""

    def __init__(self) -> None:
        self.unhandled: list[LLMSpellError] = []
        self.unhandled_more = 0


class HostSession:
    """One script, from start to close. `attach` gives it the guest's side."""

    def __init__(
        self,
        ctx: ExecutionContext,
        streams: Streams,
        *,
        allowed: frozenset[str],
        internal: dict[str, Internal],
        limits: SessionLimits | None = None,
    ) -> None:
        self.ctx = ctx
        self.report = Report()
        self.ended: LLMSpellError | None = None
        #: Called now and then while the script computes in this process and blocks the loop.
        self.on_busy: Callable[[], None] = lambda: None
        self.place = ""
        self._limits = limits or SessionLimits()
        self._streams = streams
        self._loop = asyncio.get_running_loop()
        self._handles = HandleTable(self.invoke, self._release)
        dispatch = Dispatcher(ctx, self._handles, internal, allowed)
        self._handles.indexed = dispatch.indexed
        self._calls = HostCalls(
            dispatch,
            self._handles,
            self._limits,
            ctx.runtime.redactor,
            context=self._context_of,
            answer=self._answer,
            end=self.stop,
        )
        self._guest: ScriptSession | None = None
        self._stopping: LLMSpellError | None = None
        self._open = Invocations(lambda number: self._send(lambda guest: guest.cancel(number)))
        self._root = contextvars.copy_context()
        self._root.run(_current.set, ctx)
        self._released: list[int] = []
        self._flushing = False
        self._idle = asyncio.Event()

    def attach(self, guest: ScriptSession) -> None:
        """The guest is ready."""
        self._guest = guest

    def follow(self, clock: WallClock) -> None:
        """Tell this clock what the run waits for."""
        self._calls.clock = clock
        # While its work is done elsewhere on this machine, the run does not wait for others.
        self._root.run(computing.set, clock.callbacks)

    @property
    def host_calls(self) -> int:
        """How many host calls the script has made."""
        return self._calls.count

    @property
    def held(self) -> tuple[int, int]:
        """How many host objects the script holds, and functions of it the host."""
        return self._handles.objects, self._handles.functions

    # -- what the host asks of the guest -----------------------------------------------------

    async def run(self, source: str, name: str, mode: str) -> Any:
        """Run the main chunk and return its value; raises what it throws."""
        guest = self._guest
        if guest is None:
            raise ScriptError("the engine is not started", code="script.not_started")
        return await self._open.wait(
            lambda number: guest.run(number, source, name, mode), self._root, now=True
        )

    def invoke(self, handle: int, args: tuple[Any, ...]) -> Awaitable[Any]:
        """Call one of the script's functions; a coroutine of its value."""
        return self._invoke(handle, args)

    async def _invoke(self, handle: int, args: tuple[Any, ...]) -> Any:
        guest = self._guest
        if self.ended is not None or guest is None:
            raise again(self.ended or ScriptError("no engine", code="script.not_started"))
        limits = self._limits
        # The list itself is not part of any value.
        text = encode(
            list(args), self._handles, depth=limits.value_depth + 1, size=limits.value_bytes
        )
        clock = self._calls.clock
        clock.callbacks(1)
        try:
            return await self._open.wait(
                lambda number: guest.invoke(number, handle, text), contextvars.copy_context()
            )
        finally:
            clock.callbacks(-1)

    @property
    def quiet(self) -> bool:
        """Whether no task of the script is left."""
        return self.ended is not None or self._guest is None or self._guest.idle()

    async def wait_idle(self) -> None:
        """Wait until no task of the script is left."""
        wait_s, most = IDLE_POLL_S
        while not self.quiet:
            self._idle.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._idle.wait()
            except TimeoutError:
                wait_s = min(2 * wait_s, most)

    def stop(self, error: LLMSpellError) -> None:
        """End the script from the host's side, even while it computes."""
        if self.ended is not None:
            return
        self._stopping = error
        if self._guest is not None:
            # Where the guest knows how far the script had come, it tells by `done`.
            self._guest.interrupt(error.code, error.message)
        self.end(error)

    def end(self, error: LLMSpellError) -> None:
        """Nothing more comes from this guest: everybody who waits gets the error."""
        if self.ended is not None:
            return
        error.source = error.source or self.place or None
        self.ended = error
        self._idle.set()
        self._open.fail_all(error)
        self._calls.cancel_all()

    async def close(self) -> None:
        """Cancel what still runs on the host for it, within a second, and free the guest."""
        self.end(ScriptError("the script has ended", code="script.ended"))
        self._handles.close()
        self._calls.cancel_all()
        try:
            await self._calls.finish(UNWIND_S)
        finally:
            guest, self._guest = self._guest, None
            if guest is not None:
                guest.close()

    def _send(self, act: Callable[[ScriptSession], None]) -> None:
        if self._guest is not None and self.ended is None:
            act(self._guest)

    def _answer(self, call_id: int, ok: bool, text: str) -> None:
        if self._guest is not None and self.ended is None:
            self._guest.answer(call_id, ok, text)

    def _context_of(self, origin: int) -> contextvars.Context:
        """A turn of the guest may serve several origins: each call gets a context of its own."""
        return (self._open.context(origin) or self._root).copy()

    def _release(self, handle: int, times: int) -> None:
        # From a finalizer, on any thread: only the loop may talk to the guest.
        self._released.extend([handle] * times)
        if self._flushing:
            return
        self._flushing = True
        try:
            self._loop.call_soon_threadsafe(self._flush_released)
        except RuntimeError:
            self._released.clear()  # the loop is closed, and the session with it

    def _flush_released(self) -> None:
        self._flushing = False
        released, self._released = self._released, []
        if released:
            self._send(lambda guest: guest.release(released))

    # -- HostChannel: what the guest asks of the host ----------------------------------------

    def call(
        self, call_id: int, target: str | int, method: str, args: str, origin: int = 0
    ) -> Answer | None:
        """A host call; see `HostChannel.call`."""
        if self.ended is not None:
            return False, json.dumps({"message": self.ended.message, "code": self.ended.code})
        return self._calls.call(call_id, target, method, args, origin)

    def cancel(self, call_id: int) -> None:
        """Nobody waits for this call any more."""
        self._calls.cancel(call_id)

    def done(self, call_id: int, ok: bool, value: str) -> None:
        """A run or an invocation ended."""
        failure: LLMSpellError | None = None
        found: Any = None
        try:
            found = self._decode(value)
        except LLMSpellError as error:
            failure = error
        else:
            failure = None if ok else script_error(found)
        if failure is None:
            self._open.succeed(call_id, found)
        elif not self._is_the_end(failure):
            self._open.fail(call_id, failure)

    def write(self, stream: str, text: str) -> None:
        """Text of the script for a standard stream."""
        if self.ended is not None and self.ended.code.startswith("script.output_"):
            return
        try:
            self._streams.write(stream, text)
        except ScriptError as error:
            self.stop(error)
        except BrokenPipeError:
            self.stop(ScriptError("the output was closed", code="script.output_closed"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self.stop(ScriptError(f"cannot write: {reason}", code="script.output_failed"))

    def log(self, records: str) -> None:
        """Log records of the script."""
        from llmspell_bridge.script_log import emit

        try:
            emit(records, self.ctx)
        except LLMSpellError as error:
            self.end(error)

    def drop(self, handles: list[int]) -> None:
        """The script can no longer reach these host objects."""
        self._handles.drop(handles)

    def unhandled(self, error: str) -> None:
        """A task nobody awaited failed, or the script ended with nothing open to say it by."""
        try:
            found = script_error(self._decode(error))
        except LLMSpellError as broken:
            found = broken
        if self._is_the_end(found):
            return
        if len(self.report.unhandled) < MAX_REPORTS:
            self.report.unhandled.append(found)
        else:
            self.report.unhandled_more += 1

    def idle(self) -> None:
        """No task of the script is left."""
        self._idle.set()

    def crashed(self, error: ScriptError) -> None:
        """The worker is gone."""
        if not self._is_the_end(error):
            self.end(error)

    def busy(self, place: str) -> None:
        """The script computes for long in this process."""
        self.place = place
        self.on_busy()

    def _decode(self, text: str) -> Any:
        limits = self._limits
        return decode(text, self._handles, depth=limits.value_depth, size=limits.value_bytes)

    def _is_the_end(self, error: LLMSpellError) -> bool:
        """Whether this error ends the session, which then has ended."""
        stopping = self._stopping
        if stopping is not None and stopping.code == error.code:
            stopping.source = error.source
            self.end(stopping)
        elif error.code in FATAL:
            self.end(error)
        return self.ended is not None

"""`HostSession`: the host's half of one script run. It implements the engine's HostChannel.

Nothing here may raise into the engine, and no method of the guest is called while the guest is
inside one of ours: what the host wants of it is queued and sent from the event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llmspell_bridge.dispatch import Dispatcher, Internal
from llmspell_bridge.handles import HandleTable
from llmspell_bridge.limits import CallBudget
from llmspell_bridge.values import decode, encode, parse, protocol_error, revive
from llmspell_core.context import _current
from llmspell_core.errors import LLMSpellError, ScriptError, error_data
from llmspell_core.script.protocol import Answer, ScriptSession

if TYPE_CHECKING:
    from llmspell_bridge.streams import Streams
    from llmspell_core.context import ExecutionContext

log = logging.getLogger("llmspell.script")

#: How long a cancelled script may take to clean up, in seconds.
UNWIND_S = 1.0

IDLE_POLL_S = 0.01

#: These end a session: nothing of the script runs afterwards.
FATAL = frozenset(
    {
        "script.memory_limit",
        "script.cpu_limit",
        "script.wall_limit",
        "script.host_calls_limit",
        "script.output_limit",
        "script.instructions_limit",
        "script.crashed",
        "script.protocol",
        "script.exit",
    }
)


@dataclass(slots=True)
class SessionLimits:
    """What the host bounds; 0 is no limit."""

    host_calls: int = 0
    host_calls_per_s: int = 0
    value_depth: int = 64
    value_bytes: int = 0


@dataclass(slots=True)
class _Waiting:
    """A run or an invocation whose end the host awaits."""

    future: asyncio.Future[Any]
    context: contextvars.Context
    name: str = ""


@dataclass(slots=True)
class Report:
    """What a session has to tell beside its value."""

    unhandled: list[LLMSpellError] = field(default_factory=list)
    host_calls: int = 0


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
        self._limits = limits or SessionLimits()
        self._streams = streams
        self._loop = asyncio.get_running_loop()
        self._handles = HandleTable(self.invoke, self._release)
        self._dispatch = Dispatcher(ctx, self._handles, internal, allowed)
        self._handles.indexed = self._dispatch.indexed
        self._budget = CallBudget(self._limits.host_calls, self._limits.host_calls_per_s)
        self._guest: ScriptSession | None = None
        self._next = 0
        self._waiting: dict[int, _Waiting] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._root = contextvars.copy_context()
        self._root.run(_current.set, ctx)
        self._released: list[int] = []
        self._idle = asyncio.Event()
        #: Host calls that have a deadline of their own: the wall clock stands still for them.
        self.exempt = 0

    def attach(self, guest: ScriptSession) -> None:
        """The guest is ready."""
        self._guest = guest

    # -- what the host asks of the guest -----------------------------------------------------

    async def run(self, source: str, name: str, mode: str) -> Any:
        """Run the main chunk and return its value; raises what it throws."""
        waiting = self._new_call(name, self._root)
        number = self._next
        self._guest_of().run(number, source, name, mode)
        return await self._await(number, waiting)

    def invoke(self, handle: int, args: tuple[Any, ...]) -> Awaitable[Any]:
        """Call one of the script's functions; a coroutine of its value."""
        return self._invoke(handle, args)

    async def _invoke(self, handle: int, args: tuple[Any, ...]) -> Any:
        if self.ended is not None:
            raise self.ended
        text = encode(list(args), self._handles, depth=self._limits.value_depth)
        waiting = self._new_call("callback", contextvars.copy_context())
        number = self._next
        # Not at once: this may be running inside a call that the guest made.
        self._loop.call_soon(self._send, lambda guest: guest.invoke(number, handle, text))
        return await self._await(number, waiting)

    async def wait_idle(self) -> None:
        """Wait until no task of the script is left."""
        while self.ended is None and not self._guest_of().idle():
            self._idle.clear()
            try:
                # Engines that do not tell are asked again now and then.
                await asyncio.wait_for(self._idle.wait(), IDLE_POLL_S)
            except TimeoutError:
                continue

    def end(self, error: LLMSpellError) -> None:
        """Nothing more comes from this guest: everybody who waits gets the error."""
        if self.ended is not None:
            return
        self.ended = error
        self._idle.set()
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(error)
        for task in self._tasks.values():
            task.cancel()

    async def close(self) -> None:
        """Cancel what still runs on the host for it, within a second, and free the guest."""
        self.end(ScriptError("the script has ended", code="script.ended"))
        self._handles.close()
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        if self._guest is not None:
            self._guest.close()

    def _new_call(self, name: str, context: contextvars.Context) -> _Waiting:
        self._next += 1
        waiting = _Waiting(self._loop.create_future(), context, name)
        self._waiting[self._next] = waiting
        return waiting

    async def _await(self, number: int, waiting: _Waiting) -> Any:
        try:
            return await asyncio.shield(waiting.future)
        except asyncio.CancelledError:
            if self.ended is None:
                # The script may catch it and clean up; a busy one is not waited for any longer.
                self._send(lambda guest: guest.cancel(number))
                await asyncio.wait({waiting.future}, timeout=UNWIND_S)
            raise
        finally:
            self._waiting.pop(number, None)

    def _guest_of(self) -> ScriptSession:
        if self._guest is None:
            raise ScriptError("the engine is not started", code="script.not_started")
        return self._guest

    def _send(self, act: Callable[[ScriptSession], None]) -> None:
        if self._guest is not None and self.ended is None:
            act(self._guest)

    def _release(self, handle: int, times: int) -> None:
        # From a finalizer, on any thread: only the loop may talk to the guest.
        self._released.extend([handle] * times)
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._flush_released)

    def _flush_released(self) -> None:
        released, self._released = self._released, []
        if released:
            self._send(lambda guest: guest.release(released))

    # -- HostChannel: what the guest asks of the host ----------------------------------------

    def call(
        self, call_id: int, target: str | int, method: str, args: str, origin: int = 0
    ) -> Answer | None:
        """A host call; see `HostChannel.call`."""
        if self.ended is not None:
            return False, json.dumps(self.ended.to_dict())
        try:
            delay = self._count(target)
            if delay:
                self._start(call_id, origin, self._later(delay, target, method, args), target)
                return None
            value = self._invoke_target(target, method, args, origin)
            if asyncio.iscoroutine(value):
                self._start(call_id, origin, value, target)
                return None
            return True, encode(value, self._handles, depth=self._limits.value_depth)
        except Exception as error:  # noqa: BLE001 - nothing may be raised into the engine
            return False, self._error(error)

    def cancel(self, call_id: int) -> None:
        """Nobody waits for this call any more."""
        task = self._tasks.get(call_id)
        if task is not None:
            task.cancel()

    def done(self, call_id: int, ok: bool, value: str) -> None:
        """A run or an invocation ended."""
        waiting = self._waiting.get(call_id)
        try:
            found = decode(value, self._handles)
        except LLMSpellError as error:
            self.end(error)
            return
        if ok:
            if waiting is not None and not waiting.future.done():
                waiting.future.set_result(found)
            return
        failure = script_error(found)
        if failure.code in FATAL:
            self.end(failure)
        elif waiting is not None and not waiting.future.done():
            waiting.future.set_exception(failure)

    def write(self, stream: str, text: str) -> None:
        """Text of the script for a standard stream."""
        try:
            self._streams.write(stream, text)
        except ScriptError as error:
            self.end(error)
        except BrokenPipeError as error:
            self.end(ScriptError("the output was closed", code="script.output_closed"))
            log.debug("broken pipe", exc_info=error)

    def log(self, records: str) -> None:
        """Log records of the script."""
        from llmspell_bridge.script_log import emit

        try:
            emit(parse(records), self.ctx)
        except LLMSpellError as error:
            self.end(error)

    def drop(self, handles: list[int]) -> None:
        """The script can no longer reach these host objects."""
        self._handles.drop(handles)

    def unhandled(self, error: str) -> None:
        """A task nobody awaited failed."""
        try:
            self.report.unhandled.append(script_error(decode(error, self._handles)))
        except LLMSpellError as broken:
            self.end(broken)

    def idle(self) -> None:
        """No task of the script is left."""
        self._idle.set()

    # -- host calls --------------------------------------------------------------------------

    def _count(self, target: Any) -> float:
        """Count a host call; seconds to delay it by, or raise when the budget is used up."""
        if target in ("stdin", "Async"):
            return 0.0
        self.report.host_calls += 1
        delay, exceeded = self._budget.take(time.monotonic())
        if exceeded:
            error = ScriptError(
                f"the script made more than {self._limits.host_calls} host calls",
                code="script.host_calls_limit",
                hint="raise [security.limits] host_calls",
            )
            self._loop.call_soon(self.end, error)
            raise error
        return delay

    def _invoke_target(self, target: Any, method: Any, args: str, origin: int) -> Any:
        if self._limits.value_bytes and len(args) > self._limits.value_bytes:
            raise LLMSpellError(
                f"the arguments are larger than {self._limits.value_bytes >> 20} MiB",
                code="limit.value_size",
            )
        plain = parse(args)
        if not isinstance(plain, list):
            raise protocol_error("arguments are a list")
        values = [revive(one, self._handles) for one in plain] if '"$' in args else plain
        waiting = self._waiting.get(origin)
        if waiting is None or waiting.context is self._root:
            return self._dispatch.call(target, method, values)
        return waiting.context.copy().run(self._dispatch.call, target, method, values)

    async def _later(self, delay: float, target: Any, method: Any, args: str) -> Any:
        await asyncio.sleep(delay)
        value = self._invoke_target(target, method, args, 0)
        return await value if asyncio.iscoroutine(value) else value

    def _start(self, call_id: int, origin: int, work: Any, target: Any) -> None:
        waiting = self._waiting.get(origin)
        context = waiting.context if waiting is not None else self._root
        counted = 0 if target == "Async" else 1
        task = self._loop.create_task(self._finish(call_id, work, counted), context=context.copy())
        self._tasks[call_id] = task

    async def _finish(self, call_id: int, work: Awaitable[Any], counted: int) -> None:
        self.exempt += counted
        try:
            ok, text = True, encode(await work, self._handles, depth=self._limits.value_depth)
        except asyncio.CancelledError:
            ok, text = False, json.dumps({"message": "cancelled", "code": "cancelled"})
        except Exception as error:  # noqa: BLE001 - it goes to the script as an error object
            ok, text = False, self._error(error)
        finally:
            self.exempt -= counted
            self._tasks.pop(call_id, None)
        self._send(lambda guest: guest.answer(call_id, ok, text))

    def _error(self, error: Exception) -> str:
        data = error_data(error)
        if data["code"] == "internal":
            log.debug("a host method failed", exc_info=error)
        if isinstance(error, LLMSpellError) and error.code == "script.protocol":
            self._loop.call_soon(self.end, error)
        data["message"] = self.ctx.runtime.redactor.text(data["message"])
        return encode(data, self._handles)


def script_error(data: Any) -> LLMSpellError:
    """The error fields a guest sent as an exception of the right class."""
    if not isinstance(data, dict):
        return ScriptError(str(data))
    known = {"message", "code", "hint", "details", "retryable", "source", "stack"}
    details = data.get("details")
    extra = {k: v for k, v in data.items() if k not in known}
    return ScriptError(
        str(data.get("message", "the script failed")),
        code=str(data.get("code") or "script.error"),
        hint=data.get("hint") if isinstance(data.get("hint"), str) else None,
        details={**(details if isinstance(details, dict) else {}), **extra},
        retryable=bool(data.get("retryable")),
        source=data.get("source") if isinstance(data.get("source"), str) else None,
        stack=data.get("stack") if isinstance(data.get("stack"), str) else None,
    )

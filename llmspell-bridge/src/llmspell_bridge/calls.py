"""The host calls of one session: counted, checked, run as tasks, answered."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from llmspell_bridge.decoding import decode_args
from llmspell_bridge.limits import CallBudget, HeldSize, WallClock
from llmspell_bridge.turns import Turns
from llmspell_bridge.values import encode
from llmspell_core.errors import LimitError, LLMSpellError, ScriptError, error_data
from llmspell_core.records import Record
from llmspell_core.script.protocol import Answer

if TYPE_CHECKING:
    from llmspell_bridge.dispatch import Dispatcher
    from llmspell_bridge.handles import HandleTable
    from llmspell_core.security.redact import Redactor

log = logging.getLogger("llmspell.script")

#: What the standard streams and timers need of the host is no host call.
UNCOUNTED = frozenset({"stdin", "Async"})
#: Waiting for these is the script's own time: they have no deadline that somebody else set.
TIMED = frozenset(
    {"Async", "Config", "Debug", "Event", "Hook", "Security", "State", "Storage", "Utils", "io"}
    | {"modules"}
)
#: Nothing of the arguments stays here after the call, or what stays has a limit of its own.
TRANSIENT = TIMED - {"Hook"} | {"stdin"}
#: The same for these methods of everything else.
TRANSIENT_METHODS = frozenset({"batch", "complete", "execute", "invoke_stream", "stream", "try"})
#: These make what stays: it is more than its arguments, however few they are, by so many bytes.
MAKERS = frozenset(
    {"build", "create", "create_composite", "create_from_template", "from_spec", "new"}
    | {"parallel", "register", "sequential", "wrap_as_tool"}
)
MADE_BYTES = 8192
#: Calls at the same time, where the script's tasks have no limit.
MAX_OPEN = 100_000
#: Files and streams are as large as they are; the engine's memory bounds what it reads.
UNSIZED = frozenset({"stdin", "io"})


class SessionLimits(Record):
    """What the host bounds; 0 is no limit."""

    host_calls: int = 0
    host_calls_per_s: int = 0
    value_depth: int = 64
    value_bytes: int = 0
    #: Calls at the same time; the guest holds its script to the tasks that it may have.
    open_calls: int = MAX_OPEN
    #: What the host holds of calls under way, and of what calls have made to stay.
    held_bytes: int = 0


def _too_much_under_way() -> LimitError:
    return LimitError(
        "the host calls under way hold more than the script's own memory may be",
        code="limit.pending_size",
        hint="wait for some of them first, or raise [security.limits] memory_mb",
    )


def _too_much_kept() -> LimitError:
    return LimitError(
        "what the script has made on the host is larger than its own memory may be",
        code="limit.held_size",
        hint="make less of it, or raise [security.limits] memory_mb",
    )


class HostCalls:
    """Makes the calls that a guest asks for. No method raises.

    Args:
        dispatch: finds and calls the methods
        handles: the tables of the session
        limits: what is bounded
        redactor: removes secrets from errors
        context: the context that a call from an origin runs in
        answer: sends an answer to the guest
        end: ends the session
    """

    def __init__(
        self,
        dispatch: Dispatcher,
        handles: HandleTable,
        limits: SessionLimits,
        redactor: Redactor,
        *,
        context: Callable[[int], Context],
        answer: Callable[[int, bool, str], None],
        end: Callable[[LLMSpellError], None],
    ) -> None:
        self._dispatch = dispatch
        self._handles = handles
        self._limits = limits
        self._redactor = redactor
        self._context = context
        self._answer = answer
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._budget = CallBudget(limits.host_calls, limits.host_calls_per_s)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._turns = Turns()
        self._pending = HeldSize(limits.held_bytes, _too_much_under_way)
        self._kept = HeldSize(limits.held_bytes, _too_much_kept)
        self.clock = WallClock()
        self.count = 0

    def call(self, call_id: int, target: Any, method: Any, args: str, origin: int) -> Answer | None:
        """Make a call: its answer when it has one at once, None when that follows."""
        try:
            context = self._context(origin)
            delay = 0.0 if target in UNCOUNTED else self._take()
            if target not in TRANSIENT and method not in TRANSIENT_METHODS:
                self._kept.take(len(args) + MADE_BYTES * (method in MAKERS))
            self._check_open()
            if delay:
                value: Any = self._later(delay, target, method, args)
            else:
                value = context.run(self._begin, target, method, args)
            if type(value) is CoroutineType:
                self._start(call_id, value, target, context, len(args), delayed=bool(delay))
                return None
            return True, self._encode(value, target)
        except Exception as error:  # noqa: BLE001 - nothing may be raised into the engine
            return False, self.failure(error)

    def cancel(self, call_id: int) -> None:
        """Nobody waits for this call any more."""
        task = self._tasks.get(call_id)
        if task is not None:
            task.cancel()

    def cancel_all(self) -> None:
        """Nobody waits for any of them."""
        for task in self._tasks.values():
            if not task.cancelling():
                # A second cancellation would break off what the first one made it do.
                task.cancel()

    async def finish(self, wait_s: float) -> None:
        """Wait until those that were cancelled have ended."""
        if self._tasks:
            _, late = await asyncio.wait([*self._tasks.values()], timeout=wait_s)
            if late:
                log.warning("%d host calls did not end within %g s", len(late), wait_s)

    def failure(self, error: Exception) -> str:
        """An error as the guest gets it, whatever it holds."""
        data = error_data(error)
        if data["code"] == "internal":
            log.debug("a host method failed", exc_info=error)
        if isinstance(error, LLMSpellError) and error.code == "script.protocol":
            self._loop.call_soon(self._end, error)
        try:
            return encode(self._redactor.value(data), self._handles)
        except Exception as broken:
            log.debug("the details of an error cannot be given to a script", exc_info=broken)
            plain = {key: data[key] for key in ("message", "code", "hint") if key in data}
            return json.dumps({key: self._redactor.text(str(text)) for key, text in plain.items()})

    def _take(self) -> float:
        """Count a host call; seconds to delay it by, or raise when the budget is used up."""
        self.count += 1
        delay, exceeded = self._budget.take(time.monotonic())
        if exceeded:
            error = ScriptError(
                f"the script made more than {self._limits.host_calls} host calls",
                code="script.host_calls_limit",
                hint="raise [security.limits] host_calls",
            )
            self._end(error)
            raise error
        return delay

    def _check_open(self) -> None:
        if len(self._tasks) >= self._limits.open_calls:
            raise LimitError(
                f"more than {self._limits.open_calls} host calls at the same time",
                code="limit.tasks",
                hint="wait for some of them first",
            )

    def _begin(self, target: Any, method: Any, args: str) -> Any:
        limits = self._limits
        values = decode_args(args, self._handles, depth=limits.value_depth, size=limits.value_bytes)
        return self._dispatch.call(target, method, values)

    async def _later(self, delay: float, target: Any, method: Any, args: str) -> Any:
        # A call that comes too often is kept waiting in the script's own time.
        await asyncio.sleep(delay)
        value = self._begin(target, method, args)
        if type(value) is not CoroutineType:
            return value
        change = 0 if target in TIMED else 1
        self.clock.calls(change)
        try:
            return await value
        finally:
            self.clock.calls(-change)

    def _start(
        self,
        call_id: int,
        work: Coroutine[Any, Any, Any],
        target: Any,
        context: Context,
        size: int,
        *,
        delayed: bool,
    ) -> None:
        try:
            self._pending.take(size)
        except LimitError:
            work.close()
            raise
        task = self._loop.create_task(self._run(call_id, work, target), context=context)
        self._tasks[call_id] = task
        change = 0 if delayed or target in TIMED else 1
        self.clock.calls(change)
        task.add_done_callback(lambda _: self._ended(call_id, work, size, change))

    def _ended(self, call_id: int, work: Coroutine[Any, Any, Any], size: int, change: int) -> None:
        self._tasks.pop(call_id, None)
        # A task that is cancelled before its first step leaves its work untouched.
        work.close()
        self._pending.give_back(size)
        self.clock.calls(-change)

    async def _run(self, call_id: int, work: Coroutine[Any, Any, Any], target: Any) -> None:
        try:
            value = await work
            if self._turns.over:
                await self._turns.next()
            started = time.monotonic()
            self._answer(call_id, True, self._encode(value, target))
            self._turns.spend(time.monotonic() - started)
            return
        except asyncio.CancelledError:
            text = '{"message":"cancelled","code":"cancelled","retryable":false}'
        except Exception as error:  # noqa: BLE001 - it goes to the script as an error object
            text = self.failure(error)
        self._answer(call_id, False, text)

    def _encode(self, value: Any, target: Any) -> str:
        limits = self._limits
        size = 0 if target in UNSIZED else limits.value_bytes
        return encode(value, self._handles, depth=limits.value_depth, size=size)

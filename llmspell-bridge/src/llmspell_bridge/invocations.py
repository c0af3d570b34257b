"""What the host waits for of a guest: its runs, and the functions it calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

from llmspell_bridge.guest_errors import again
from llmspell_core.errors import LLMSpellError

#: How long a cancelled script may take to clean up, in seconds.
UNWIND_S = 1.0


class _Waiting:
    __slots__ = ("begun", "context", "future", "over")

    def __init__(self, future: asyncio.Future[Any], context: Context) -> None:
        self.future = future
        self.context = context
        self.begun = False
        self.over = False


class Invocations:
    """The runs and invocations that are open, by their number.

    Args:
        cancel: asks the guest to cancel one
    """

    def __init__(self, cancel: Callable[[int], None]) -> None:
        self._cancel = cancel
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, _Waiting] = {}
        self._next = 0

    async def wait(
        self, begin: Callable[[int], None], context: Context, *, now: bool = False
    ) -> Any:
        """Begin one and wait for its value; raises its error. Host calls of it run in `context`.

        Cancelled, it asks the guest to cancel it and gives it a second: the script may catch that
        and clean up; a busy one is not waited for any longer.
        """
        self._next += 1
        number = self._next
        waiting = self._open[number] = _Waiting(self._loop.create_future(), context)
        try:
            if now:
                self._begin(number, waiting, begin)
            else:
                # Not at once: this may be running inside a call that the guest made.
                self._loop.call_soon(self._begin, number, waiting, begin)
            return await waiting.future
        except asyncio.CancelledError:
            if waiting.begun and not waiting.over:
                waiting.future = self._loop.create_future()
                self._cancel(number)
                await asyncio.wait({waiting.future}, timeout=UNWIND_S)
            raise
        finally:
            waiting.over = True
            del self._open[number]

    @staticmethod
    def _begin(number: int, waiting: _Waiting, begin: Callable[[int], None]) -> None:
        # It may have been cancelled before it began, and the session may have ended.
        if not waiting.over and not waiting.future.done():
            waiting.begun = True
            begin(number)

    def context(self, number: int) -> Context | None:
        """The context of one that is open."""
        waiting = self._open.get(number)
        return None if waiting is None else waiting.context

    def succeed(self, number: int, value: Any) -> None:
        """One has ended with this value."""
        waiting = self._open.get(number)
        if waiting is not None:
            waiting.over = True
            if not waiting.future.done():
                waiting.future.set_result(value)

    def fail(self, number: int, error: LLMSpellError) -> None:
        """One has ended with this error."""
        waiting = self._open.get(number)
        if waiting is not None:
            _fail(waiting, error)

    def fail_all(self, error: LLMSpellError) -> None:
        """Nothing more comes: all of them have ended with this error."""
        for waiting in self._open.values():
            _fail(waiting, error)


def _fail(waiting: _Waiting, error: LLMSpellError) -> None:
    waiting.over = True
    if not waiting.future.done():
        waiting.future.set_exception(again(error))
        # Looked at: whoever waited may have been cancelled, and nobody should hear of it then.
        waiting.future.exception()

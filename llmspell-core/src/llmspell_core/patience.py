"""`Patient`: a coroutine that may clean up for a while when it is cancelled, and no longer.

Whoever is cancelled may wait in its `finally` and `except` for as long as it likes: asyncio has
no end to that. Here it has one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import suppress
from types import CoroutineType
from typing import Any, Protocol


class Patience(Protocol):
    """How long cancelled work may go on, and who is told when it did not end by then."""

    @property
    def grace(self) -> float:
        """In seconds."""

    def abandoned(self) -> None:
        """The work is left where it stands: nobody waits for it any more."""


class Patient:
    """The rest of a coroutine that was begun and waits for a future (None: for its next turn)."""

    def __init__(
        self, work: CoroutineType[Any, Any, Any], waits_for: Any, patience: Patience
    ) -> None:
        self._work = work
        self._waits_for = waits_for
        self._patience = patience
        self._cancelled = asyncio.CancelledError()
        #: When it is left alone, in the loop's time; None while it is not cancelled.
        self._late: float | None = None

    def __await__(self) -> Generator[Any, Any, Any]:
        work, loop, task = self._work, asyncio.get_running_loop(), asyncio.current_task()
        before = task.cancelling() if task else 0
        while True:
            error: BaseException | None = None
            try:
                yield from _wait(self._waits_for, self._late, loop)
            except GeneratorExit:
                work.close()
                raise
            except asyncio.CancelledError as found:
                error = self._note(found, loop)
            if error is None and self._waits_for is not None and not self._waits_for.done():
                if self._late is not None and loop.time() >= self._late:
                    self._leave()
                continue
            try:
                self._waits_for = work.send(None) if error is None else work.throw(error)
            except StopIteration as end:
                return end.value
            if self._late is not None and task is not None and task.cancelling() <= before:
                # It was a time limit of the work's own, which it has dealt with.
                self._late = None

    def _note(
        self, error: asyncio.CancelledError, loop: asyncio.AbstractEventLoop
    ) -> BaseException | None:
        """Pass a cancellation on: to what the work waits for, or, given back, to the work."""
        self._cancelled = error
        if self._late is None:
            self._late = loop.time() + self._patience.grace
        waits_for = self._waits_for
        # With its words: anyio knows its own cancellations by them.
        return None if waits_for is not None and waits_for.cancel(*error.args) else error

    def _leave(self) -> None:
        self._patience.abandoned()
        with suppress(BaseException):
            self._work.close()
        raise self._cancelled


def _wait(
    waits_for: Any, late: float | None, loop: asyncio.AbstractEventLoop
) -> Generator[Any, Any, None]:
    """Until the future is done, or it is too late, or the task is cancelled.

    The task waits for another future than the work, so that its cancellation comes here at once
    though the work may wait for a task that does not end.
    """
    if waits_for is None:
        yield
        return
    waits_for._asyncio_future_blocking = False
    waker: asyncio.Future[None] = loop.create_future()

    def wake(_: Any = None) -> None:
        if not waker.done():
            waker.set_result(None)

    waits_for.add_done_callback(wake)
    timer = loop.call_at(late, wake) if late is not None else None
    try:
        yield from waker
    finally:
        waits_for.remove_done_callback(wake)
        if timer is not None:
            timer.cancel()

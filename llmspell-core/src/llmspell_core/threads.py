"""`in_thread`: a function that blocks, beside the event loop.

Threads of our own instead of an executor's: one that never comes back must not hold the process
when it ends, and must not take a place from the others.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

from llmspell_core.context import home

#: Functions at the same time; more of them wait. What was abandoned does not count.
MOST = 64

#: Whether functions are called where they are asked for: a watchdog can interrupt them there.
inline: ContextVar[bool] = ContextVar("llmspell_inline", default=False)

_Job = Callable[[], None]


async def in_thread(function: Callable[..., Any], /, **arguments: Any) -> Any:
    """What the function gives, called in a thread with this context's variables.

    A thread cannot be stopped: cancelled, this waits for the function's end, and raises then.
    Cancelled again, or closed, it leaves the thread alone.
    """
    if inline.get():
        return function(**arguments)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()
    context = copy_context()
    context.run(home.set, loop)

    def settle(value: Any, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(value)
        elif isinstance(error, StopIteration):
            # No future takes one.
            ended.set_exception(RuntimeError("StopIteration"))
        else:
            ended.set_exception(error)

    def job() -> None:
        value: Any = None
        failure: BaseException | None = None
        try:
            value = context.run(function, **arguments)
        except BaseException as error:  # noqa: BLE001 - raised where it was called
            failure = error
        try:
            loop.call_soon_threadsafe(settle, value, failure)
        except RuntimeError:
            # The loop is closed: nobody waits.
            return

    place = _threads.start(job)
    try:
        return await _whole(ended)
    finally:
        if not ended.done():
            ended.cancel()
            place.leave()


async def _whole(ended: asyncio.Future[Any]) -> Any:
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError:
        await asyncio.wait([ended])
        if not ended.cancelled():
            # Its failure is of no interest any more, and must not be reported as forgotten.
            ended.exception()
        raise


class _Place:
    """What one function takes up of the threads, until it ends or is left alone."""

    def __init__(self, threads: _Threads, job: _Job) -> None:
        self._threads = threads
        self.job = job
        self.counted = False

    def leave(self) -> None:
        """Nobody waits for it any more: another one may take its place."""
        self._threads.free(self)


class _Threads:
    """Daemon threads that are kept for a while when they have nothing to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._waiting: deque[_Place] = deque()
        self._idle = 0
        self._active = 0

    def start(self, job: _Job) -> _Place:
        place = _Place(self, job)
        with self._lock:
            self._waiting.append(place)
            self._fill()
        return place

    def free(self, place: _Place) -> None:
        with self._lock:
            if place in self._waiting:
                self._waiting.remove(place)
            elif place.counted:
                place.counted = False
                self._active -= 1
                self._fill()

    def _fill(self) -> None:
        """Have as many threads at work as there is work for. Called with the lock."""
        wanted = min(len(self._waiting), MOST - self._active)
        for _ in range(min(wanted, self._idle)):
            self._work.notify()
        for _ in range(wanted - self._idle):
            threading.Thread(target=self._run, name="llmspell-tool", daemon=True).start()
            self._idle += 1

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting or self._active >= MOST:
                    if not self._work.wait(KEPT_SECONDS) and not self._waiting:
                        self._idle -= 1
                        return
                place = self._waiting.popleft()
                place.counted = True
                self._active += 1
                self._idle -= 1
            place.job()
            with self._lock:
                self._idle += 1
                if place.counted:
                    place.counted = False
                    self._active -= 1
                self._fill()


#: A thread without work ends after this.
KEPT_SECONDS = 10.0

_threads = _Threads()

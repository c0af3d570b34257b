"""A time limit that costs nothing where nothing waits.

Most hooks and many tools end without ever waiting for anything. A timer for each would be most
of what they cost, so it is set when a coroutine first waits. (Before that nothing could
interrupt it anyway.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from types import CoroutineType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.patience import Patience


async def within(
    seconds: float | None, work: Awaitable[Any], patience: Patience | None = None
) -> Any:
    """What `work` gives, or TimeLimitError when it waits longer than so many seconds.

    A TimeoutError of the work itself is passed on as it is. With `patience`, a coroutine that
    goes on after its cancellation, for whatever reason that was, is left behind after a while.
    """
    if type(work) is CoroutineType:
        try:
            waits_for = work.send(None)
        except StopIteration as end:
            return end.value
        if patience is None:
            work = _Rest(work, waits_for)
        else:
            from llmspell_core.patience import Patient

            work = Patient(work, waits_for, patience)
    if seconds is None:
        return await work
    import asyncio

    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if limit.expired():
            raise TimeLimitError(seconds) from None
        raise


class TimeLimitError(TimeoutError):
    """The time limit of `within` ended the work."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it took longer than {seconds * 1000:g} ms")


class _Rest:
    """A coroutine that was begun: what it waits for goes to the task, what comes to it back."""

    def __init__(self, work: CoroutineType[Any, Any, Any], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        work, waits_for = self._work, self._waits_for
        while True:
            step: Callable[[Any], Any]
            try:
                sent = yield waits_for
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # noqa: BLE001 - cancellation is the work's to handle
                step = work.throw
                given: Any = error
            else:
                step, given = work.send, sent
            try:
                waits_for = step(given)
            except StopIteration as end:
                return end.value

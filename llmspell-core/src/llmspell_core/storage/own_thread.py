"""`OwnThread`: a connection that blocks, used on one thread beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from llmspell_core.errors import LLMSpellError

T = TypeVar("T")


class OwnThread:
    """One thread, started at the first call, that does one thing after the other."""

    def __init__(self, name: str, closed: Callable[[], LLMSpellError]) -> None:
        self._name = name
        self._closed_error = closed
        self._executor: ThreadPoolExecutor | None = None
        self._closed = False

    async def call(self, work: Callable[[], T]) -> T:
        """What `work` gives, on the thread; raises the `closed` error once that is so."""
        if self._closed:
            raise self._closed_error()
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix=self._name)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def close(self, last: Callable[[], object]) -> None:
        """Do one last thing after all others, if anything was done, and end the thread."""
        self._closed = True
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.get_running_loop().run_in_executor(executor, last)
            executor.shutdown(wait=False)

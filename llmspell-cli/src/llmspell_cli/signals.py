"""SIGINT and SIGTERM: the first cancels the work, which may clean up; the second ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any, Self

from llmspell_cli.look import LOOK
from llmspell_core.errors import Cancelled

log = logging.getLogger("llmspell.internal")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: How long the loop may take to hear of a signal.
INSIST_S = 0.2
#: After this time a person who pressed Ctrl-C is told how to end a script that does not listen.
PATIENCE_S = 1.0


def run_until_signal(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on a loop of its own; `cancelled` when a signal ended it."""
    with _Signals() as signals:
        result = asyncio.run(_main(work, signals))
    if signals.received:
        # While the loop was closed. Nobody else would hear of it, and `--watch` went on for ever.
        raise _cancelled(signals.received)
    return result


async def _main(work: Coroutine[Any, Any, Any], signals: _Signals) -> Any:
    loop = asyncio.get_running_loop()
    threads = ThreadPoolExecutor(thread_name_prefix="llmspell")
    loop.set_default_executor(threads)
    loop.set_exception_handler(_unhandled)
    task = asyncio.ensure_future(work)

    def cancel() -> None:
        if not signals.heard.is_set():
            signals.heard.set()
            task.cancel()

    # While a script computes in this process the loop hears nothing, but the script's own clock
    # looks whether its task is to be cancelled: nothing else of the loop runs meanwhile.
    signals.insist = task.cancel
    signals.act = lambda: loop.call_soon_threadsafe(cancel)
    if signals.received:
        cancel()  # not by the loop: its first turn may already be the script's
    try:
        result = await task
    except asyncio.CancelledError:
        raise _cancelled(signals.received or signal.SIGINT) from None
    finally:
        signals.heard.set()
        signals.act = lambda: None
        # A thread may read from a terminal where nobody types: the loop must not wait for it.
        threads.shutdown(wait=False, cancel_futures=True)
        loop.set_default_executor(ThreadPoolExecutor(1))
    if signals.received:
        # It ended by itself meanwhile; who sent the signal wants no more of it all the same.
        raise _cancelled(signals.received)
    return result


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


def _unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would print with a traceback: one line, and only where it is a bug."""
    error = context.get("exception")
    text = context["message"] if error is None else f"{type(error).__name__}: {error}"
    # A failure that nobody asked for at the end is no news: whoever needed it has gone.
    level = logging.DEBUG if "never retrieved" in context["message"] else logging.ERROR
    log.log(level, "%s", text, exc_info=error if LOOK.debug else None)


def _cancelled(number: int) -> Cancelled:
    word = "terminated" if number == signal.SIGTERM else "interrupted"
    return Cancelled(word, details={"signal": int(number)})


class _Signals:
    """Receives the signals even while a script computes in this process and blocks its loop.

    The interpreter writes their numbers to a pipe at once, whatever the main thread does; a
    thread reads them there.
    """

    def __init__(self) -> None:
        self.received = 0
        self.heard = threading.Event()
        self.act: Callable[[], Any] = lambda: None
        self.insist: Callable[[], Any] = lambda: None
        self._old: dict[int, Any] = {}
        self._pipe: tuple[int, int] | None = None
        self._old_fd = -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._old[number] = signal.signal(number, self._on_signal)
        if sys.platform != "win32":
            self._pipe = os.pipe()
            os.set_blocking(self._pipe[1], False)
            self._old_fd = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
            self._thread = threading.Thread(target=self._read, args=self._pipe[:1], daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            # Once it is ending, a further signal ends it at once.
            signal.signal(number, _end if self.received else handler)
        if self._pipe is not None and self._thread is not None:
            signal.set_wakeup_fd(self._old_fd)
            os.close(self._pipe[1])
            self._thread.join()
            os.close(self._pipe[0])

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._pipe is None:
            self._arrived(number)

    def _read(self, pipe: int) -> None:
        while data := os.read(pipe, 64):
            for number in data:
                if number in SIGNALS:
                    self._arrived(number)
            self._impatient()

    def _impatient(self) -> None:
        if self.heard.wait(INSIST_S):
            return
        self.insist()

        def tell() -> None:
            if not self.heard.is_set():
                sys.stderr.write("the script computes and does not listen; once more ends it\n")

        timer = threading.Timer(PATIENCE_S, tell)
        timer.daemon = True
        timer.start()

    def _arrived(self, number: int) -> None:
        if self.received:
            os._exit(128 + number)
        self.received = number
        self.act()

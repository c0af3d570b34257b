"""Importing what strangers wrote: an import that does not come to an end is left behind."""

from __future__ import annotations

import threading
from typing import Any

from llmspell_core.entry_points import EntryPoint

#: Packages whose import hangs: whoever imports one again would wait for its lock.
_hung: set[str] = set()


def load_within(point: EntryPoint, seconds: float) -> Any:
    """What an entry point names; raises what its import raises, or `TimeoutError`.

    It is imported in a thread of its own, which nobody waits for any longer than that.
    """
    package = point.value.partition(":")[0].partition(".")[0].strip()
    if package in _hung:
        raise _late(seconds)
    outcome: list[tuple[Any, BaseException | None]] = []

    def work() -> None:
        try:
            outcome.append((point.load(), None))
        except BaseException as error:  # noqa: BLE001 - raised again where it was asked for
            outcome.append((None, error))

    thread = threading.Thread(target=work, name=f"import {package}", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        _hung.add(package)
        raise _late(seconds)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def _late(seconds: float) -> TimeoutError:
    return TimeoutError(f"its import did not end within {seconds:g} s")

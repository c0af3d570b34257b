"""What a run may use, `LimitsPolicy`, and the checks that hold single values and rates to it."""

from __future__ import annotations

import time
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_core.records import Record, key

MIB = 1024 * 1024


class LimitsPolicy(Record):
    """Limits of one run; 0 is no limit. Times in seconds, sizes in MiB."""

    memory_mb: int = key(0, "memory of the script, MiB", least=0)
    cpu_s: float = key(0, "CPU time of the script, seconds", least=0)
    wall_s: float = key(0, "time from the first line to the end, seconds", least=0)
    instructions: int = key(0, "instructions of the engine", least=0)
    host_calls: int = key(0, "calls from the script to the host", least=0)
    host_calls_per_s: int = key(0, "calls a second; more are delayed", least=0)
    output_mb: int = key(0, "output captured in memory, MiB", least=0)
    tasks: int = key(0, "tasks and timers at the same time", least=0)
    value_mb: int = key(0, "size of one value that crosses, MiB", least=0)
    value_depth: int = key(0, "nesting of one value that crosses", least=0)
    subscriptions: int = key(1000, "event subscriptions", least=0)
    hooks: int = key(1000, "registered hooks", least=0)
    state_mb: int = key(0, "state kept in one scope, MiB", least=0)


def tightest_limits(a: LimitsPolicy, b: LimitsPolicy) -> LimitsPolicy:
    """The smaller one of each limit, where 0 is larger than anything."""
    merged: dict[str, Any] = {}
    for name in LimitsPolicy.declared:
        merged[name] = min((n for n in (getattr(a, name), getattr(b, name)) if n), default=0)
    return LimitsPolicy(**merged)


def check_value(value: Any, limits: LimitsPolicy) -> int:
    """The approximate size in bytes of JSON-like data.

    Raises:
        LimitError: `limit.value_depth` or `limit.value_size`, when it nests too deep or is
            larger than the policy allows.
    """
    most_depth = limits.value_depth or 10_000
    most_bytes = limits.value_mb * MIB
    size = 0
    stack: list[tuple[Any, int]] = [(value, 1)]
    while stack:
        item, depth = stack.pop()
        size += _own_size(item)
        if most_bytes and size > most_bytes:
            raise LimitError(
                f"a value is larger than {limits.value_mb} MiB",
                code="limit.value_size",
                hint="pass it in pieces, or as a file",
            )
        if isinstance(item, (dict, list, tuple)):
            if depth > most_depth:
                raise LimitError(
                    f"a value nests deeper than {most_depth} levels", code="limit.value_depth"
                )
            parts = item.values() if isinstance(item, dict) else item
            stack.extend((part, depth + 1) for part in parts)
    return size


def _own_size(item: Any) -> int:
    if isinstance(item, (str, bytes)):
        return len(item) + 2
    if isinstance(item, dict):
        return 2 + sum(len(key) + 4 if isinstance(key, str) else 8 for key in item)
    return 8


class RateLimiter:
    """How long the next call must wait, so that no more than `per_second` happen.

    A second's worth may come at once: what is limited is the rate, not a burst.
    """

    __slots__ = ("_free_at", "_interval", "_slack")

    def __init__(self, per_second: int) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._slack = 1.0
        self._free_at = 0.0

    def delay(self, now: float | None = None) -> float:
        """Count one call; the seconds to wait before it, usually 0."""
        if not self._interval:
            return 0.0
        moment = time.monotonic() if now is None else now
        self._free_at = max(self._free_at, moment - self._slack) + self._interval
        return max(0.0, self._free_at - moment)

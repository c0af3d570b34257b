"""How many threads a model should use on this machine now."""

from __future__ import annotations

import os
from pathlib import Path

_MANY = 4


def threads_to_use(load: float | None = None, cores: int | None = None) -> int:
    """One a physical core, one fewer when the machine is busy, at least one.

    Args:
        load: the load average of the last minute; asked for when left out.
        cores: physical cores; asked for when left out.
    """
    cores = physical_cores() if cores is None else cores
    if load is None:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, cores - 1) if load > cores * 0.75 else max(1, cores)


def physical_cores() -> int:
    """The physical cores that this process may use; a second thread of a core adds nothing."""
    usable = _usable()
    siblings = set()
    for number in usable:
        topology = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        try:
            siblings.add(topology.read_text())
        except OSError:
            # Not Linux: most machines with this many have two threads a core.
            return max(1, len(usable) // 2 if len(usable) >= _MANY else len(usable))
    return max(1, min(len(siblings), _quota()))


def _usable() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _quota() -> int:
    """The whole cores of a container's limit; threads above it wait for each other."""
    try:
        most, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(most) // int(period))
    except (OSError, ValueError):
        return os.cpu_count() or 1

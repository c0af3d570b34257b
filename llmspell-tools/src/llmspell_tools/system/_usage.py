"""What the machine is doing, by psutil. Everything is plain data; sizes are bytes."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

#: How long use is measured, in seconds.
SAMPLE_S = 0.1
_MOST_PROCESSES = 20_000


def cpu(psutil: Any) -> dict[str, Any]:
    """Use of the processors since a moment ago."""
    per_core = psutil.cpu_percent(interval=SAMPLE_S, percpu=True)
    found: dict[str, Any] = {
        "percent": round(sum(per_core) / max(len(per_core), 1), 1),
        "per_core": per_core,
        "cores": psutil.cpu_count(),
        "physical_cores": psutil.cpu_count(logical=False),
    }
    load = psutil.getloadavg()
    return {**found, "load": {"1m": load[0], "5m": load[1], "15m": load[2]}}


def memory(psutil: Any) -> dict[str, Any]:
    """Use of memory and of swap space."""
    main, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {
        "total": main.total,
        "available": main.available,
        "used": main.used,
        "free": main.free,
        "percent": main.percent,
        "swap": {"total": swap.total, "used": swap.used, "percent": swap.percent},
    }


def disk(psutil: Any, paths: Sequence[str]) -> list[dict[str, Any]]:
    """The file systems that these paths are on; a path that is not there is left out."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for path in paths:
        try:
            usage = psutil.disk_usage(path)
        except OSError:
            continue
        # As many bytes in all and free ones: the same file system.
        found.setdefault(
            (usage.total, usage.free),
            {
                "path": path,
                "total": usage.total,
                "used": usage.used,
                "free": usage.free,
                "percent": usage.percent,
            },
        )
    return [*found.values()]


def processes(psutil: Any, order: str, limit: int) -> dict[str, Any]:
    """The processes that use the most. Of others than one's own the system may tell less.

    Their command lines, which may hold secrets, are not asked for.
    """
    names = ["name", "status", "memory_info", "cpu_times", "create_time"]
    before = _cpu_seconds(psutil)
    started = time.monotonic()
    time.sleep(SAMPLE_S)
    rows = []
    for process in islice(psutil.process_iter(names), _MOST_PROCESSES):
        now = _seconds(process.info["cpu_times"])
        share = max(0.0, now - before.get(process.pid, now)) / (time.monotonic() - started)
        rows.append(_row(process, share))
    keys = {
        "cpu": lambda row: (-row["cpu_percent"], -(row["memory"] or 0)),
        "memory": lambda row: -(row["memory"] or 0),
        "name": lambda row: (row["name"] or "").casefold(),
        "pid": lambda row: row["pid"],
    }
    rows.sort(key=keys[order])
    return {"processes": rows[:limit], "count": len(rows), "truncated": len(rows) > limit}


def _cpu_seconds(psutil: Any) -> dict[int, float]:
    return {one.pid: _seconds(one.info["cpu_times"]) for one in psutil.process_iter(["cpu_times"])}


def _seconds(times: Any) -> float:
    return float(times.user + times.system) if times is not None else 0.0


def _row(process: Any, share: float) -> dict[str, Any]:
    info = process.info
    return {
        "pid": process.pid,
        "name": info["name"],
        "status": info["status"],
        "cpu_percent": round(share * 100, 1),
        "memory": info["memory_info"].rss if info["memory_info"] is not None else None,
        "started": _moment(info["create_time"]),
    }


def system(psutil: Any) -> dict[str, Any]:
    """What machine it is, and since when it runs."""
    booted = psutil.boot_time()
    return {
        "platform": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "booted": _moment(booted),
        "uptime_seconds": round(time.time() - booted),
        "process_count": len(psutil.pids()),
    }


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

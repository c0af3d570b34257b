"""What the sandbox costs: a worker that is ready with it and without, and its parts.

    python benchmarks/sandbox.py [--json] [--quick]

All take turns in one run, and the least of each is shown. "Ready" is from the start of the
process until the host has heard that the worker waits for a script.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import Any

from measuring import report, rounds

from llmspell_bridge.engines import load_engine
from llmspell_bridge.isolation import layers
from llmspell_bridge.manifests import load_manifests
from llmspell_bridge.worker.process import folders
from llmspell_bridge.worker.proxy import WorkerProcess
from llmspell_bridge.worker.testing import EngineHost

BARE = [sys.executable, "-I", "-S", "-E", "-c", "pass"]
#: What the worker's sandbox is made of, timed in a process like a worker.
PARTS = """
import sys, time
sys.path.extend(sys.argv[1:])
for name in ("llmspell_bridge", "llmspell_core"):
    for folder in sys.argv[1:]:
        try: open(f"{folder}/{name}/__init__.py").close()
        except OSError: continue
        module = type(sys)(name); module.__path__ = [f"{folder}/{name}"]; sys.modules[name] = module
from llmspell_bridge.worker import limits
import _socket
limits.die_with_parent()
t = [time.perf_counter()]
from llmspell_core.script import natives
natives.preload(); limits.keep_time_zone(); t.append(time.perf_counter())
from llmspell_bridge.worker.sandbox_linux import give_up; t.append(time.perf_counter())
limits.give_up_powers({"isolation": "process", "limits": {"memory_mb": 256, "cpu_s": 60}})
t.append(time.perf_counter())
give_up(kill=False); t.append(time.perf_counter())
sys.stdout.write(" ".join(str((b - a) * 1e3) for a, b in zip(t, t[1:])))
sys.stdout.flush()
"""
NAMES = ("preload", "import", "limits", "Landlock and seccomp")


async def ready(isolation: str, manifests: list[Any]) -> float:
    """Milliseconds until a Lua worker is ready."""
    options = {
        "globals": manifests,
        "libraries": ["base", "string", "table", "math", "os", "io"],
        "limits": {"memory_mb": 256, "cpu_s": 60},
        "isolation": isolation,
    }
    engine = load_engine("lua")
    started = time.perf_counter()
    session = await WorkerProcess(engine.info).start(EngineHost(), options)
    await session.started()
    taken = (time.perf_counter() - started) * 1e3
    session.close()
    return taken


def bare() -> float:
    """Milliseconds of an interpreter that does nothing."""
    started = time.perf_counter()
    subprocess.run(BARE, check=True)
    return (time.perf_counter() - started) * 1e3


def parts() -> dict[str, float]:
    """Milliseconds of each part, in one process."""
    command = [*BARE[:-1], PARTS, *folders(())]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=True)
    return {
        f"  {name}, ms": float(taken)
        for name, taken in zip(NAMES, done.stdout.split(), strict=True)
    }


async def main() -> dict[str, float]:
    """All figures."""
    manifests = [*load_manifests().values()]
    found: dict[str, float] = {}

    def keep(name: str, value: float) -> None:
        found[name] = min(value, found.get(name, value))

    for _ in range(rounds(40)):
        keep("python -I -S -E -c pass, ms", bare())
        for isolation in ("process", "worker", "sandbox"):
            keep(f"ready, {isolation}, ms", await ready(isolation, manifests))
        if sys.platform == "linux" and not any(one.missing for one in layers()):
            for name, value in parts().items():
                keep(name, value)
    return found


if __name__ == "__main__":
    report(asyncio.run(main()))

"""What it costs to start: the command, a run of a script, a worker.

    python benchmarks/processes.py [--json] [--quick]

CPU is user and system time of the process and what it waited for, the worker of a run included;
each thing is measured by turns with what it is compared to, and the best of all turns counts.
Imports little: a process that is started from here counts our memory as its own at first.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

from measuring import clean_environment, report, rounds

PASS = [sys.executable, "-c", "pass"]
BARE = [sys.executable, "-I", "-S", "-E", "-c", "pass"]
LLMSPELL = [sys.executable, "-m", "llmspell_cli"]
READY = """
import asyncio, sys, time
from llmspell_bridge.engines import load_engine
from llmspell_bridge.manifests import load_manifests
from llmspell_bridge.worker.proxy import WorkerProcess

class Channel:
    def __getattr__(self, name): return lambda *args: None

async def main():
    engine, found = load_engine("lua"), list(load_manifests().values())
    options = {"globals": found, "libraries": ["base", "string", "table", "math", "os", "io"],
               "limits": {"memory_mb": 256, "cpu_s": 60}}
    best, most = 9.0, 0
    for _ in range(int(sys.argv[1])):
        started = time.perf_counter()
        worker = WorkerProcess(engine.info)
        session = await worker.start(Channel(), options)
        await session.ready
        best = min(best, time.perf_counter() - started)
        with open(f"/proc/{session.pid}/status") as file:
            most = max(most, *(int(line.split()[1]) for line in file if line.startswith("VmHWM")))
        session.close()
    print(best, most)

asyncio.run(main())
"""


def once(command: list[str], environment: dict[str, str]) -> tuple[float, ...]:
    """CPU ms, wall ms and peak MB of a command, which must succeed."""
    started = time.perf_counter()
    child = os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    return (used.ru_utime + used.ru_stime) * 1e3, wall * 1e3, used.ru_maxrss / 1024


def best(
    commands: dict[str, list[str]], times: int, environment: dict[str, str]
) -> dict[str, tuple[float, ...]]:
    """The smallest figures of each command, measured by turns."""
    found: dict[str, tuple[float, ...]] = {}
    for turn in range(times + 1):
        for name, command in commands.items():
            measured = once(command, environment)
            if turn:  # the first turn only fills the caches
                found[name] = tuple(map(min, measured, found.get(name, measured)))
    return found


def ready(times: int, folder: str, environment: dict[str, str]) -> tuple[float, float]:
    """Milliseconds until a worker is ready, and its peak MB."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", READY, str(times)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kib = done.stdout.split()
    return float(seconds) * 1e3, float(kib) / 1024


def main() -> dict[str, float]:
    """All figures."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("hello.lua", "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
            file.write('print("hello")\n')
        environment = clean_environment(folder)
        commands = {
            "pass": PASS,
            "bare": BARE,
            "version": [*LLMSPELL, "--version"],
            "run": [*LLMSPELL, "run", "hello.lua"],
        }
        for name, (cpu, wall, peak) in best(commands, rounds(15), environment).items():
            figures |= {f"{name}_cpu_ms": cpu, f"{name}_wall_ms": wall, f"{name}_mb": peak}
        figures["ready_ms"], figures["worker_mb"] = ready(rounds(20), folder, environment)
    return figures


if __name__ == "__main__":
    report(main())

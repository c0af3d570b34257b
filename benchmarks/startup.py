"""What a start costs: CPU time, wall time and memory, as ratios to ``python -c pass``.

    python benchmarks/startup.py [--json] [--quick]

All commands take turns in one run, so that they share whatever else the machine does; the least
of each is shown, since everything else only adds to it. CPU time is that of the process and of
its worker, memory that of the larger of the two.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measuring import clean_environment, report, rounds


@dataclass
class Cost:
    """The least that a command took so far: seconds of CPU and of time, MiB."""

    cpu: float = 1e9
    wall: float = 1e9
    memory: float = 1e9

    def add(self, other: Cost) -> None:
        """Take another measurement into account."""
        self.cpu = min(self.cpu, other.cpu)
        self.wall = min(self.wall, other.wall)
        self.memory = min(self.memory, other.memory)


def commands(folder: Path) -> dict[str, list[str]]:
    """What is compared, by name."""
    spell = folder / "print.lua"
    spell.write_text('print("hello")\n')
    python = sys.executable
    llmspell = [python, "-m", "llmspell_cli"]
    return {
        "python -c pass": [python, "-c", "pass"],
        "python -c 'import asyncio'": [python, "-c", "import asyncio"],
        "python -c 'import pydantic, click'": [python, "-c", "import pydantic.main, click"],
        "llmspell --version": [*llmspell, "--version"],
        "llmspell eval 'return 6*7'": [*llmspell, "eval", "return 6*7"],
        "llmspell run print.lua": [*llmspell, "run", str(spell)],
        "llmspell run --profile low": [*llmspell, "run", "--profile", "low", str(spell)],
    }


def measure(command: list[str], env: dict[str, str]) -> Cost:
    """Run a command once. Its workers are its own children: their CPU time is in its."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / scale)


def measured() -> dict[str, Cost]:
    """The least of each command."""
    with tempfile.TemporaryDirectory() as folder:
        table = commands(Path(folder))
        env = clean_environment(folder)
        costs = {name: Cost() for name in table}
        for command in table.values():
            measure(command, env)  # the first one writes the .pyc files
        for _ in range(rounds(15)):
            for name, command in table.items():
                costs[name].add(measure(command, env))
    return costs


def main() -> None:
    """Measure all, and print a table."""
    costs = measured()
    if "--json" in sys.argv:
        figures: dict[str, float] = {}
        for name, cost in costs.items():
            figures |= {
                f"{name}, CPU ms": cost.cpu * 1e3,
                f"{name}, ms": cost.wall * 1e3,
                f"{name}, MiB": cost.memory,
            }
        report(figures)
        return
    base = costs["python -c pass"]
    print(f"{'':36} {'CPU ms':>7} {'ratio':>6}  {'wall ms':>7} {'ratio':>6}  {'MiB':>5}")
    for name, cost in costs.items():
        print(
            f"{name:36} {cost.cpu * 1e3:7.1f} {cost.cpu / base.cpu:6.1f}  "
            f"{cost.wall * 1e3:7.1f} {cost.wall / base.wall:6.1f}  {cost.memory:5.1f}"
        )


if __name__ == "__main__":
    main()

"""What llmspell costs, in one table: ``make bench``, in two minutes or less.

    hatch run python benchmarks/run.py [--quick]

Each figure stands beside what it is compared to, measured by turns in the same run, and the best
of several rounds counts: a busy machine makes figures larger, never smaller. Ratios decide,
absolute figures depend on the machine. `--quick` has fewer rounds: it shows that all benchmarks
run. The status is 0 whatever the verdicts say.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import clean_environment

HERE = Path(__file__).resolve().parent
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, what it is compared to, and how large it (or the ratio) may be."""

    label: str
    value: float
    unit: str
    target: float | None = None
    beside: str = ""
    base: float = 0.0

    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        ratio = self.value / self.base if self.base else 0.0
        judged, unit = (ratio, "x") if self.base else (self.value, f" {self.unit}")
        return (
            self.label,
            f"{_number(self.value)} {self.unit}",
            f"{_number(self.base)} {self.unit}" if self.base else "",
            self.beside,
            f"{ratio:.2f}x" if self.base else "",
            f"<= {self.target:g}{unit}" if self.target else "",
            ("ok" if judged <= self.target else "OVER") if self.target else "",
        )


def figures_of(script: str, folder: str) -> Figures:
    """Run one benchmark in a process of its own and take its figures."""
    quick = [arg for arg in sys.argv[1:] if arg == "--quick"]
    done = subprocess.run(
        [sys.executable, str(HERE / script), "--json", *quick],
        cwd=folder,
        env=clean_environment(folder),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: Figures = json.loads(done.stdout)
    return found


def starting(one: Figures) -> Iterator[Row]:
    """Rows of `startup.py`."""
    bare, beside = one["python -c pass, CPU ms"], "python -c pass"
    name = "llmspell --version"
    yield Row(f"{name}, CPU", one[f"{name}, CPU ms"], "ms", 4, beside, bare)
    name = "llmspell run print.lua"
    yield Row(f"{name}, CPU", one[f"{name}, CPU ms"], "ms", 14, beside, bare)
    yield Row("  wall time", one[f"{name}, ms"], "ms", 200)
    yield Row("  memory of the host", one[f"{name}, MiB"], "MiB", 60)


def engine(one: Figures) -> Iterator[Row]:
    """Rows of `engine_lua.py`."""
    beside = "python -I -S -E -c pass"
    bare = one["python -c pass, ms"]
    yield Row("a Lua worker is ready", one["worker ready, ms"], "ms", 2.8, beside, bare)
    yield Row("  memory of the worker", one["worker, MiB"], "MiB", 15)
    yield Row("engine alone: a call, in process", one["host call in process, us"], "us")
    yield Row("engine alone: a call, suspended", one["... that suspends, us"], "us")
    yield Row(
        "engine alone: a call, worker",
        one["host call through a worker, us"],
        "us",
        1.5,
        "bare ping-pong",
        one["bare ping-pong, us"],
    )


def javascript(one: Figures) -> Iterator[Row]:
    """Rows of `engine_js.py`."""
    yield Row("a JavaScript worker is ready", one["worker ready, ms"], "ms")
    yield Row("  a session in this process", one["session in process, ms"], "ms", 5)
    yield Row("JavaScript alone: a call, in process", one["host call in process, us"], "us", 60)
    yield Row("JavaScript alone: a call, later", one["... answered later, us"], "us")
    yield Row(
        "JavaScript alone: a call, worker",
        one["host call through a worker, us"],
        "us",
        None,
        "bare ping-pong",
        one["bare ping-pong, us"],
    )
    yield Row("50 waits of 50 ms, worker", one["50 waits of 50 ms through a worker, ms"], "ms", 75)


def sandboxing(one: Figures) -> Iterator[Row]:
    """Rows of `sandbox.py`."""
    beside = "python -I -S -E -c pass"
    bare = one["python -I -S -E -c pass, ms"]
    yield Row("ready, without its sandbox", one["ready, process, ms"], "ms", None, beside, bare)
    yield Row("ready, under medium", one["ready, worker, ms"], "ms", 2.8, beside, bare)
    yield Row("ready, under high", one["ready, sandbox, ms"], "ms", 2.8, beside, bare)


def calling(one: Figures) -> Iterator[Row]:
    """Rows of `host_calls.py`."""
    yield Row("host call, in process, synchronous", one["sync_us"], "us", 5)
    yield Row("host call, in process, suspended", one["suspended_us"], "us", 20)
    bare, beside = one["ping_pong_us"], "bare ping-pong"
    yield Row("host call, worker, synchronous", one["worker_sync_us"], "us", 1.5, beside, bare)
    yield Row("host call, worker, suspended", one["worker_suspended_us"], "us", None, beside, bare)


def engines(one: Figures) -> Iterator[Row]:
    """Rows of `engines.py`: the middle, and beside it the slow end."""
    for name in dict.fromkeys(label.partition(":")[0] for label in one):
        for what, unit in (("ready", "ms"), ("call", "us")):
            slow = one[f"{name}: {what} p95, {unit}"]
            beside = f"p95 {_number(slow)} {unit}"
            yield Row(f"{name}: {what}", one[f"{name}: {what} p50, {unit}"], unit, beside=beside)


def fairness(one: Figures) -> Iterator[Row]:
    """Rows of `fairness.py`."""
    alone = one["alone, the last done after, ms"]
    label = f"{one['spells']:.0f} spells at once beside 10 hostile"
    beside = "the same spells alone"
    last = one["beside ten hostile ones, the last done after, ms"]
    yield Row(label, last, "ms", None, beside, alone)
    done = one["beside ten hostile ones, done"]
    yield Row("  of them done", done, "", beside=f"{one['hostile, ended by a limit']:.0f} ended")


def agents(one: Figures) -> Iterator[Row]:
    """Rows of `agent_turn.py`."""
    yield Row("agent turn above the model", one["answer_us"], "us", 150)
    yield Row("  with one tool call", one["one_tool_us"], "us", 300)
    yield Row("first delta after the model's chunk", one["first_delta_us"], "us", 100)
    yield Row("  each event of a run, handed out", one["event_us"], "us")


def histories(one: Figures) -> Iterator[Row]:
    """Rows of `history_view.py`."""
    beside, base = "writing it as JSON", one["(written as JSON), ms"]
    for kind in ("sound", "broken"):
        name = f"{kind}, repaired and viewed, ms"
        yield Row(f"10,000 messages, {kind}", one[name], "ms", 20)
    yield Row("  viewed again", one["sound, viewed again, ms"], "ms", None, beside, base)


def frameworks(one: Figures) -> Iterator[Row]:
    """Rows of `frameworks.py`."""
    for what in ("answer", "one tool"):
        ours = one[f"ours: {what}, ms"]
        for name in ("pydantic_ai", "agents", "langgraph"):
            if (theirs := one.get(f"{name}: {what}, ms")) is not None:
                shown = {"agents": "openai-agents"}.get(name, name.replace("_", "-"))
                label = f"agent turn, {what}"
                target = 0.15 if name == "pydantic_ai" else None
                yield Row(label, ours, "ms", target, shown, theirs)


def tools(one: Figures) -> Iterator[Row]:
    """Rows of `tool_cost.py`."""
    yield Row("tool call above its function", one["ours, us"], "us", 30)
    for name in ("langchain_core", "pydantic_ai"):
        if f"{name}, us" in one:
            yield Row(f"  {name}'s tool object", one[f"{name}, us"], "us")


def parallel(one: Figures) -> Iterator[Row]:
    """Rows of `fifty.py`."""
    label, beside = "50 agent:execute at once, from Lua", "bare httpx"
    yield Row(label, one["fifty_ms"], "ms", 1.3, beside, one["bare_httpx_ms"])
    yield Row("  above the endpoint's own 100 ms", one["fifty_ms"] - 100, "ms")


def thousand(one: Figures) -> Iterator[Row]:
    """Rows of `thousand.py`."""
    yield Row("1,000 agents with a tool at once", one["thousand, s"], "s", 2)
    yield Row("  CPU, with making the agents", one["thousand, CPU s"], "s")
    yield Row("  memory above idle", one["thousand, MiB"], "MiB", 200)
    yield Row("  asking a real HTTP endpoint", one["thousand over HTTP, s"], "s")


def tracing(one: Figures) -> Iterator[Row]:
    """Rows of `tracing_cost.py`."""
    yield Row("tool call, telemetry off: the look", one["the look, us"], "us", 0.5)
    off, beside = one["turn, off, us"], "telemetry off"
    yield Row("agent turn, hook tracing", one["turn, hook, us"], "us", None, beside, off)
    if "turn, exported, us" in one:
        yield Row("agent turn, exported", one["turn, exported, us"], "us", None, beside, off)


def workflows(one: Figures) -> Iterator[Row]:
    """Rows of `workflow_cost.py`."""
    yield Row("workflow of 100 functions", one["100 functions"], "ms", 10)
    tools, bare = one["100 tools"], one["(the same 100 tool calls alone)"]
    yield Row("workflow of 100 tools", tools, "ms", None, "the tool calls alone", bare)


def core(one: Figures) -> Iterator[Row]:
    """Rows of `core_costs.py`."""
    for hooks in (0, 1, 10):
        name = f"hook point, {hooks} hooks"
        yield Row(name, one[name], "us")
    for handlers in (0, 1, 100):
        name = f"event, {handlers} handlers"
        yield Row(name, one[name], "us", None if handlers else 3)
    for name in ("state get, memory", "state set, sqlite"):
        yield Row(name, one[name], "us")


BENCHMARKS = {
    "startup.py": starting,
    "engine_lua.py": engine,
    "engine_js.py": javascript,
    "sandbox.py": sandboxing,
    "host_calls.py": calling,
    "engines.py": engines,
    "fairness.py": fairness,
    "agent_turn.py": agents,
    "history_view.py": histories,
    "frameworks.py": frameworks,
    "tool_cost.py": tools,
    "fifty.py": parallel,
    "thousand.py": thousand,
    "tracing_cost.py": tracing,
    "workflow_cost.py": workflows,
    "core_costs.py": core,
}
HEAD = ("", "measured", "", "beside", "ratio", "target", "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _line(cells: tuple[str, ...]) -> str:
    label, value, base, beside, ratio, target, verdict = cells
    text = f"{label:<37}{value:>10}  {base:>10} {beside:<24}{ratio:>8}  {target:<10}{verdict}"
    return text.rstrip()


def main() -> int:
    """Print the table as the figures come."""
    started = time.monotonic()
    cores = os.cpu_count()
    print(f"{platform.system()}, {cores} cores, Python {platform.python_version()}\n")
    print(_line(HEAD))
    over = 0
    with TemporaryDirectory() as folder:
        for script, rows in BENCHMARKS.items():
            for row in rows(figures_of(script, folder)):
                cells = row.cells()
                over += cells[-1] == "OVER"
                print(_line(cells), flush=True)
    busy = max(0.0, os.getloadavg()[0] - 1) / (cores or 1) if hasattr(os, "getloadavg") else 0.0
    print(f"\n{over} over their target, {time.monotonic() - started:.0f} s", end="")
    print("; the machine was busy with other things" if busy > 0.5 else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())

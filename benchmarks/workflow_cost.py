"""What a workflow costs above its own work: us per step, hooks and events on.

    python benchmarks/workflow_cost.py [--json] [--quick]

A run of 100 trivial functions should stay under 10 ms.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from typing import Any

from measuring import report, rounds

from llmspell_core.runtime import Runtime
from llmspell_core.tool import tool
from llmspell_workflows import Workflow

STEPS = 100
FIGURES: dict[str, float] = {}


@tool
def same(n: int) -> int:
    """N itself."""
    return n


async def best(work: Callable[[], Awaitable[Any]]) -> float:
    """The ms of the quickest of some runs, since noise only ever adds."""
    await work()
    found = []
    for _ in range(rounds(30)):
        gc.collect()
        started = time.perf_counter()
        await work()
        found.append(time.perf_counter() - started)
    return min(found) * 1000


def row(label: str, ms: float) -> None:
    """Keep one figure: the milliseconds of the whole."""
    FIGURES[label] = ms


def steps(**fields: Any) -> list[dict[str, Any]]:
    """As many steps as are measured, all alike."""
    return [{"name": f"s{number}", **fields} for number in range(STEPS)]


async def main() -> dict[str, float]:
    """All figures, in milliseconds."""
    async with Runtime({"state": {"backend": "memory"}}) as runtime:
        ctx = runtime.context()
        kinds = {
            "functions": steps(execute=lambda ctx: 1),
            "functions, each with a condition": steps(execute=lambda ctx: 1, when="input.n > 0"),
            "templates of one name": steps(template="n is {{input.n}}"),
            "templates with a filter": steps(template="{{ input.n | default(0) }}"),
            "tools": steps(tool=same, input={"n": "{{input.n}}"}),
        }
        for label, given in kinds.items():
            workflow = Workflow("bench", given)

            async def run(workflow: Workflow = workflow) -> None:
                await workflow.run_result({"n": 1}, ctx)

            row(f"{STEPS} {label}", await best(run))

        async def calls() -> None:
            for _ in range(STEPS):
                await same.call({"n": 1}, ctx)

        row(f"(the same {STEPS} tool calls alone)", await best(calls))
        row(f"making a workflow of {STEPS} steps", await best(lambda: made(kinds["tools"])))
    return FIGURES


async def made(given: list[dict[str, Any]]) -> Workflow:
    """A workflow, made and not run."""
    return Workflow("bench", given)


if __name__ == "__main__":
    report(asyncio.run(main()))

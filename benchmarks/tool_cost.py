"""What calling a trivial tool costs above the function itself, beside other frameworks' tools.

    python benchmarks/tool_cost.py [--json] [--quick]

The same asynchronous function of two integers, called by name and value through each framework's
tool object, arguments validated from plain data. Ours has its hooks, events, policy, account and
deadline around it; `langchain-core` its callbacks. Microseconds of CPU, taken by turns; frameworks
that are not installed are left out (`make bench` installs them).
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable
from typing import Any

from measuring import best_us, report, rounds

from llmspell_core.runtime import Runtime
from llmspell_core.tool import tool

CALLS = 1_000
GIVEN = {"a": 1, "b": 2}
Work = Callable[[], Awaitable[Any]]


async def add(a: int, b: int) -> int:
    """The sum.

    Args:
        a: one number
        b: the other
    """
    return a + b


def of_langchain() -> Work:
    """By `StructuredTool.ainvoke`."""
    from langchain_core.tools import StructuredTool

    made = StructuredTool.from_function(coroutine=add, name="add")
    return lambda: made.ainvoke(GIVEN)


def of_pydantic_ai() -> Work:
    """By a `FunctionToolset`, as an agent's run calls it: validate, then call."""
    from pydantic_ai import FunctionToolset, RunContext
    from pydantic_ai.models.test import TestModel
    from pydantic_ai.usage import RunUsage

    tools: Any = FunctionToolset([add])
    ctx: Any = RunContext(deps=None, model=TestModel(), usage=RunUsage())
    found: dict[str, Any] = {}

    async def call() -> Any:
        if not found:
            found.update(await tools.get_tools(ctx))
        one = found["add"]
        args = one.args_validator.validate_python(GIVEN)
        return await tools.call_tool("add", args, ctx, one)

    return call


OTHERS = {"langchain_core": of_langchain, "pydantic_ai": of_pydantic_ai}


async def main() -> dict[str, float]:
    """All figures."""
    async with Runtime({}) as runtime:
        ctx = runtime.context()
        ours = tool(add)
        works: dict[str, Work] = {
            "the function, us": lambda: add(**GIVEN),
            "ours, us": lambda: ours.call(GIVEN, ctx),
        }
        for name, made in OTHERS.items():
            if importlib.util.find_spec(name) is not None:
                works[f"{name}, us"] = made()
        best = dict.fromkeys(works, float("inf"))
        for _ in range(rounds(10)):
            for name, work in works.items():
                best[name] = min(best[name], await best_us(work, CALLS, 1, time.process_time))
    function = best.pop("the function, us")
    return {name: value - function for name, value in best.items()}


if __name__ == "__main__":
    report(asyncio.run(main()))

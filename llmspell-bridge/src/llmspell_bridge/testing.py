"""A ScriptRuntime for tests: no files, no network, nothing on disk, models that are scripted.

async with script_runtime(GreeterGlobal, isolation="worker") as runtime:
assert (await run_source(runtime, "return Greeter.greet('Ada')")).value == "Hello, Ada."
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.result import ScriptResult
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_core.script.api import ScriptGlobal
from llmspell_core.testing import ScriptedProvider

#: How a script may be isolated: what holds for one must hold for the other.
CARRIERS = ("process", "worker")


@asynccontextmanager
async def script_runtime(
    *globals_: type[ScriptGlobal],
    isolation: str = "process",
    replies: tuple[Any, ...] = (),
    settings: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[ScriptRuntime]:
    """An open runtime.

    Args:
        globals_: globals that scripts see beside the installed ones
        isolation: ``process`` or ``worker``
        replies: what the only model answers, in order
        settings: settings as data, over those of the tests
        options: further arguments of `ScriptRuntime`
    """
    provider = ScriptedProvider(*replies)
    given = {
        "default": {"model": f"{provider.name}/{provider.default_model}"},
        "state": {"backend": "memory"},
        **(settings or {}),
    }
    runtime = ScriptRuntime(given, isolation=isolation, **options)
    for declared in globals_:
        runtime.add_global(declared)
    async with runtime:
        runtime.add_provider(provider)
        yield runtime


async def run_source(
    runtime: ScriptRuntime, source: str, name: str = "spell.lua", **options: Any
) -> ScriptResult:
    """Run a text as a script; `options` are those of `ScriptRuntime.run`."""
    return await runtime.run(ScriptSource(source, name), **options)

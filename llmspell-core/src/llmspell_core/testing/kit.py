"""`scripted_runtime`: a Runtime for tests whose only model is a `ScriptedProvider`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from llmspell_core.runtime import Runtime
from llmspell_core.testing.scripted import Reply, ScriptedProvider


@asynccontextmanager
async def scripted_runtime(
    *replies: Reply, settings: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[Runtime, ScriptedProvider]]:
    """A runtime without files, network and state on disk, and the provider it asks.

    ::

        async with scripted_runtime("Hello.") as (runtime, provider):
            agent = Agent("Be polite.")
            assert (await agent.execute("Hi", runtime.context())).text == "Hello."

    Args:
        replies: what the model answers, in order
        settings: settings as data, over those of the tests
        options: further arguments of `ScriptedProvider`
    """
    provider = ScriptedProvider(*replies, **options)
    given = {
        "default": {"model": f"{provider.name}/{provider.default_model}"},
        "state": {"backend": "memory"},
        **(settings or {}),
    }
    async with Runtime(given) as runtime:
        runtime.add_provider(provider)
        yield runtime, provider

"""Agents that the configuration names."""

from __future__ import annotations

import asyncio

import pytest

from llmspell_core.errors import ValidationError
from llmspell_core.testing import scripted_runtime

SETTINGS = {
    "agents": {
        "reviewer": {"system_prompt": "You review.", "description": "reviews code"},
        "broken": {"temprature": 1},
    }
}


def test_a_configured_agent_is_made_when_it_is_asked_for() -> None:
    async def main() -> None:
        async with scripted_runtime("fine", settings=SETTINGS) as (runtime, provider):
            ctx = runtime.context()
            entry = runtime.base.agents.entry("reviewer")
            assert entry is not None
            assert (entry.loaded, entry.summary) == (False, "reviews code")
            out = await ctx.overlay.agents.get("reviewer").execute("x", ctx)
            assert (out.text, out.agent) == ("fine", "reviewer")
            assert provider.requests[0].messages[0].text == "You review."

    asyncio.run(main())


def test_a_mistake_in_one_agent_costs_only_that_agent() -> None:
    async def main() -> None:
        async with scripted_runtime("fine", settings=SETTINGS) as (runtime, _):
            with pytest.raises(ValidationError, match='agent broken: unknown field "temprature"'):
                runtime.base.agents.get("broken")
            assert runtime.base.agents.get("reviewer").name == "reviewer"

    asyncio.run(main())

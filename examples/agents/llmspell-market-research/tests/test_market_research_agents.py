"""What the agents inherit, and what they tell the model."""

from __future__ import annotations

import asyncio

from llmspell_market_research.agents import MARKET_RESEARCH, TEA_MARKET

from llmspell_agents import create_agent, register_template
from llmspell_core.testing import scripted_runtime


def test_two_levels_over_the_built_in_agent() -> None:
    async def main() -> None:
        settings = {"security": {"profile": "none"}}
        async with scripted_runtime("Leaf & Co leads.", settings=settings) as (runtime, model):
            ctx = runtime.context(overlay=runtime.base.child())
            await register_template("market-research", MARKET_RESEARCH, ctx)
            await register_template("tea-market", TEA_MARKET, ctx)
            agent = await create_agent({"extends": "tea-market"}, ctx)
            assert agent.metadata["template"] == ["research", "market-research", "tea-market"]
            assert "csv-analyzer" in agent.tools.names()
            assert "citation-formatter" not in agent.tools.names()
            assert (await agent.execute("Who leads?", ctx)).text == "Leaf & Co leads."
            assert "the market for tea." in model.requests[0].messages[0].text

    asyncio.run(main())

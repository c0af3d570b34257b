"""market_research.py: an agent that extends the built-in one for research, over two levels."""

import asyncio
import sys

from llmspell import create_agent, register_template

MARKET_RESEARCH = {
    "extends": "research",
    "description": "Watches a market and its competitors.",
    "parameters": {
        "topic": "markets",  # a new default of an inherited one
        "market": {"type": "string", "required": True},
        "competitors": {"type": "array", "items": {"type": "string"}, "default": []},
    },
    "prompt_append": (
        "You watch the market for {{ market }}."
        "{% if competitors %} Compare {{ competitors | join(', ') }}.{% endif %}"
    ),
    "tools_add": ["csv-analyzer"],
    "tools_remove": ["citation-formatter"],
    "capabilities": ["market-research"],
    "limits": {"requests": 20},
}
TEA_MARKET = {
    "extends": "market-research",
    "parameters": {"market": "tea", "depth": "quick"},
    "prompt_append": "Answer in at most three sentences.",
}


async def main(question: str) -> None:
    """Declare both levels, make an agent, and ask it."""
    await register_template("market-research", MARKET_RESEARCH)
    await register_template("tea-market", TEA_MARKET)
    analyst = await create_agent(
        {
            "name": "MarketResearchAgent",
            "extends": "tea-market",
            "parameters": {"competitors": ["Leaf & Co", "Kettle Ltd"]},
            "temperature": 0,
        }
    )
    print(" > ".join(analyst.metadata["template"]))
    print(*analyst.tools.names())
    answer = await analyst.execute(question)
    print(f"{answer.agent}: {answer.text}")


if __name__ == "__main__":
    asyncio.run(main((sys.argv[1:] or ["Who leads the market, and why?"])[0]))

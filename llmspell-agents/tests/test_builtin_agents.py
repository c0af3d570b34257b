"""The built-in agents: what each is for, its tools, prompt, parameters and memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import create_agent
from llmspell_agents.config import PromptTemplate
from llmspell_agents.templates.template import Template
from llmspell_core.extensions import Extensions
from llmspell_core.testing import scripted_runtime, tool_call

TOOLS = {
    "chat": "web-searcher calculator datetime-handler",
    "research": (
        "web-searcher academic-searcher web-scraper text-summarizer statistical-analyzer "
        "citation-formatter"
    ),
    "code": "file-operations file-search process-executor text-analyzer diff-calculator",
    "content": "web-searcher text-analyzer text-manipulator template-creator",
    "data-analyst": (
        "csv-analyzer data-transformer statistical-analyzer data-visualizer json-processor"
    ),
    "customer-service": "sentiment-analyzer",
    "api-integration": "http-requester api-tester graphql-query data-validator webhook-caller",
}
REQUIRED = {"customer-service": ["company"], "api-integration": ["service"]}
#: Something that each prompt says only where the parameter is given.
GIVEN: dict[str, dict[str, Any]] = {
    "chat": {"persona": "a parrot", "language": "Latin"},
    "research": {"topic": "bees", "depth": "deep", "citation_style": "ieee"},
    "code": {"language": "Lua", "style": "PEP 8", "test_command": "tox -e lint"},
    "content": {"content_type": "a poem", "audience": "children", "max_words": 77},
    "data-analyst": {"domain": "shipping", "output_folder": "charts", "significance": 0.01},
    "customer-service": {"company": "Acme", "policies": "No refunds."},
    "api-integration": {"service": "Orders", "base_url": "https://api.test", "read_only": True},
}


def template(name: str) -> Template:
    async def main() -> Template:
        async with scripted_runtime() as (runtime, _):
            found: Template = runtime.base.templates.get(name)
            return found

    return asyncio.run(main())


def test_there_are_seven_one_entry_point_each() -> None:
    ours = [one for one in Extensions("agents").values() if one.distribution == "llmspell-agents"]
    assert {one.name for one in ours} == set(TOOLS)
    assert len({one.target.partition(":")[0] for one in ours}) == len(TOOLS)


@pytest.mark.parametrize("name", TOOLS)
def test_it_says_what_it_is(name: str) -> None:
    info = template(name).info()
    assert info["description"]
    assert len(info["description"]) < 80
    assert info["category"] != "agent"
    assert info["capabilities"]
    assert info["example"]
    assert info["tools"] == TOOLS[name].split()
    assert info["required_parameters"] == REQUIRED.get(name, [])
    assert info["optional_parameters"]
    assert template(name).fields["memory"].max_messages >= 40


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("profile", ["medium", "none", "high"])
def test_it_is_made_and_asked_under_each_profile(name: str, profile: str) -> None:
    async def main() -> None:
        settings = {"security": {"profile": profile}}
        async with scripted_runtime("done", settings=settings) as (runtime, provider):
            ctx = runtime.context(overlay=runtime.base.child())
            values = dict.fromkeys(REQUIRED.get(name, []), "Acme")
            agent = await create_agent({"extends": name, "parameters": values}, ctx)
            assert (await agent.execute("hello", ctx)).text == "done"
            left = set(TOOLS[name].split()) - set(agent.tools.names())
            allowed = {one for one in left if ctx.policy.allows_tool(runtime.base.tools.get(one))}
            assert not allowed
            assert not left or profile != "none"
            offered = [one.name for one in provider.requests[0].tools]
            assert len(offered) == len(agent.tools)
            text = provider.requests[0].messages[0].text
            assert "{{" not in text
            assert "{%" not in text
            assert "\n\n\n" not in text
            assert "None" not in text

    asyncio.run(main())


@pytest.mark.parametrize("name", TOOLS)
def test_what_it_is_given_stands_in_its_prompt(name: str) -> None:
    async def main() -> None:
        async with scripted_runtime(default="done") as (runtime, provider):
            ctx = runtime.context(overlay=runtime.base.child())
            spec = {"extends": name, "parameters": GIVEN[name]}
            agent = await create_agent(spec, ctx)
            prompt = agent.config.system_prompt
            assert isinstance(prompt, PromptTemplate)
            await agent.execute("hello", ctx)
            text = provider.requests[0].messages[0].text
            for value in GIVEN[name].values():
                if isinstance(value, str) and value != "deep":
                    assert value in text, (value, text)

    asyncio.run(main())


def test_those_without_required_parameters_are_found_by_name() -> None:
    async def main() -> None:
        async with scripted_runtime(default="done") as (runtime, _):
            found: list[Any] = []
            for name in TOOLS:
                if name in REQUIRED:
                    with pytest.raises(Exception, match=f"parameter {REQUIRED[name][0]}"):
                        runtime.base.agents.get(name)
                else:
                    found.append(runtime.base.agents.get(name))
            assert all(agent.template == agent.name for agent in found)

    asyncio.run(main())


def test_customer_service_hands_over_to_those_it_is_given() -> None:
    async def main() -> None:
        replies = [tool_call("transfer_to_boss", reason="angry"), "I am the boss."]
        async with scripted_runtime(*replies) as (runtime, provider):
            ctx = runtime.context(overlay=runtime.base.child())
            await create_agent({"name": "boss", "system_prompt": "You decide."}, ctx)
            values = {"company": "Acme", "escalate_to": ["boss"]}
            desk = await create_agent({"extends": "customer-service", "parameters": values}, ctx)
            out = await desk.execute("I want the boss!", ctx)
            assert (out.agent, out.text) == ("boss", "I am the boss.")
            assert "hand over to" in provider.requests[0].messages[0].text

    asyncio.run(main())

"""Hooks that change what an agent is made of, and what its model is shown."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent
from llmspell_agents.factory import create_agent
from llmspell_core.errors import LLMSpellError
from llmspell_core.messages import ContentPart, Message
from llmspell_core.provider import ModelRequest
from llmspell_core.testing import scripted_runtime

IMAGE = ContentPart(type="image", data="iVBORw0KGgo=", media_type="image/png")


def made(change: dict[str, Any], **fields: Any) -> Agent:
    async def main() -> Agent:
        async with scripted_runtime() as (runtime, _):
            ctx = runtime.context()

            def hook(seen: Any) -> Any:
                return {"type": "modified", "data": {"input": {**seen.input, **change}}}

            ctx.hooks.register("before_agent_init", hook)
            return await create_agent({"name": "a", "system_prompt": "x", **fields}, ctx)

    return asyncio.run(main())


def test_a_hook_changes_the_fields_of_an_agent_before_it_is_made() -> None:
    agent = made({"temperature": 0.1, "system_prompt": "y"}, max_tokens=5)
    assert agent.config.temperature == 0.1
    assert agent.config.system_prompt == "y"
    assert agent.config.max_tokens == 5


def test_a_hook_that_changes_nothing_leaves_masked_keys_as_they_are() -> None:
    agent = made({}, api_key="sk-own", model="openai/gpt-4o-mini")
    assert agent.config.api_key == "sk-own"


def test_what_a_hook_may_not_change_is_named() -> None:
    with pytest.raises(LLMSpellError, match="name of an agent cannot be changed"):
        made({"name": "b"})


@pytest.mark.parametrize("field", ["input", "messages"])
def test_a_message_with_another_text_keeps_its_images(field: str) -> None:
    from llmspell_agents.llm_hooks import LLMHooks

    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            ctx = runtime.context()

            def hook(seen: Any) -> Any:
                if field == "input":
                    return {"type": "modified", "data": {"input": "masked"}}
                seen.messages[0]["content"] = "masked"
                return {"type": "modified", "data": {"messages": seen.messages}}

            ctx.hooks.register("before_llm_call", hook)
            parts = [ContentPart(text="my number"), IMAGE]
            request = ModelRequest("m", [Message(role="user", content=parts)])
            await LLMHooks("a", "id", ctx).before(request, "m")
            assert request.messages[0].content == [ContentPart(text="masked"), IMAGE]

    asyncio.run(main())

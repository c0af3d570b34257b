"""What an agent is made of: fields, short forms, prompts, mistakes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llmspell_agents import Agent, AgentConfig
from llmspell_core.errors import LLMSpellError, ProviderError, ValidationError
from llmspell_core.provider import Capabilities
from llmspell_core.testing import ScriptedProvider, scripted_runtime


async def one_request(
    input: Any = "go", settings: Any = None, can: Capabilities | None = None, **fields: Any
) -> ScriptedProvider:
    given = {"default": "ok", "capabilities": can}
    async with scripted_runtime(settings=settings, **given) as (runtime, provider):
        await Agent(**fields).execute(input, runtime.context())
        return provider


def test_an_unknown_field_names_the_nearest_one() -> None:
    with pytest.raises(ValidationError, match=r'unknown field "temprature".*"temperature"'):
        AgentConfig.of({"temprature": 1})


def test_wrong_types_name_the_field_and_the_agent() -> None:
    with pytest.raises(ValidationError) as caught:
        AgentConfig.of({"name": "bob", "temperature": "hot", "max_iterations": 0})
    assert caught.value.message.startswith("agent bob: temperature must be a number")
    assert [one["field"] for one in caught.value.details["errors"]] == [
        "temperature",
        "max_iterations",
    ]


def test_camel_case_is_read_and_both_spellings_at_once_are_refused() -> None:
    assert AgentConfig.of({"systemPrompt": "x", "maxTokens": 5}).max_tokens == 5
    with pytest.raises(ValidationError, match="the same field"):
        AgentConfig.of({"systemPrompt": "x", "system_prompt": "y"})


def test_a_text_alone_is_the_system_prompt() -> None:
    assert AgentConfig.of("Be brief.").system_prompt == "Be brief."


def test_the_model_may_be_a_table_with_parameters() -> None:
    config: dict[str, Any] = {
        "model": {"provider": "scripted", "model_id": "big", "temperature": 0.5}
    }
    provider = asyncio.run(one_request(**config))
    assert (provider.requests[0].model, provider.requests[0].temperature) == ("big", 0.5)


def test_a_bare_model_name_uses_the_agents_provider() -> None:
    provider = asyncio.run(one_request(model="tiny", provider="scripted"))
    assert provider.requests[0].model == "tiny"


def test_an_alias_brings_its_parameters_and_the_agents_own_win() -> None:
    models = {"models": {"fast": {"model": "scripted/quick", "temperature": 0.2}}}
    assert asyncio.run(one_request(settings=models, model="fast")).requests[0].temperature == 0.2
    changed = asyncio.run(one_request(settings=models, model="fast", temperature=0.9))
    assert (changed.requests[0].model, changed.requests[0].temperature) == ("quick", 0.9)


def test_custom_config_is_merged_and_what_it_does_not_know_goes_to_the_provider() -> None:
    provider = asyncio.run(one_request(custom_config={"maxTokens": 9, "seed": 4}, max_tokens=5))
    assert provider.requests[0].max_tokens == 5
    assert provider.requests[0].settings == {"seed": 4}


def test_short_forms_of_limits_are_read_and_the_tighter_one_holds() -> None:
    config = AgentConfig.of(
        {
            "limits": {"requests": 9, "wall_ms": 4000, "total_tokens": 5},
            "max_iterations": 3,
            "max_execution_time": 2,
            "timeout_ms": 9000,
            "max_total_tokens": 50,
        }
    )
    assert config.account_limits().requests == 3
    assert config.account_limits().total_tokens == 5
    assert config.deadline_ms() == 2000
    assert AgentConfig.of({}).account_limits().requests == 25


def test_prompts_are_rendered_with_their_variables() -> None:
    prompts = {"prompts": {"strict": "You review {{ language }} code."}}
    given = {"text": "go", "variables": {"language": "Lua"}}
    provider = asyncio.run(one_request(given, prompts, system_prompt="@prompts.strict"))
    assert provider.requests[0].messages[0].text == "You review Lua code."
    template = {"template": "{{ a }} {{ b }}", "variables": {"a": 1, "b": 2}}
    given = {"text": "{{ b }}!", "variables": {"b": 3}}
    provider = asyncio.run(one_request(given, system_prompt=template))
    assert [one.text for one in provider.requests[0].messages] == ["1 3", "3!"]


def test_an_input_may_bring_an_instruction_context_and_attachments() -> None:
    given = {
        "prompt": "what is it?",
        "instruction": "Answer in German.",
        "context": {"user": "Ada"},
        "attachments": ["https://example.com/cat.png"],
    }
    seeing = Capabilities(vision=True, urls=True)
    provider = asyncio.run(one_request(given, can=seeing, system_prompt="x"))
    system, user = provider.requests[0].messages
    assert system.text == 'x\n\nAnswer in German.\n\nContext:\n{"user": "Ada"}'
    assert isinstance(user.content, list)
    assert [part.type for part in user.content] == ["text", "image"]


def test_an_unknown_provider_is_an_error_naming_the_nearest() -> None:
    with pytest.raises(ProviderError, match='unknown provider "opnai"') as caught:
        asyncio.run(one_request(model="opnai/gpt"))
    assert caught.value.code == "provider.unknown"
    assert "openai" in str(caught.value.hint)


def test_a_provider_without_a_key_fails_before_any_request(monkeypatch: Any) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ProviderError) as caught:
        asyncio.run(one_request(model="openai/gpt-4o-mini"))
    assert caught.value.code == "provider.not_configured"
    assert "OPENAI_API_KEY" in str(caught.value.hint)


def test_keys_are_masked_wherever_the_configuration_is_shown() -> None:
    config = AgentConfig.of({"base_url": "http://127.0.0.1:9/v1", "api_key": "sk-very-secret"})
    assert config.masked()["api_key"] == "***"
    assert "sk-very-secret" not in repr(config)


def test_a_changed_configuration_holds_for_the_next_run() -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok") as (runtime, provider):
            agent, ctx = Agent("x", temperature=0.1), runtime.context()
            await agent.execute("a", ctx)
            agent.update_config({"temperature": 0.7, "model": "scripted/other"})
            await agent.execute("b", ctx)
            shown = [(one.model, one.temperature) for one in provider.requests]
            assert shown == [("scripted-model", 0.1), ("other", 0.7)]
            with pytest.raises(LLMSpellError, match="name of an agent cannot be changed"):
                agent.update_config({"name": "y"})

    asyncio.run(main())


def test_metrics_count_runs_failures_tokens_and_time() -> None:
    async def main() -> None:
        down = ProviderError("down", code="provider.server")
        async with scripted_runtime("ok", down, "ok") as (runtime, _):
            agent, ctx = Agent("x"), runtime.context()
            await agent.execute("a", ctx)
            with pytest.raises(ProviderError):
                await agent.execute("b", ctx)
            found = agent.metrics.as_dict(agent.id)
            assert (found["requests_total"], found["requests_failed"]) == (2, 1)
            assert (found["requests_active"], found["tokens_total"]) == (0, 15)
            assert agent.metrics.last_error == {
                "message": "down",
                "code": "provider.server",
                "retryable": False,
            }
            await agent.execute("c", ctx)
            assert agent.metrics.last_error is None

    asyncio.run(main())

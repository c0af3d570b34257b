"""The globals Agent, Provider and Models as a script sees them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llmspell_agents.config import AgentConfig
from llmspell_agents.globals.agent import AgentGlobal
from llmspell_agents.globals.models import ModelsGlobal
from llmspell_agents.globals.provider import ProviderGlobal
from llmspell_agents.globals.tool_naming import ToolNaming
from llmspell_core.errors import LLMSpellError, NotFoundError
from llmspell_core.messages import AgentOutput
from llmspell_core.script.api import ScriptGlobal, ScriptObject
from llmspell_core.script.manifest import compile_manifest
from llmspell_core.testing import ScriptedProvider, chunks, scripted_runtime, tool_call
from llmspell_core.tool import tool


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


class FromScript:
    """A function as the bridge hands it over: async, and it knows where it was written."""

    where = "spell.lua:1"

    def __init__(self, body: Callable[[Any], Any]) -> None:
        self._body = body

    async def __call__(self, *args: Any) -> Any:
        return self._body(*args)


@asynccontextmanager
async def session(*replies: Any, **options: Any) -> AsyncIterator[tuple[AgentGlobal, Any, Any]]:
    """The global of one script's session, with the runtime and the provider."""
    async with scripted_runtime(*replies, **options) as (runtime, provider):
        overlay = runtime.base.child()
        yield AgentGlobal(runtime.context(overlay=overlay)), runtime, provider
        await overlay.close()


def made(**fields: Any) -> AgentConfig:
    return AgentConfig.of(fields)


def test_an_agent_answers_chats_and_completes() -> None:
    async def main() -> None:
        async with session(default="ok") as (agents, _, provider):
            agent = await agents.new(made(name="a", system_prompt="x"))
            out = await agent.execute("hi")
            assert isinstance(out, AgentOutput)
            assert await agent.chat("hi") == "ok"
            assert await agent.complete({"prompt": "hi"}) == "ok"
            assert [one.data["role"] for one in await agent.history()] == ["user", "assistant"]
            await agent.reset()
            assert await agent.history() == []
            assert len(provider.requests) == 3

    asyncio.run(main())


def test_new_takes_a_prompt_alone_or_a_name_and_a_table() -> None:
    async def main() -> None:
        async with session(default="ok") as (agents, _, provider):
            await (await agents.new(AgentConfig.model_validate("Be brief."))).execute("x")
            assert provider.requests[0].messages[0].text == "Be brief."
            named = await agents.new(AgentConfig.model_validate("bob"), made(system_prompt="y"))
            assert named.script_fields()["name"] == "bob"
            with pytest.raises(LLMSpellError, match="a name and a table"):
                await agents.new(made(name="x"), made(name="y"))

    asyncio.run(main())


def test_named_agents_are_found_listed_replaced_and_forgotten_in_their_run_only() -> None:
    async def main() -> None:
        async with session(default="ok") as (agents, runtime, _):
            first = await agents.new(made(name="bob"))
            second = await agents.new(made(name="bob", model="scripted/other"))
            assert (await agents.get("bob")).component is second.component
            assert (await first.execute("still works")).text == "ok"
            assert [one.data for one in await agents.list_()] == [
                {"name": "bob", "type": "llm", "model": "scripted/other", "state": "ready"}
            ]
            other = AgentGlobal(runtime.context(overlay=runtime.base.child()))
            with pytest.raises(NotFoundError) as caught:
                await other.get("bob")
            assert caught.value.code == "agent.not_found"
            assert await agents.unregister("bob")
            assert not await agents.unregister("bob")

    asyncio.run(main())


def test_a_stream_is_looped_over_or_given_to_a_function() -> None:
    async def main() -> None:
        async with session(default=chunks("a ", "b")) as (agents, _, __):
            agent = await agents.new(made(system_prompt="x"))
            stream = await agent.stream("go")
            found = []
            while (chunk := await stream.next()) is not None:
                found.append(chunk)
            assert await stream.next() is None
            assert [one.text for one in found if one.type == "text"] == ["a ", "b"]
            assert found[-1].output.text == "a b"

            texts: list[str] = []

            out = await agent.stream("go", FromScript(lambda chunk: texts.append(chunk.text)))
            assert out.text == "a b"
            assert texts[:2] == ["a ", "b"]

    asyncio.run(main())


def test_a_stream_that_is_closed_or_dropped_stops_its_model() -> None:
    async def main() -> None:
        slow = chunks(*("word" for _ in range(1000)), delay_ms=2)
        async with session(default=slow) as (agents, _, provider):
            agent = await agents.new(made(system_prompt="x"))
            stream = await agent.stream("go")
            await stream.next()
            await stream.close()
            assert provider.active == 0
            assert await stream.next() is None
            dropped = await agent.stream("go")
            await dropped.next()
            del dropped
            await asyncio.sleep(0.05)
            assert provider.active == 0

    asyncio.run(main())


def test_who_waits_for_a_chunk_of_a_stream_that_is_closed_gets_none() -> None:
    async def main() -> None:
        async with session(default=chunks("late", delay_ms=20_000)) as (agents, _, __):
            stream = await (await agents.new(made(system_prompt="x"))).stream("go")
            waiting = [asyncio.ensure_future(stream.next()) for _ in range(3)]
            await asyncio.sleep(0.01)
            await stream.close()
            assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [None] * 3

    asyncio.run(main())


def test_a_streams_error_is_thrown_where_the_script_reads() -> None:
    async def main() -> None:
        broken = LLMSpellError("gone", code="provider.connection")
        async with session(chunks("a", broken)) as (agents, _, __):
            stream = await (await agents.new(made(system_prompt="x"))).stream("go")
            assert (await stream.next()).text == "a"
            with pytest.raises(LLMSpellError, match="gone"):
                await stream.next()
            assert await stream.next() is None

    asyncio.run(main())


def test_tools_are_added_listed_called_and_removed() -> None:
    async def main() -> None:
        async with session(tool_call("stock", item="x"), "7") as (agents, runtime, _):
            runtime.base.tools.register("stock", stock)
            agent = await agents.new(made(system_prompt="x"))
            assert await agent.add_tool("stock") == "stock"
            assert await agent.list_tools() == ["stock"]
            assert await agent.has_tool("stock")
            assert (await agent.invoke_tool("stock", {"item": "x"})).output == 7
            about = (await agent.get_tool_metadata("stock")).data
            assert about["schema"]["required"] == ["item"]
            assert any(one.data["name"] == "stock" for one in await agent.discover_tools("stock"))
            assert (await agent.execute("go")).tool_calls[0].result == 7
            assert await agent.remove_tool("stock")
            assert await agent.list_tools() == []

    asyncio.run(main())


def named(name: str) -> ToolNaming:
    return ToolNaming.model_validate({"tool_name": name})


def test_an_agent_is_a_tool_for_another_by_itself_by_as_tool_and_by_its_tool_name() -> None:
    async def main() -> None:
        calls = [tool_call(name, input="help me") for name in ("helper", "aide", "expert")]
        replies = [reply for one in calls for reply in (one, "inner")]
        async with session(*replies, "done") as (agents, _, provider):
            helper = await agents.new(made(name="helper", description="helps"))
            assert await agents.wrap_as_tool("helper", named("expert")) == "expert"
            tools = [helper, helper.as_tool(named("aide")), "expert"]
            boss = await agents.new(made(system_prompt="lead", tools=tools))
            out = await boss.execute("go")
            assert [one.result for one in out.tool_calls] == ["inner"] * 3
            assert provider.requests[0].tools[0].description == "helps"
            assert provider.requests[1].messages[-1].text == "help me"

    asyncio.run(main())


def test_configuration_metrics_health_and_state() -> None:
    async def main() -> None:
        async with session("ok", LLMSpellError("down", code="provider.server")) as (agents, *_):
            fields = {"name": "a", "api_key": "sk-secret-123", "base_url": "http://127.0.0.1:1/v1"}
            plain = await agents.new(made(name="a", system_prompt="x"))
            assert plain.get_config().data == {"name": "a", "system_prompt": "x"}
            assert AgentConfig.of(fields).masked()["api_key"] == "***"
            plain.update_config({"temperature": 0.3})
            assert plain.get_config().data["temperature"] == 0.3
            await plain.execute("hi")
            assert plain.get_metrics().data["requests_total"] == 1
            assert plain.is_healthy()
            with pytest.raises(LLMSpellError):
                await plain.execute("hi")
            assert plain.get_health().data["status"] == "degraded"
            assert plain.get_last_error().data["code"] == "provider.server"
            await plain.set_state("mood", "calm")
            assert await plain.get_state("mood") == "calm"
            assert await plain.get_state("other", 3) == 3
            assert await plain.get_state() == {"mood": "calm"}

    asyncio.run(main())


def test_hooks_and_handlers_of_one_agent() -> None:
    async def main() -> None:
        async with session(default="ok") as (agents, _, __):
            heard: list[str] = []
            agent = await agents.new(made(name="a"))
            agent.add_hook(
                "pre_llm",
                FromScript(
                    lambda ctx: heard.append(
                        ctx["point"]
                        if isinstance(ctx, dict)
                        else getattr(ctx, "point", None) or ctx.data["point"]
                    )
                ),
            )
            agent.on("agent.*", FromScript(lambda event: heard.append(event.type)))
            await agent.execute("x")
            await asyncio.sleep(0.01)
            assert heard.count("before_llm_call") == 1
            assert {"agent.started", "agent.completed"} <= set(heard)
            with pytest.raises(LLMSpellError, match="pre_lm"):
                agent.add_hook("pre_lm", FromScript(print))

    asyncio.run(main())


def test_get_info_tells_the_parameters_of_a_type() -> None:
    async def main() -> None:
        async with session() as (agents, *_):
            about = (await agents.get_info("function")).data
            assert about["required_parameters"] == ["execute"]
            assert "system_prompt" in about["optional_parameters"]
            with pytest.raises(LLMSpellError, match='unknown template "lm"'):
                await agents.get_info("lm")

    asyncio.run(main())


def test_providers_are_listed_without_their_keys() -> None:
    async def main() -> None:
        table = {"type": "openai", "base_url": "http://127.0.0.1:1/v1", "api_key": "sk-secret-123"}
        settings = {"providers": {"mine": table}}
        async with scripted_runtime(settings=settings) as (runtime, _):
            providers = ProviderGlobal(runtime.context())
            found = {one.data["name"]: one.data for one in await providers.list_()}
            assert {"mine", "scripted"} <= set(found)
            assert found["mine"]["local"]
            assert "sk-secret-123" not in repr(found)
            assert await providers.is_available("mine")
            assert not await providers.is_available("nobody")
            able = (await providers.get_capabilities("mine")).data
            assert able["streaming"] is able["supports_streaming"] is True
            with pytest.raises(LLMSpellError, match='unknown provider "mne"'):
                await providers.get("mne")

    asyncio.run(main())


class LocalProvider(ScriptedProvider):
    local = True


def test_models_are_those_of_local_providers() -> None:
    async def main() -> None:
        async with scripted_runtime() as (runtime, _):
            runtime.add_provider(LocalProvider(name="here"))
            models = ModelsGlobal(runtime.context())
            found = [one.data for one in await models.list_()]
            assert {"name": "scripted-model", "provider": "here", "present": True}.items() <= {
                key: value
                for one in found
                if one["provider"] == "here"
                for key, value in one.items()
            }.items()
            assert (await models.status()).data["available"]
            with pytest.raises(NotFoundError) as caught:
                await models.info("scripted-modl")
            assert "scripted-model" in str(caught.value.hint)

    asyncio.run(main())


@pytest.mark.parametrize("declared", [AgentGlobal, ProviderGlobal, ModelsGlobal])
def test_every_method_is_documented_down_to_its_parameters(declared: type[ScriptGlobal]) -> None:
    manifest = compile_manifest(declared)
    objects: tuple[type[ScriptObject], ...] = declared.objects
    methods = [*manifest["methods"].items()]
    for one in objects:
        methods += manifest["objects"][one.type_name]["methods"].items()
    for name, method in methods:
        assert method["doc"], name
        for parameter in method["params"]:
            assert parameter["doc"], (name, parameter["name"])


def test_the_builder_has_a_setter_for_every_field() -> None:
    setters = compile_manifest(AgentGlobal)["builders"]["builder"]["setters"]
    assert set(AgentConfig.model_fields) <= set(setters)
    assert setters["tool"] == ["append", "tools"]
    assert setters["hook"] == ["put", "hooks"]

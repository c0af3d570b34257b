"""Templates: levels, parameters, tools, prompts, and the agents made from them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_agents import Agent, create_agent, register_template
from llmspell_agents.templates.parameters import EMPTY, checked, declared, filled
from llmspell_agents.templates.template import Template
from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.testing import scripted_runtime

BASE = {
    "description": "finds things out",
    "category": "research",
    "system_prompt": "You research {{ topic }}, {{ depth }}.",
    "parameters": {
        "topic": "string",
        "depth": {"enum": ["quick", "deep"], "default": "quick"},
    },
    "tools": ["calculator", "text-analyzer"],
    "capabilities": ["research"],
    "settings": {"a": 1, "b": 2},
    "memory": {"max_messages": 10},
    "max_iterations": 5,
}
MARKET = {
    "extends": "base",
    "tools_add": ["json-processor"],
    "tools_remove": ["text_analyzer"],
    "prompt_append": "Look at {{ region }}.",
    "parameters": {"region": "string?", "depth": "deep"},
    "capabilities": ["markets", "research"],
    "settings": {"b": 3},
}
CARS = {"extends": "market", "parameters": {"topic": "cars"}, "prompt_append": "Be brief."}


def templates(settings: dict[str, Any] | None = None, **given: dict[str, Any]) -> Any:
    """Runs a coroutine function with a context that has these templates, and the provider."""

    def run(work: Any) -> None:
        async def main() -> None:
            async with scripted_runtime(default="ok", settings=settings) as (runtime, provider):
                ctx = runtime.context(overlay=runtime.base.child())
                for name, fields in given.items():
                    await register_template(name, fields, ctx)
                await work(ctx, provider)

        asyncio.run(main())

    return run


def test_an_agent_of_three_levels_has_what_each_of_them_says() -> None:
    async def work(ctx: Any, provider: Any) -> None:
        template: Template = ctx.overlay.templates.get("cars")
        assert template.levels == ("base", "market", "cars")
        info = template.info()
        assert info["extends"] == "market"
        assert (info["description"], info["category"]) == ("finds things out", "research")
        assert info["required_parameters"] == []
        assert info["optional_parameters"] == ["topic", "depth", "region"]
        assert info["tools"] == ["calculator", "json-processor"]
        assert info["capabilities"] == ["research", "markets"]
        agent = await create_agent({"extends": "cars", "name": "x", "temperature": 0.1}, ctx)
        assert agent.capabilities == ("research", "markets")
        assert agent.tools.names() == ["calculator", "json-processor"]
        assert agent.metadata["template"] == ["base", "market", "cars"]
        assert agent.config.settings == {"a": 1, "b": 3}
        assert agent.config.max_iterations == 5
        assert agent.config.memory is not None
        assert agent.config.memory.max_messages == 10
        await agent.execute("go", ctx)
        request = provider.requests[0]
        assert request.temperature == 0.1
        text = request.messages[0].text
        assert text == "You research cars, deep.\n\nLook at .\n\nBe brief."
        assert ctx.overlay.agents.get("x") is agent

    templates(base=BASE, market=MARKET, cars=CARS)(work)


def test_values_are_given_to_the_agent_and_may_differ_for_a_run() -> None:
    async def work(ctx: Any, provider: Any) -> None:
        own = {"extends": "market", "parameters": {"topic": "tea", "region": "Asia"}}
        agent = await create_agent(own, ctx)
        await agent.execute("go", ctx)
        await agent.execute({"text": "go", "variables": {"region": "Peru"}}, ctx)
        first, second = (one.messages[0].text for one in provider.requests)
        assert first == "You research tea, deep.\n\nLook at Asia."
        assert second.endswith("Look at Peru.")

    templates(base=BASE, market=MARKET)(work)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "agent base: parameter topic is required"),
        ({"topic": 3}, "parameter topic: 3 is not of type 'string'"),
        ({"topic": "x", "depth": "very"}, "parameter depth: 'very' is not one of"),
        ({"topic": "x", "dpeth": "deep"}, 'unknown parameter "dpeth"'),
        ({"dpeth": "x"}, 'unknown parameter "dpeth"; parameter topic is required'),
    ],
)
def test_wrong_parameters_are_named_all_at_once(values: dict[str, Any], says: str) -> None:
    async def work(ctx: Any, _: Any) -> None:
        with pytest.raises(ValidationError) as caught:
            await create_agent({"extends": "base", "parameters": values}, ctx)
        assert says in caught.value.message

    templates(base=BASE)(work)


@pytest.mark.parametrize(
    ("fields", "code", "says", "hint"),
    [
        ({"extends": "bse"}, "template.not_found", 'unknown template "bse"', '"base"'),
        ({"extends": "base", "tools_remove": ["calc"]}, "input.invalid", '"calc"', "calculator"),
        ({"temprature": 1}, "input.invalid", 'unknown field "temprature"', ""),
        ({"parameters": {"x": "strng"}}, "input.invalid", 'unknown type "strng"', "one of"),
        ({"parameters": {"x": {"type": "strng"}}}, "input.invalid", "parameters", ""),
        ({"complexity": "much"}, "input.invalid", "complexity", ""),
    ],
)
def test_a_wrong_template_is_refused_where_it_is_registered(
    fields: dict[str, Any], code: str, says: str, hint: str
) -> None:
    async def work(ctx: Any, _: Any) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await register_template("wrong", fields, ctx)
        assert caught.value.code == code
        assert says in caught.value.message
        assert hint in (caught.value.hint or "")
        assert not ctx.overlay.templates.has("wrong")

    templates(base=BASE)(work)


def test_a_template_may_extend_the_one_whose_name_it_takes() -> None:
    async def work(ctx: Any, provider: Any) -> None:
        await register_template("base", {"extends": "base", "prompt_append": "Twice."}, ctx)
        await register_template("chat", {"extends": "chat", "tools": []}, ctx)
        assert ctx.overlay.templates.get("base").levels == ("base", "base")
        assert ctx.overlay.templates.get("chat").tools == []
        base: Template = ctx.runtime.base.templates.get("chat")
        assert base.tools == ["web-searcher", "calculator", "datetime-handler"]

    templates(base=BASE)(work)


def test_configured_agents_are_templates_and_may_stand_for_a_built_in_one() -> None:
    settings = {
        "agents": {
            "chat": {"template": "chat", "parameters": {"tone": "rude"}, "temperature": 0},
            "pirate": {"extends": "chat", "prompt_append": "Talk like a pirate."},
            "one": {"extends": "two"},
            "two": {"extends": "one"},
        }
    }

    async def work(ctx: Any, provider: Any) -> None:
        await ctx.overlay.agents.get("pirate").execute("hi", ctx)
        text = provider.requests[0].messages[0].text
        assert "Your tone is rude." in text
        assert text.endswith("Talk like a pirate.")
        assert provider.requests[0].temperature == 0
        assert (await create_agent({"extends": "pirate"}, ctx)).template == "pirate"
        with pytest.raises(ValidationError, match="one extends two extends one"):
            ctx.overlay.agents.get("one")

    templates(settings)(work)


def test_levels_are_bounded() -> None:
    async def work(ctx: Any, _: Any) -> None:
        await register_template("t", {"system_prompt": "x"}, ctx)
        for _ in range(15):
            await register_template("t", {"extends": "t"}, ctx)
        with pytest.raises(ValidationError, match="more than 16 levels"):
            await register_template("t", {"extends": "t"}, ctx)

    templates()(work)


def test_tools_of_a_template_that_the_profile_forbids_are_left_out_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work(ctx: Any, _: Any) -> None:
        with caplog.at_level(logging.WARNING, "llmspell"):
            agent = await create_agent({"extends": "code", "name": "coder"}, ctx)
        assert "process-executor" not in agent.tools
        assert len(agent.tools) == 4
        own = await create_agent({"extends": "chat", "security": {"tools": ["calculator"]}}, ctx)
        assert own.tools.names() == ["calculator"]
        asked = await create_agent({"extends": "chat", "tools_add": ["process-executor"]}, ctx)
        assert "process-executor" in asked.tools

    templates()(work)
    warnings = [record.getMessage() for record in caplog.records]
    assert warnings[0] == "agent coder goes without process-executor: profile medium"


def test_a_field_that_is_a_parameter_alone_is_its_value() -> None:
    fields = {
        "parameters": {"extra": {"type": "array", "default": []}, "model": "string?"},
        "model": {"id": "{{ model }}", "temperature": 0.5},
        "tools": ["calculator", "{{ extra }}"],
        "system_prompt": "Use {{ extra | length }}.",
    }

    async def work(ctx: Any, _: Any) -> None:
        plain = await create_agent({"extends": "t"}, ctx)
        assert plain.tools.names() == ["calculator"]
        assert plain.config.model is not None
        assert plain.config.model.id is None
        more = {"extends": "t", "parameters": {"extra": ["text-analyzer", "json-processor"]}}
        found = await create_agent(more, ctx)
        assert found.tools.names() == ["calculator", "text-analyzer", "json-processor"]

    templates(t=fields)(work)


def test_a_prompt_of_the_configuration_is_appended_to() -> None:
    settings = {"prompts": {"strict": "You review {{ language }}."}}
    fields = {
        "system_prompt": "@prompts.strict",
        "prompt_append": "In {{ language }}.",
        "parameters": {"language": "string"},
    }

    async def work(ctx: Any, provider: Any) -> None:
        agent = await create_agent({"extends": "t", "parameters": {"language": "Lua"}}, ctx)
        await agent.execute("go", ctx)
        assert provider.requests[0].messages[0].text == "You review Lua.\n\nIn Lua."

    templates(settings, t=fields)(work)


def test_a_value_is_text_and_no_template() -> None:
    async def work(ctx: Any, provider: Any) -> None:
        values = {"topic": "{{ 7 * 7 }} {% for x in y %}"}
        agent = await create_agent({"extends": "base", "parameters": values}, ctx)
        await agent.execute("go", ctx)
        text = provider.requests[0].messages[0].text
        assert text == "You research {{ 7 * 7 }} {% for x in y %}, quick."

    templates(base=BASE)(work)


def test_fields_of_a_template_mean_nothing_without_one() -> None:
    with pytest.raises(ValidationError, match="agent a: tools_add go with extends"):
        Agent(name="a", tools_add=["calculator"])
    with pytest.raises(ValidationError, match="made with create_agent"):
        Agent(extends="chat")


def test_inputs_are_asked_of_each_run() -> None:
    config = {
        "name": "greeter",
        "system_prompt": {"template": "Greet {{ who }} {{ times }} times."},
        "inputs": {"who": "string", "times": {"type": "integer", "default": 2}},
    }

    async def work(ctx: Any, provider: Any) -> None:
        agent = await create_agent(config, ctx)
        await agent.execute({"text": "go", "variables": {"who": "Ada"}}, ctx)
        assert provider.requests[0].messages[0].text == "Greet Ada 2 times."
        with pytest.raises(ValidationError, match="agent greeter: 'who' is a required"):
            await agent.execute("go", ctx)
        with pytest.raises(ValidationError, match=r"times: 'x' is not of type 'integer'"):
            await agent.execute({"variables": {"who": "Ada", "times": "x"}}, ctx)

    templates()(work)


def test_one_table_of_parameters_and_fields_is_told_apart() -> None:
    template = Template("t", _own(parameters={"topic": "string", "max_words": "integer?"}))
    assert template.split({"topic": "x", "maxWords": 3, "temperature": 1}) == {
        "extends": "t",
        "parameters": {"topic": "x", "max_words": 3},
        "temperature": 1,
    }
    with pytest.raises(ValidationError, match='unknown parameter "tpic"') as caught:
        template.split({"tpic": 1})
    assert caught.value.hint == 'did you mean "topic"?'


def _own(**fields: Any) -> Any:
    from llmspell_agents.templates.template import read_template

    return read_template("template t", fields)


NAMES = st.sampled_from(["a", "b", "c"])
SPECS = st.sampled_from(["string", "string?", {"type": "string", "default": "d"}])


@given(st.lists(st.dictionaries(NAMES, SPECS, max_size=3), min_size=1, max_size=4))
def test_what_is_required_is_what_no_level_gave_a_value(levels: list[dict[str, Any]]) -> None:
    schema = EMPTY
    for number, level in enumerate(levels):
        # Over a parameter that is there already, a text is a default and no type.
        schema = declared(schema, level, f"level {number}")
    given_ = dict.fromkeys(schema["required"], "v")
    values = checked(schema, given_, "x")
    assert set(values) == set(schema["properties"])
    for name in schema["required"]:
        with pytest.raises(ValidationError, match=f"parameter {name} is required"):
            checked(schema, {key: v for key, v in given_.items() if key != name}, "x")


DATA = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


@given(DATA)
def test_data_without_parameters_is_left_as_it_is(value: Any) -> None:
    assert filled(value, {}) == value

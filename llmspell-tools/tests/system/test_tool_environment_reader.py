from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llmspell_core.context import ExecutionContext
from llmspell_core.errors import LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.system.environment_reader import EnvironmentReader

Call = Callable[..., Awaitable[ToolResult]]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SPELL_A": "one",
        "SPELL_B": "two",
        "SPELL_API_KEY": "hunter22",
        "SPELL_URL": "https://me:hunter22@db.example/x",
        "OTHER_THING": "hidden",
    }.items():
        monkeypatch.setenv(name, value)


def within(work: Callable[[Call, ExecutionContext], Awaitable[None]], *names: str) -> None:
    async def main() -> None:
        async with Runtime({"security": {"environment": {"allowed": [*names]}}}) as runtime:
            ctx = runtime.context()

            async def call(**params: Any) -> ToolResult:
                return await EnvironmentReader().call(params, ctx)

            await work(call, ctx)

    asyncio.run(main())


def test_named_variables_are_read_and_others_are_as_if_they_were_not_there() -> None:
    async def work(call: Call, _: ExecutionContext) -> None:
        one = await call(variable_name="SPELL_A")
        assert (one.output, one.text) == ("one", "one")
        assert one.result == {"name": "SPELL_A", "value": "one", "set": True, "masked": False}
        for name in ("OTHER_THING", "NOT_THERE", "PATH"):
            other = await call(operation="get", name=name)
            assert other.result == {"name": name, "value": None, "set": False}

    within(work, "SPELL_*")


def test_secrets_are_masked() -> None:
    async def work(call: Call, _: ExecutionContext) -> None:
        listed = await call()
        assert listed.result["names"] == ["SPELL_A", "SPELL_API_KEY", "SPELL_B", "SPELL_URL"]
        assert listed.output["SPELL_API_KEY"] == "***"
        assert "hunter22" not in listed.text
        assert (await call(variable_name="SPELL_API_KEY")).result["masked"] is True

    within(work, "SPELL_*")


def test_a_pattern_matches_names() -> None:
    async def work(call: Call, _: ExecutionContext) -> None:
        found = await call(pattern="spell_?")
        assert found.output == {"SPELL_A": "one", "SPELL_B": "two"}
        assert found.result["count"] == 2
        assert found.metadata["operation"] == "pattern"
        assert (await call(operation="pattern", pattern="*THING")).output == {}
        assert (await call(pattern="x")).text == "no variables may be seen"

    within(work, "SPELL_*")


def test_setting_lasts_for_the_run_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    async def work(call: Call, ctx: ExecutionContext) -> None:
        assert (await call(operation="set", variable_name="MINE", value=7)).output == "7"
        assert (await call(variable_name="MINE")).output == "7"
        assert (await call()).output["MINE"] == "7"
        assert "MINE" not in os.environ
        another = ctx.child(policy=ctx.policy.bound(run="another"))
        assert (await EnvironmentReader().call({"variable_name": "MINE"}, another)).output is None

    monkeypatch.delenv("MINE", raising=False)
    within(work)


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "PYTHONSTARTUP"])
def test_what_other_programs_would_load_is_not_set(name: str) -> None:
    async def work(call: Call, _: ExecutionContext) -> None:
        with pytest.raises(LLMSpellError) as caught:
            await call(operation="set", variable_name=name, value="/tmp/evil.so")
        assert caught.value.code == "policy.environment"

    within(work, "*_*")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"operation": "get"}, 'variable_name is required for "get"'),
        ({"operation": "set", "variable_name": "A"}, 'value is required for "set"'),
        ({"operation": "pattern"}, 'pattern is required for "pattern"'),
        ({"operation": "unset"}, "operation must be one of get, list"),
        ({"variable_name": ""}, "variable_name: String should have at least 1"),
        ({"operation": "set", "variable_name": "A=B", "value": ""}, "a name without ="),
        ({"variable_name": 5}, "variable_name must be a string"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str) -> None:
    async def work(call: Call, _: ExecutionContext) -> None:
        with pytest.raises(ValidationError, match=message):
            await call(**params)

    within(work)

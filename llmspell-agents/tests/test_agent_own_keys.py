"""A stored key is never sent to an address that a script chose: seen at a real server."""

# ruff: noqa: E501 - one line a way reads best

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from llmspell_agents import Agent
from llmspell_agents.own_keys import is_local
from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI

STORED = "sk-stored-0123456789abcdef"
FIELD = "sk-of-a-field-0123456789abcdef"
OWN = "sk-own-0123456789abcdef"

#: Each tries to make a request with somebody's key arrive at THERE.
PATHS = {
    "a field": 'Agent.new{base_url = THERE}:execute("x")',
    "a builder": 'Agent.builder():base_url(THERE):build():execute("x")',
    "camelCase": 'Agent.new{baseUrl = THERE}:execute("x")',
    "a table of a model": 'Agent.new{model = {provider = "fake", model = "m"}, base_url = THERE}:execute("x")',
    "another provider": 'Agent.new{provider = "openai", model = "m", base_url = THERE}:execute("x")',
    "custom_config": 'Agent.new{custom_config = {base_url = THERE}}:execute("x")',
    "update_config": 'local a = Agent.new("x") a:update_config{base_url = THERE} a:execute("x")',
    "update_config of an agent with a key": 'local a = Agent.get("kept") a:update_config{base_url = THERE} a:execute("x")',
    "update_config in two steps": 'local a = Agent.get("kept") a:update_config{base_url = THERE} a:update_config{temperature = 0} a:execute("x")',
    "a template with a key": 'Agent.new{extends = "kept", base_url = THERE}:execute("x")',
    "a template by name": 'Agent.create_from_template("n", "kept", {base_url = THERE}):execute("x")',
    "a parameter": 'Agent.new{extends = "open", parameters = {host = THERE}}:execute("x")',
    "a template of the script": 'Agent.register_template("mine", {extends = "kept", base_url = THERE}) Agent.create_from_template("n", "mine"):execute("x")',
    "an agent file": 'Agent.from_file("there.agent.toml", {address = THERE}):execute("x")',
    "a fallback": 'Agent.new{base_url = THERE, model = "fake/m", fallback_models = {"fake/m"}}:execute("x")',
    "a stream": 'for _ in Agent.new{base_url = THERE}:stream("x") do end',
    "an agent as a tool": 'Agent.new{name = "in", base_url = THERE} Agent.wrap_as_tool("in") Tool.execute("in", {input = "x"})',
}
#: Each is no way to change the address at all.
NO_WAY = {
    "settings": 'Agent.new{settings = {base_url = THERE, api_base = THERE}}:execute("x")',
    "settings of a model": 'Agent.new{model = {model = "fake/m", settings = {api_base = THERE}}}:execute("x")',
    "an unknown field of custom_config": 'Agent.new{custom_config = {api_base = THERE}}:execute("x")',
    "Config.set": 'Config.set("providers.fake.base_url", THERE) Agent.new("x"):execute("x")',
    "Config.set of a model": 'Config.set("models.evil", {model = "fake/m", api_base = THERE}) Agent.new{model = "evil"}:execute("x")',
    "a template of the same name": 'Agent.register_template("base", {base_url = THERE}) Agent.get("kept"):execute("x")',
    "the Provider global": 'local p = Provider.get("fake") p.base_url = THERE Agent.new("x"):execute("x")',
}  # fmt: skip


def tried(source: str, tmp_path: Path, engine: str = "lua") -> tuple[FakeOpenAI, FakeOpenAI, str]:
    """The server with the key, the one that the script names, and what the script printed."""

    async def main() -> tuple[FakeOpenAI, FakeOpenAI, str]:
        async with FakeOpenAI("here") as here, FakeOpenAI("there") as there:
            (tmp_path / "there.agent.toml").write_text(
                'name = "f"\nsystem_prompt = "x"\nbase_url = "{{ address }}"\n'
                '[parameters]\naddress = "string"\n',
                encoding="utf-8",
            )
            given = {
                "providers": {
                    "fake": {"type": "openai", "base_url": here.base_url, "api_key": STORED,
                             "headers": {"x-team": STORED}},
                    "openai": {"api_key": STORED},
                },
                "default": {"model": "fake/m"},
                "agents": {
                    "base": {"system_prompt": "x"},
                    "kept": {"template": "base", "model": "fake/m", "api_key": FIELD},
                    "open": {"base_url": "{{ host }}", "api_key": FIELD,
                             "parameters": {"host": {"type": "string", "default": here.base_url}}},
                },
                "security": {"network": {"allowed_hosts": ["127.0.0.1"]},
                             "files": {"read": [str(tmp_path)]}},
                "state": {"backend": "memory"},
            }  # fmt: skip
            streams = CapturedStreams()
            text = source.replace("there.agent.toml", str(tmp_path / "there.agent.toml"))
            text = text.replace("THERE", json.dumps(there.base_url))
            async with ScriptRuntime(given, engine=engine, isolation="process") as runtime:
                await runtime.run(ScriptSource(text, f"spell.{engine}"), streams=streams)
            return here, there, streams.stdout

    return asyncio.run(main())


def nothing_leaked(server: FakeOpenAI) -> None:
    seen = json.dumps([server.headers, server.requests])
    assert STORED not in seen
    assert FIELD not in seen
    assert "authorization" not in seen.lower()


@pytest.mark.parametrize("way", PATHS)
def test_an_address_of_a_script_gets_no_stored_key(way: str, tmp_path: Path) -> None:
    source = f"local ok, e = pcall(function() {PATHS[way]} end) print(ok, e)"
    _, there, printed = tried(source, tmp_path)
    assert there.requests, printed
    nothing_leaked(there)


@pytest.mark.parametrize("way", NO_WAY)
def test_there_is_no_other_way_to_an_address(way: str, tmp_path: Path) -> None:
    source = f"local ok, e = pcall(function() {NO_WAY[way]} end) print(ok, e)"
    _, there, printed = tried(source, tmp_path)
    assert not there.requests, printed
    nothing_leaked(there)


def test_the_key_that_is_given_with_the_address_is_sent_there_and_nowhere_else(
    tmp_path: Path,
) -> None:
    source = f"""
    print(Agent.new{{base_url = THERE, api_key = "{OWN}"}}:complete("x"))
    print(Agent.new("x"):complete("x"))
    print(Agent.get("kept"):complete("x"))
    local a = Agent.get("kept")
    a:update_config{{model = "fake/n"}}
    print(a:complete("x"))
    """
    here, there, printed = tried(source, tmp_path)
    assert printed.split() == ["there", "here", "here", "here"]
    assert [one.get("authorization") for one in there.headers] == [f"Bearer {OWN}"]
    kept = [one.get("authorization") for one in here.headers]
    assert kept == [f"Bearer {STORED}", f"Bearer {FIELD}", f"Bearer {FIELD}"]


def test_javascript_gets_none_either(tmp_path: Path) -> None:
    source = """
    const a = await Agent.get("kept");
    await a.updateConfig({baseUrl: THERE});
    console.log(await a.complete("x"));
    console.log(await (await Agent.builder().baseUrl(THERE).build()).complete("x"));
    """
    _, there, printed = tried(source, tmp_path, "js")
    assert printed.split() == ["there", "there"]
    nothing_leaked(there)


def test_another_public_address_needs_a_key_with_it(tmp_path: Path) -> None:
    source = """
    local ok, e = pcall(Agent.new, {base_url = "https://models.example.com/v1"})
    print(ok, e.code, e.hint)
    """
    _, _, printed = tried(source, tmp_path)
    assert printed.startswith("false\tprovider.not_configured\tgive api_key beside base_url")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost:1234", True),
        ("http://10.0.0.5/v1", True),
        ("http://gpu-box:8000/v1", True),
        ("http://models.internal/v1", True),
        ("https://api.example.com/v1", False),
        ("http://8.8.8.8/v1", False),
        ("http://localhost.evil.example/v1", False),
        ("http://127.0.0.1.evil.example/v1", False),
        ("http://127.0.0.1@evil.example/v1", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine_and_its_network(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_a_key_without_an_address_goes_to_the_configured_one() -> None:
    async def main() -> None:
        async with FakeOpenAI("hi", key=OWN) as server:
            table = {"type": "openai", "base_url": server.base_url, "api_key": STORED}
            settings = {"providers": {"fake": table}, "state": {"backend": "memory"}}
            async with Runtime(settings) as runtime:
                agent = Agent(model="fake/m", api_key=OWN)
                assert (await agent.execute("x", runtime.context())).text == "hi"

    asyncio.run(main())

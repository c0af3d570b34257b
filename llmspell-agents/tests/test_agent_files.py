"""Agent files: what they hold, where their mistakes are, and that nothing in them runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_agents import create_agent
from llmspell_agents.files.loading import find_template
from llmspell_agents.files.parsing import AgentText, is_agent_file
from llmspell_agents.files.schema import agent_schema
from llmspell_agents.globals.agent import AgentGlobal
from llmspell_agents.templates.model import AgentTemplate
from llmspell_core.errors import PolicyError, ValidationError
from llmspell_core.schema import schema_mistakes
from llmspell_core.testing import scripted_runtime

TOML = """\
description = "reviews code"
extends = "code"
tools_remove = ["process-executor"]
prompt_append = "Be strict."
temperature = 0

[parameters]
language = "Lua"
strictness = { enum = ["low", "high"], default = "high" }

[inputs]
path = "string"

[limits]
requests = 3
"""
YAML = """\
description: reviews code
extends: code
tools_remove: [process-executor]
prompt_append: Be strict.
temperature: 0
parameters:
  language: Lua
  strictness: {enum: [low, high], default: high}
inputs: {path: string}
limits:
  requests: 3
"""
DATA = {
    "$schema": "agent.schema.json",
    "description": "reviews code",
    "extends": "code",
    "tools_remove": ["process-executor"],
    "prompt_append": "Be strict.",
    "temperature": 0,
    "parameters": {"language": "Lua", "strictness": {"enum": ["low", "high"], "default": "high"}},
    "inputs": {"path": "string"},
    "limits": {"requests": 3},
}
FILES = {
    "r.agent.toml": TOML,
    "r.agent.yaml": YAML,
    "r.agent.yml": YAML,
    "r.agent.json": json.dumps(DATA),
    "r.agent.md": f"---\n{YAML.replace('prompt_append: Be strict.', 'name: r')}---\n\nReview it.\n",
    "t.agent.md": f"+++\n{TOML.replace('prompt_append', 'example')}+++\nReview it.\n",
}


def session(folder: Path, work: Any, **settings: Any) -> None:
    async def main() -> None:
        async with scripted_runtime(default="ok", settings=settings or None) as (runtime, provider):
            ctx = runtime.context(overlay=runtime.base.child())
            allowed = ctx.policy.bound(readable=[str(folder)])
            await work(ctx.child(policy=allowed), provider)

    asyncio.run(main())


@pytest.mark.parametrize("name", FILES)
def test_every_format_says_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")

    async def work(ctx: Any, provider: Any) -> None:
        agents = AgentGlobal(ctx)
        made = await agents.from_file(str(path), {"strictness": "low"})
        agent: Any = made.component
        assert (agent.name, agent.description) == (name[0], "reviews code")
        assert agent.tools.names() == [
            "file-operations", "file-search", "text-analyzer", "diff-calculator",
        ]  # fmt: skip
        assert agent.config.limits.requests == 3
        assert agent.metadata["template"] == ["code", name[0]]
        await agent.execute({"text": "go", "variables": {"path": "x"}}, ctx)
        text = provider.requests[0].messages[0].text
        if name.endswith(".md"):
            assert text == "Review it."
        else:
            assert "experienced Lua programmer" in text
            assert text.endswith("Be strict.")
        with pytest.raises(ValidationError, match="'path' is a required"):
            await agent.execute("go", ctx)

    session(tmp_path, work)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.agent.toml", 'a = 1\nname = "x"', ["a.agent.toml:1   a: unknown key"]),
        (
            "a.agent.toml",
            '\ntempratur = 1\nmax_tokens = "x"\n[limits]\nrequest = 1\n',
            [
                "3 mistakes in ",
                'a.agent.toml:2   tempratur: unknown key, did you mean "temperature"?',
                'a.agent.toml:3   max_tokens: must be a whole number, not "x"',
                'a.agent.toml:5   limits.request: unknown key, did you mean "requests"?',
            ],
        ),
        ("a.agent.yaml", "name: x\nmodel:\n  idd: y\n", ["a.agent.yaml:3   model.idd: unknown"]),
        ("a.agent.json", '{\n"name": "x",\n"tols": []\n}', ["a.agent.json:3   tols: unknown key"]),
        ("a.agent.md", "---\nname: x\ntols: []\n---\nhi", ["a.agent.md:3   tols: unknown key"]),
        ("a.agent.md", "---\nsystem_prompt: x\n---\nhi", ["a.agent.md:2   system_prompt: the"]),
        ("a.agent.toml", "a = \n", ["a.agent.toml:1   invalid TOML"]),
        ("a.agent.yaml", "a: [\n", ["a.agent.yaml:2   invalid YAML"]),
        ("a.agent.json", "[1]", ["is not a table"]),
        ("a.agent.toml", "\nexecute = 'exit()'", ["a.agent.toml:2   execute: must be a func"]),
        ("a.agent.toml", "[hooks]\npre_llm = 'x'", ["hooks.pre_llm: must be a function"]),
        ("a.agent.toml", "\ntools = ['calculatr']", ["a.agent.toml:2   tools: un", '"calculator"']),
        ("a.agent.toml", "[[tools]]\nname = 'x'", ["a.agent.toml:1   tools: a tool of a file"]),
        ("a.agent.toml", "\n\ntemplate = 'cde'", ["a.agent.toml:3   extends: unk", '"code"']),
        ("a.agent.toml", "extends = 'a.agent.toml'", ["extends this file"]),
        ("a.agent.toml", "[parameters]\nx = 'strng'", ["unknown type"]),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_lines(
    name: str, text: str, says: list[str], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    async def work(ctx: Any, _: Any) -> None:
        with pytest.raises(ValidationError) as caught:
            await find_template(str(path), ctx)
        for one in says:
            assert one in caught.value.message

    session(tmp_path, work)


def test_a_file_extends_another_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "base.agent.toml").write_text('system_prompt = "Base."\n', encoding="utf-8")
    top = folder / "top.agent.toml"
    top.write_text('extends = "base.agent.toml"\nprompt_append = "Top."\n', encoding="utf-8")

    async def work(ctx: Any, provider: Any) -> None:
        agent = await create_agent({"extends": str(top)}, ctx)
        await agent.execute("x", ctx)
        assert provider.requests[0].messages[0].text == "Base.\n\nTop."

    session(tmp_path, work)


def test_files_are_read_through_the_gate(tmp_path: Path) -> None:
    path = tmp_path / "a.agent.toml"
    path.write_text('name = "x"', encoding="utf-8")

    async def work(ctx: Any, _: Any) -> None:
        with pytest.raises(PolicyError):
            await find_template(str(path), ctx)

    session(tmp_path / "elsewhere", work, security={"profile": "high"})


def test_what_looks_like_code_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.agent.yaml"
    path.write_text(
        "system_prompt: \"{{ ''.__class__ }} {% for i in range(9**9) %}x{% endfor %}\"\n"
        "description: !!str ${HOME}\n",
        encoding="utf-8",
    )

    async def work(ctx: Any, _: Any) -> None:
        template = await find_template(str(path), ctx)
        assert template.description == "${HOME}"
        assert template.fields["system_prompt"].startswith("{{ ''.__class__ }}")
        path.write_text("!!python/object/apply:os.system [exit]\n", encoding="utf-8")
        with pytest.raises(ValidationError, match=r"a\.agent\.yaml"):
            await find_template(str(path), ctx)

    session(tmp_path, work)


def test_names_tell_what_is_an_agent_file() -> None:
    for suffix in ("yaml", "yml", "toml", "json", "md"):
        assert is_agent_file(f"some/x.agent.{suffix}")
    for other in ("x.toml", "agent.toml", ".agent.toml", "x.agent.lua", "x.agent", "research"):
        assert not is_agent_file(other)
    with pytest.raises(ValidationError, match="is no agent file"):
        AgentText("", "x.toml")


def test_the_schema_takes_what_the_reader_takes() -> None:
    schema = agent_schema()
    assert schema_mistakes(schema, DATA) == []
    peers = ["a", {"agent": "b", "history": "last"}]
    assert schema_mistakes(schema, {"model": "local/x", "handoffs": peers}) == []
    assert schema_mistakes(schema, {"handoffs": [{"history": "last"}]})
    assert schema_mistakes(schema, {"tempratur": 1})
    assert schema_mistakes(schema, {"limits": {"request": 1}})
    assert not {"execute", "hooks", "on_event"} & set(schema["properties"])
    assert set(schema["properties"]) <= {
        "$schema", *AgentTemplate.model_fields, *AgentTemplate.aliases,
    }  # fmt: skip


@given(st.text(max_size=60), st.sampled_from([".toml", ".yaml", ".json", ".md"]))
def test_any_text_is_read_or_refused(text: str, suffix: str) -> None:
    with contextlib.suppress(ValidationError):
        AgentText(text, f"x.agent{suffix}").template()

"""What the README of the repository shows is so: its spells, commands and Python code run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ((?:.* \| )?llmspell .*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == language]


def commands() -> list[tuple[str, str]]:
    return [found for text in blocks("console") for found in COMMAND.findall(text)]


@pytest.fixture
def llmspell(tmp_path: Path) -> Iterator[CommandLine]:
    """In a copy of nothing but the examples; the default model answers JSON."""
    made = CommandLine(tmp_path)
    for path in (ROOT / "examples").glob("*.lua"):
        made.write(f"examples/{path.name}", path.read_bytes())
    with serving(FakeOpenAI('{"item": "parcel", "city": "Oslo", "deadline": "friday"}')) as server:
        made.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        made.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield made


def test_the_first_spell_is_the_example() -> None:
    (spell,) = blocks("lua")
    first, *rest = spell.splitlines()
    assert first == "-- examples/hello.lua"
    assert "\n".join(rest) in (ROOT / "examples" / "hello.lua").read_text(encoding="utf-8")


def test_every_example_is_in_the_table() -> None:
    named = set(re.findall(r"\]\(examples/(\w+\.lua)\)", README))
    assert named == {path.name for path in (ROOT / "examples").glob("*.lua")}


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(("command", "output"), commands())
def test_a_command_does_what_is_shown(command: str, output: str, llmspell: CommandLine) -> None:
    data, _, call = command.rpartition(" | ")
    stdin = f"{shlex.split(data)[1]}\n" if data else ""
    done = llmspell(*shlex.split(call)[1:], stdin=stdin)
    assert (done.code, done.err) == (0, "")
    assert done.out == output if output else done.out


def test_the_configuration_is_valid(llmspell: CommandLine) -> None:
    for number, text in enumerate(blocks("toml")):
        tomllib.loads(text)
        llmspell.write(f"{number}.toml", text)
        done = llmspell("config", "validate", f"{number}.toml")
        assert (done.code, done.err) == (0, ""), done.err


def test_the_python_code_runs(llmspell: CommandLine) -> None:
    arguments = json.dumps({"item": "kettles"})
    call = {"id": "1", "type": "function", "function": {"name": "stock", "arguments": arguments}}
    (code,) = blocks("python")
    path = llmspell.write("agent.py", code)
    with serving(FakeOpenAI(completion(tool_calls=[call]), "Yes, seven.")) as server:
        done = subprocess.run(
            [sys.executable, path],
            env={
                **llmspell.env,
                "LLMSPELL_PROVIDERS__OPENAI__BASE_URL": server.base_url,
                "OPENAI_API_KEY": "sk-test",
            },
            cwd=llmspell.cwd,
            capture_output=True,
            text=True,
            check=False,
        )
        answered = server.requests[-1]["messages"][-1]
    assert (done.returncode, done.stdout) == (0, "Yes, seven.\n"), done.stderr
    assert (answered["role"], answered["content"]) == ("tool", "7")

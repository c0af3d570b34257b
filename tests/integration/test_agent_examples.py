"""The examples of agents made from templates and files do the same from every language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "agents"
PRINTED = (
    "research > market-research > tea-market\n"
    "web-searcher academic-searcher web-scraper text-summarizer statistical-analyzer csv-analyzer\n"
    "MarketResearchAgent: Leaf & Co leads.\n"
)
ES5 = """
Agent.register_template("market-research", {
  extends: "research", parameters: {topic: "markets", market: {type: "string", required: true}},
  prompt_append: "You watch the market for {{ market }}.",
  tools_add: ["csv-analyzer"], tools_remove: ["citation-formatter"]
});
Agent.register_template("tea-market", {
  extends: "market-research", parameters: {market: "tea", depth: "quick"},
  prompt_append: "Compare Leaf & Co, Kettle Ltd.\\n\\nAnswer in at most three sentences."
});
var about = Agent.get_info("tea-market");
print(about.levels.join(" > "));
print(about.tools.join(" "));
var analyst = Agent.create_from_template("MarketResearchAgent", "tea-market", {temperature: 0});
var answer = analyst.execute("Who leads the market, and why?");
print(answer.agent + ": " + answer.text);
"""


@pytest.fixture(params=["medium", "low"])
def llmspell(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.env["LLMSPELL_SECURITY__PROFILE"] = request.param
    return made


@pytest.fixture
def asked(llmspell: CommandLine) -> Iterator[list[dict[str, Any]]]:
    with serving(FakeOpenAI(lambda _: "Leaf & Co leads.")) as server:
        llmspell.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        llmspell.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        yield server.requests


def python(llmspell: CommandLine, *words: str) -> subprocess.CompletedProcess[str]:
    """Python itself, with the same settings as the command."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=llmspell.cwd,
        env={**os.environ, **llmspell.env},
        capture_output=True,
        text=True,
        check=False,
    )


def check(asked: list[dict[str, Any]]) -> None:
    (request,) = asked
    prompt = request["messages"][0]["content"]
    assert "in the field of markets" in prompt
    assert "read about two sources" in " ".join(prompt.split())
    assert "You watch the market for tea." in prompt
    assert "Compare Leaf & Co, Kettle Ltd." in prompt
    assert prompt.endswith("Answer in at most three sentences.")
    assert request["temperature"] == 0
    assert len(request["tools"]) == 6


@pytest.mark.parametrize("name", ["market_research.lua", "market_research.js"])
def test_market_research_as_a_script(
    name: str, llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    if name.endswith(".js"):
        pytest.importorskip("llmspell_js")
    done = llmspell(EXAMPLES / name)
    assert (done.code, done.out, done.err) == (0, PRINTED, "")
    check(asked)


def test_market_research_in_es5(llmspell: CommandLine, asked: list[dict[str, Any]]) -> None:
    pytest.importorskip("llmspell_duktape")
    done = llmspell("run", "--engine", "duktape", llmspell.write("x.js", ES5))
    assert (done.code, done.out, done.err) == (0, PRINTED, "")
    check(asked)


def test_market_research_from_python(llmspell: CommandLine, asked: list[dict[str, Any]]) -> None:
    done = python(llmspell, str(EXAMPLES / "market_research.py"))
    assert (done.returncode, done.stdout, done.stderr) == (0, PRINTED, "")
    check(asked)


PACKAGE = EXAMPLES / "llmspell-market-research"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package is installed in, as a wheel made from a copy of it."""
    place = tmp_path_factory.mktemp("package")
    source = shutil.copytree(PACKAGE, place / "source")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next(place.glob("*.whl"))) as wheel:
        wheel.extractall(place / "site")
    return place / "site"


def test_market_research_as_a_package(
    installed: Path, llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    llmspell.env["PYTHONPATH"] = str(installed)
    about = llmspell("agent", "info", "tea-market")
    assert (about.code, about.err) == (0, "")
    assert "Watches a market" in about.out
    parameters = ["--param", "competitors=" + '["Leaf & Co", "Kettle Ltd"]']
    done = llmspell("agent", "run", "tea-market", *parameters, "Who leads?")
    assert (done.code, done.out) == (0, "Leaf & Co leads.\n")
    prompt = asked[0]["messages"][0]["content"]
    assert "You watch the market for tea. Compare Leaf & Co, Kettle Ltd." in prompt
    spell = llmspell.write(
        "x.lua", 'print(table.concat(Agent.get_info("tea-market").levels, " > "))'
    )
    assert llmspell(spell).out == "research > market-research > tea-market\n"


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests")
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


FILE = "r.agent.md"
INPUT = '{text: "Go.", variables: {title: "Bread"}}'
LUA = f'local agent = Agent.from_file("{FILE}")\n'
LUA += 'print(agent:execute{text = "Go.", variables = {title = "Bread"}}.text)'
MODERN = f'const agent = await Agent.fromFile("{FILE}");\n'
MODERN += f"console.log((await agent.execute({INPUT})).text);"
OLD = f'print(Agent.from_file("{FILE}").execute({INPUT}).text);'
PYTHON = f"""
import asyncio
from llmspell import create_agent

async def main():
    agent = await create_agent({{"extends": "{FILE}"}})
    print((await agent.execute({{"text": "Go.", "variables": {{"title": "Bread"}}}})).text)

asyncio.run(main())
"""


def ask_file(language: str, llmspell: CommandLine) -> str:
    """What asking the agent of the file prints."""
    if language == "command":
        return llmspell("agent", "run", FILE, "Go.", "--param", "title=Bread").out
    if language == "lua":
        return llmspell(llmspell.write("x.lua", LUA)).out
    if language == "js":
        pytest.importorskip("llmspell_js")
        return llmspell(llmspell.write("x.mjs", MODERN)).out
    if language == "duktape":
        pytest.importorskip("llmspell_duktape")
        return llmspell("run", "--engine", "duktape", llmspell.write("x.js", OLD)).out
    return python(llmspell, "-c", PYTHON).stdout


@pytest.mark.parametrize("language", ["lua", "js", "duktape", "command", "python"])
def test_an_agent_file_from_everywhere(
    language: str, llmspell: CommandLine, asked: list[dict[str, Any]]
) -> None:
    llmspell.write(FILE, (EXAMPLES / "reviewer.agent.md").read_bytes())
    assert ask_file(language, llmspell) == "Leaf & Co leads.\n"
    prompt = asked[0]["messages"][0]["content"]
    assert "for hurried readers" in prompt
    assert prompt.endswith("The text is called Bread.")
    assert len(asked[0]["tools"]) == 3

"""A stranger's plugin, built with hatchling and installed elsewhere, takes part at once.

Nothing of llmspell is changed for it: a tool, a global hook, a command, and a broken command.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "llmspell-hello"
version = "1.0"
description = "Greets the moon"
requires-python = ">=3.11"
dependencies = ["llmspell-core>=0.1,<0.2"]

[project.entry-points."llmspell.tools"]
shout = "llmspell_hello:shout"

[project.entry-points."llmspell.commands"]
hello = "llmspell_hello:hello"
broken = "llmspell_hello:missing"

[project.entry-points."llmspell.hooks"]
hello = "llmspell_hello:hooks"
"""

MODULE = '''
from typing import Any

from llmspell_core.command import command
from llmspell_core.hookspecs import hookimpl
from llmspell_core.tool import tool


@tool
async def shout(input: str, times: int = 1) -> str:
    """Says INPUT loudly."""
    return input.upper() * times


@command
async def hello(who: str, times: int = 1, quiet: bool = False) -> list[dict[str, Any]]:
    """Greet somebody.

    Args:
        times: how often
        quiet: in a low voice
    """
    word = "psst" if quiet else "hello"
    return [{"word": word, "who": who, "number": n + 1} for n in range(times)]


class hooks:
    @staticmethod
    @hookimpl
    def llmspell_register_hooks(registry: Any) -> None:
        def before(ctx: Any) -> Any:
            if ctx.tool == "shout":
                changed = {**ctx.arguments, "input": ctx.arguments["input"] + "!"}
                return {"type": "modified", "data": {"arguments": changed}}

        registry.register("before_tool_execution", before, name="emphasis")
'''


def installer() -> list[str]:
    """uv where it is, else pip: both build the wheel and install it into a folder."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    return [found, "pip"] if found else [sys.executable, "-m", "pip"]


@pytest.fixture(scope="module")
def llmspell(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line of somebody who has installed the plugin."""
    folder = tmp_path_factory.mktemp("third-party")
    made = CommandLine(folder)
    project = folder / "llmspell-hello"
    module = project / "src" / "llmspell_hello" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.write_text(MODULE, encoding="utf-8")
    (project / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    target = ["--target", str(made.site), str(project)]
    install = [*installer(), "install", "-q", "--no-deps", *target]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_it_is_listed_without_being_imported(llmspell: CommandLine) -> None:
    lines = [line.split() for line in llmspell("plugins").out.splitlines()]
    assert lines.count(["hello", "llmspell-hello", "1.0"]) == 2
    assert ["shout", "llmspell-hello", "1.0"] in lines
    assert "Greets the moon" in llmspell("--help").out


def test_its_tool_is_there_for_people_scripts_and_its_own_hook(llmspell: CommandLine) -> None:
    assert llmspell("tool", "run", "shout", "--param", "input=hi").out == "HI!\n"
    script = 'return Tool.execute("shout", { input = "ho", times = 2 }).output'
    assert llmspell("eval", script).out == "HO!HO!\n"


def test_its_command_has_options_and_json(llmspell: CommandLine) -> None:
    assert llmspell("hello", "moon").out == "hello  moon  1\n"
    done = llmspell("hello", "moon", "--times", "2", "--quiet", "--json")
    assert '"word": "psst"' in done.out
    page = llmspell("hello", "--help").out
    assert "Greet somebody." in page
    assert "how often" in page
    assert llmspell("hello").code == 2
    # The options of llmspell itself stand before or after it.
    assert llmspell("hello", "-q", "moon", "--color", "never").code == 0


def test_its_broken_command_costs_only_itself(llmspell: CommandLine) -> None:
    assert "  broken " in llmspell("--help").out
    done = llmspell("broken")
    assert done.code == 1
    assert done.err.startswith("error: plugin llmspell-hello failed to load")
    assert "[plugin.broken]" in done.err
    assert llmspell("broken", "--help").code == 1

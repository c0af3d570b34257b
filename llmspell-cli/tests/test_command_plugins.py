"""`llmspell plugins info | doctor`, and plugins that cost only themselves, whatever they do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

GOOD = '''
from llmspell_core.command import command
from llmspell_core.tool import tool


@tool(name="good-one")
def good_one(input: str) -> str:
    """Gives back what it gets."""
    return input


@command
def doctor(what: str = "x") -> str:
    """Never reached."""
    return what
'''

CALLS_ITSELF = 'it calls itself "good-one"'

LIES = '''
from llmspell_core.tool import FunctionTool


def echo(input: object = None) -> str:
    """Takes anything."""
    return str(input)


class Lying(FunctionTool):
    def schema(self):
        field = {"type": "integer"}
        return {"type": "object", "properties": {"input": field}, "required": ["input"]}


lying = Lying(echo, name="other-name")


class NoSchema(FunctionTool):
    def schema(self):
        return {"type": "nothing"}


no_schema = NoSchema(echo, name="no-schema")


class Raises(FunctionTool):
    def __init__(self):
        raise RuntimeError("no such luck")


number = 7
'''


@pytest.fixture(scope="module")
def llmspell(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Somebody who has installed a good plugin and every kind of bad one."""
    made = CommandLine(tmp_path_factory.mktemp("plugins"))
    made.plugin(
        "strange-good",
        GOOD,
        tools={"good-one": "good_one", "calculator": "good_one", "json_processor": "good_one"},
        commands={"doctor": "doctor"},
    )
    made.plugin("strange-raises", "raise ValueError('bad luck')", tools={"raises-one": "x"})
    made.plugin("strange-exits", "import sys; sys.exit(3)", tools={"exits-one": "x"})
    made.plugin(
        "strange-lies",
        LIES,
        tools={
            "lying": "lying",
            "no-schema": "no_schema",
            "no-tool": "number",
            "raising": "Raises",
        },
        engines={"no-engine": "number"},
        providers={"no-provider": "number"},
        globals={"NoGlobal": "number"},
        hooks={"no-hooks": "number"},
    )
    made.plugin("strange-twin", GOOD, tools={"good-two": "good_one"})
    made.plugin("strange-other-twin", GOOD, tools={"good-two": "good_one"})
    made.plugin("strange-old", GOOD, tools={"old-one": "good_one"})
    metadata = made.site / "strange_old-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + "Requires-Dist: llmspell-core>=0.0.1,<0.1\n")
    return made


def problems(llmspell: CommandLine, *names: str) -> list[str]:
    """`kind name: what the doctor says of it`; the distribution where it is about the whole."""
    done = llmspell("plugins", "doctor", "--json", "--timeout", "5", *names)
    found = json.loads(done.out)
    assert done.code == int(any(one["problems"] for one in found))
    return [
        f"{row['kind']} {row['name']}: {row['problem']}".replace(" : ", f"{one['distribution']}: ")
        for one in found
        for row in one["problems"]
    ]


def test_info_says_what_a_distribution_adds(llmspell: CommandLine) -> None:
    out = llmspell("plugins", "info", "strange-good").out
    assert out.startswith("strange-good 1.0\n  A test\n")
    assert "strange_good:good_one" in out
    assert "not used: llmspell-tools has one of this name" in out
    data = json.loads(llmspell("plugins", "info", "Strange_Good", "--json").out)
    assert {row["name"] for row in data["adds"]} >= {"good-one", "doctor", "calculator"}
    assert llmspell("plugins", "info", "tools").out.startswith("llmspell-tools ")
    unknown = llmspell("plugins", "info", "strange-god")
    assert unknown.code == 2
    assert 'did you mean "strange-good"?' in unknown.err


def test_the_doctor_names_what_is_broken_and_why(llmspell: CommandLine) -> None:
    found = problems(llmspell)
    expected = {
        "tools calculator": "not used: llmspell-tools has a tool",
        "tools json_processor": "a tool of llmspell-tools is called json-processor",
        "commands doctor": "llmspell has a command of this name",
        "tools raises-one": "ValueError: bad luck",
        "tools exits-one": "SystemExit: 3",
        "tools lying": "it takes what its schema forbids",
        "tools no-schema": "its schema is none",
        "tools no-tool": "it is a int",
        "tools raising": "RuntimeError: no such luck",
        "engines no-engine": "it has no `info`",
        "providers no-provider": "it is no Provider class",
        "globals NoGlobal": "it is no ScriptGlobal class",
        "hooks no-hooks": "it has no function for a moment",
        "tools good-two": "none is used",
        "strange-old": "it is made for llmspell-core >=0.0.1,<0.1",
    }
    for where, what in expected.items():
        assert any(one.startswith(f"{where}: ") and what in one for one in found), where
    assert f"tools old-one: {CALLS_ITSELF}" in found
    assert not [one for one in found if "tools good-one" in one]
    shown = llmspell("plugins", "doctor", "strange-raises")
    assert shown.code == 1
    assert "problem" in shown.out
    assert "tool raises-one: it cannot be imported: ValueError: bad luck" in shown.out


def test_they_cost_only_themselves(llmspell: CommandLine) -> None:
    assert llmspell("tool", "run", "good-one", "--param", "input=hi").out == "hi\n"
    assert llmspell("tool", "run", "calculator", "--param", "input=6*7").out == "42\n"
    assert llmspell("tool", "run", "json-processor", "--param", "input=[1]").code == 0
    listed = llmspell("tool", "list")
    assert listed.code == 0
    assert "good-one" in listed.out
    assert "bad luck" in listed.err
    assert "no such luck" in listed.err
    script = 'return #Tool.list() > 5 and Tool.execute("good-one", { input = "x" }).text'
    assert llmspell("eval", script).out == "x\n"
    for name in ("exits-one", "raising"):
        done = llmspell("tool", "run", name)
        assert done.code == 1
        assert "[plugin.broken]" in done.err
    assert llmspell("--help").out.count("  doctor ") == 1


def test_one_that_hangs_or_ends_the_process_is_named_and_the_rest_is_looked_at(
    tmp_path: Path,
) -> None:
    llmspell = CommandLine(tmp_path)
    hang = "import time\n" + GOOD + "\ndef __getattr__(name):\n    time.sleep(60)\n"
    llmspell.plugin("strange-hangs", hang, tools={"a-hangs": "never", "good-one": "good_one"})
    ends = "import os\n" + GOOD + "\ndef __getattr__(name):\n    os._exit(7)\n"
    llmspell.plugin("strange-ends", ends, tools={"a-ends": "never", "good-too": "good_one"})
    found = problems(llmspell, "strange-hangs", "strange-ends", "--timeout", "2")
    assert found == [
        "tools a-hangs: importing it did not end within 2 s",
        "tools a-ends: importing it ended the process with exit code 7",
        f"tools good-too: {CALLS_ITSELF}",
    ]


def test_nothing_is_wrong_without_plugins(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    shutil.rmtree(llmspell.site)
    assert "no plugins are installed" in llmspell("plugins", "doctor").out
    assert llmspell("plugins", "doctor", "llmspell-core").out.startswith("fine")

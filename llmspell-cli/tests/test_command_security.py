"""`llmspell security`: what a script may do, the profiles, a trial of the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmspell_bridge.isolation import layers
from llmspell_cli.script_names import names_in
from llmspell_cli.testing import CommandLine

SPELL = """\
-- Workflow is only named here
local writer = Agent.new{ tools = { "http_requester" } }
State.set("Event", 1)
return Tool.execute("calculator", { input = "6*7" })
"""


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.write("spell.lua", SPELL)
    return made


# -- explain -------------------------------------------------------------------------------------


def test_explain_says_what_a_script_may_do_before_it_runs(llmspell: CommandLine) -> None:
    done = llmspell("security", "explain", "spell.lua")
    assert done.code == 0
    first, *rows = done.out.splitlines()
    assert first.startswith("spell.lua runs under profile medium (default), in a ")
    text = "\n".join(rows)
    for label in ("files", "denied", "network", "processes", "environment", "tools", "limits"):
        assert label in text
    assert "256 MiB, 60 s CPU, 5 min, 100,000 host calls" in text
    assert rows[-1] == 'it names: Agent, State, Tool("http-requester"), Tool("calculator")'
    assert max(map(len, rows)) <= 110


def test_explain_names_the_file_and_line_that_decide(llmspell: CommandLine) -> None:
    llmspell.write(
        "llmspell.toml", '[system]\nlog_level = "warn"\n\n[security]\nprofile = "high"\n'
    )
    done = llmspell("security", "explain", "spell.lua")
    assert "under profile high (llmspell.toml:5" in done.out
    assert "it names tools that it may not call: http-requester" in done.out
    done = llmspell("--profile", "low", "security", "explain", "spell.lua")
    assert "llmspell.toml:5" in done.out or "--profile" in done.out


def test_explain_as_data_has_every_rule(llmspell: CommandLine) -> None:
    facts = json.loads(llmspell("security", "explain", "spell.lua", "--json").out)
    assert facts["profile"] == "medium"
    assert facts["isolation"] == "worker"
    assert facts["set_by"] == "default"
    assert facts["names"]["tools"] == ["http-requester", "calculator"]
    assert "calculator" in facts["tools"]["may_be_called"]
    assert facts["limits"]["memory_mb"] == 256
    assert facts["files"]["read"]


def test_explain_runs_nothing_and_reports_a_missing_script(llmspell: CommandLine) -> None:
    llmspell.write("boom.lua", "error('it ran')")
    assert llmspell("security", "explain", "boom.lua").out.endswith("none of the globals\n")
    done = llmspell("security", "explain", "nothing.lua")
    assert done.code != 0
    assert "no such script: nothing.lua" in done.err


# -- profiles ------------------------------------------------------------------------------------


def test_profiles_lists_the_built_in_ones_and_those_of_the_project(llmspell: CommandLine) -> None:
    llmspell.write(
        "llmspell.toml",
        '[security]\nprofile = "reports"\n[security.profiles.reports]\nbase = "high"\n',
    )
    rows = json.loads(llmspell("security", "profiles", "--json").out)
    by_name = {row["name"]: row for row in rows}
    assert {"none", "low", "medium", "high", "development", "testing"} <= {*by_name}
    assert by_name["reports"]["base"] == "high"
    assert by_name["reports"]["isolation"] == "sandbox"
    assert [row["name"] for row in rows if row["in_force"]] == ["reports"]
    text = llmspell("security", "profiles").out
    assert "reports (from high)  (in force)" in text
    assert "64 MiB, 10 s CPU, 30 s, 10,000 host calls" in text


# -- selftest ------------------------------------------------------------------------------------

HELD = not [one for one in layers() if one.missing]


@pytest.mark.skipif(not HELD, reason="this machine lacks a layer of the sandbox")
def test_selftest_finds_no_way_out(llmspell: CommandLine) -> None:
    done = llmspell("security", "selftest")
    assert done.code == 0
    assert "none broke out" in done.err
    assert "ESCAPED" not in done.out
    assert [line for line in done.out.splitlines() if "connect to 127.0.0.1" in line]
    done = llmspell("--profile", "high", "security", "selftest", "--json")
    found = json.loads(done.out)
    assert done.code == 0
    assert found["ok"]
    assert {"landlock", "seccomp"} <= {*found["layers"]} or "sandbox-exec" in found["layers"]
    assert all(set(one) == {"attempt", "expected", "got", "escaped"} for one in found["attempts"])


# -- the names in a script -----------------------------------------------------------------------

KNOWN = ["Agent", "Tool", "State", "JSON"]
TOOLS = {"calculator", "http-requester"}


@pytest.mark.parametrize(
    ("text", "language", "globals_", "tools"),
    [
        ("-- Agent\nState.get('x')", "lua", ["State"], []),
        ("--[[ Agent\nTool ]] JSON.parse('1')", "lua", ["JSON"], []),
        ("--[==[ ]] Agent ]==] x = 1", "lua", [], []),
        ("local n = 7 // Tool.count()", "lua", ["Tool"], []),
        ("local x = a..Agent.name", "lua", ["Agent"], []),
        ("my.Agent.x = myAgent", "lua", [], []),
        ("x = 'Agent \\' Tool'", "lua", [], []),
        ("Tool['http_requester']", "lua", ["Tool"], ["http-requester"]),
        ("// Agent\n/* Tool */ await State.get(`x`)", "js", ["State"], []),
        ("i--; Agent.create({tools: ['calculator']})", "js", ["Agent"], ["calculator"]),
        ("", "lua", [], []),
    ],
)
def test_names_are_found_in_code_and_not_in_comments(
    text: str, language: str, globals_: list[str], tools: list[str]
) -> None:
    assert names_in(text, language, KNOWN, TOOLS) == (globals_, tools)

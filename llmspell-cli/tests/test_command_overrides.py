"""`[script_overrides]`, `enforce` and profiles of one's own, from the file to the script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.isolation import layers
from llmspell_cli.testing import CommandLine

HELD = not [one for one in layers() if one.missing]
pytestmark = pytest.mark.skipif(not HELD, reason="this machine lacks a layer of the sandbox")

SHOW = """
return {
  open = type(io.open), write = type(io.write),
  getenv = type(os.getenv), difftime = type(os.difftime), time = type(os.time),
  execute = type(os.execute), popen = type(io.popen), dofile = type(dofile),
  debug = type(debug), package = type(package), profile = Security.profile,
}
"""
SHOW_JS = """
const kind = (name) => typeof globalThis[name];
export default [kind("console"), kind("setTimeout"), kind("URL"), kind("TextEncoder")];
"""
PROJECT = """
[security]
profile = "high"

[script_overrides."reads.lua"]
security = { stdlib_access = { lua = ["io"] }, reason = "reads its input, reviewed" }

[script_overrides."both/*.lua"]
log_level = "debug"
[script_overrides."both/*.lua".security]
stdlib_access = { lua = ["io", "os"] }
reason = "nightly maintenance, reviewed"

[script_overrides."waits.js"]
security = { stdlib_access = { js = ["timers", "URL"] }, reason = "waits" }
"""


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    for name in ("reads.lua", "both/a.lua", "plain.lua", "both/deeper/a.lua"):
        made.write(name, SHOW)
    for name in ("waits.js", "plain.js"):
        made.write(name, SHOW_JS)
    made.write("llmspell.toml", PROJECT)
    return made


def run(llmspell: CommandLine, *args: str) -> Any:
    done = llmspell("run", "--json", *args)
    assert done.code == 0, done.err + done.out
    return json.loads(done.out)["data"]


def test_one_script_gets_io_another_io_and_os_and_a_third_neither(llmspell: CommandLine) -> None:
    llmspell("trust")
    plain = run(llmspell, "plain.lua")
    assert plain["profile"] == "high"
    assert (plain["open"], plain["difftime"]) == ("nil", "nil")
    assert (plain["write"], plain["time"]) == ("function", "function")
    reads = run(llmspell, "reads.lua")
    assert (reads["open"], reads["difftime"]) == ("function", "nil")
    both = run(llmspell, "both/a.lua")
    assert (both["open"], both["difftime"]) == ("function", "function")
    # `*` is one folder's names.
    assert run(llmspell, "both/deeper/a.lua")["open"] == "nil"
    for got in (plain, reads, both):
        assert (got["debug"], got["package"]) == ("nil", "nil")
        assert got["profile"] == "high"


def test_libraries_are_given_to_one_script_in_javascript_too(llmspell: CommandLine) -> None:
    llmspell("trust")
    plain, waits = (json.loads(llmspell("run", one).out) for one in ("plain.js", "waits.js"))
    assert plain == ["object", "undefined", "undefined", "undefined"]
    assert waits == ["object", "function", "function", "undefined"]


def test_what_a_library_gives_still_goes_through_the_gates(llmspell: CommandLine) -> None:
    llmspell("trust")
    outside = llmspell.home / "secret.txt"
    outside.write_text("outside")
    llmspell.write(
        "reads.lua", f'local ok, e = pcall(io.open, "{outside}")\nreturn tostring(ok and e)'
    )
    assert run(llmspell, "reads.lua") in ("nil", "false")


def test_each_use_of_an_override_is_audited_with_its_reason(llmspell: CommandLine) -> None:
    llmspell("trust")
    for name in ("plain.lua", "both/a.lua"):
        llmspell("run", "--audit-log", "audit.jsonl", name)
    lines = [json.loads(line) for line in (llmspell.cwd / "audit.jsonl").read_text().splitlines()]
    used = [one for one in lines if one["gate"] == "profile"]
    assert [(one["target"], one["verdict"], one["rule"]) for one in used] == [
        ("both/*.lua", "allow", "nightly maintenance, reviewed")
    ]
    assert used[0]["script"] == "both/a.lua"
    assert len(used[0]["sha256"]) == 64
    explained = llmspell("security", "explain", "both/a.lua").out
    assert "both/*.lua (llmspell.toml:8): nightly maintenance, reviewed" in explained
    assert "override" not in llmspell("security", "explain", "plain.lua").out


def test_an_untrusted_project_gives_no_library_that_the_user_does_not(
    llmspell: CommandLine,
) -> None:
    # The user's own profile is `medium`, which has both; the project tightens, and takes back.
    got = run(llmspell, "both/a.lua")
    assert (got["open"], got["debug"], got["profile"]) == ("function", "nil", "high")
    config = llmspell.home / "config" / "config.toml"
    config.parent.mkdir()
    config.write_text('[security]\nprofile = "high"\n')
    got = run(llmspell, "both/a.lua")
    assert (got["open"], got["difftime"], got["profile"]) == ("nil", "nil", "high")
    done = llmspell("run", "both/a.lua")
    assert 'llmspell.toml:11 script_overrides."both/*.lua".security.stdlib_access.lua' in done.err


def test_whoever_enforces_bounds_overrides_and_options_with_the_line(llmspell: CommandLine) -> None:
    config = llmspell.home / "config" / "config.toml"
    config.parent.mkdir()
    config.write_text('[security]\nprofile = "high"\nenforce = true\n')
    llmspell("trust")
    done = llmspell("run", "both/a.lua")
    assert done.code == 2
    assert f"{config}:3 enforces it" in done.err
    assert "llmspell.toml:11" in done.err
    for option in (["--profile", "medium"], ["--set", "security.limits.memory_mb=500"]):
        done = llmspell(*option, "run", "plain.lua")
        assert done.code == 2
        assert option[0] in done.err
        assert "may only be tightened" in done.err
    assert llmspell("--set", "security.limits.memory_mb=32", "run", "plain.lua").code == 0
    variable = llmspell("run", "plain.lua", env={"LLMSPELL_SECURITY__PROFILE": "low"})
    assert variable.code == 2
    assert "LLMSPELL_SECURITY__PROFILE" in variable.err


def test_presets_and_profiles_of_ones_own_can_be_chosen_by_name(llmspell: CommandLine) -> None:
    llmspell.write(
        "llmspell.toml",
        '[security]\nprofile = "reports"\n[security.profiles.reports]\nbase = "data-analysis"\n'
        "[security.profiles.reports.limits]\nwall_s = 5\nstate_mb = 3\n",
    )
    llmspell("trust")
    facts = json.loads(llmspell("security", "explain", "plain.lua", "--json").out)
    assert (facts["profile"], facts["base"]) == ("reports", "data_analysis")
    assert (facts["limits"]["wall_s"], facts["limits"]["memory_mb"]) == (5, 2048)
    assert facts["limits"]["state_mb"] == 3
    assert facts["network"]["mode"] == "none"
    for name in ("development", "testing", "production", "data_analysis", "data-analysis"):
        done = llmspell("--profile", name, "eval", "Security.profile")
        assert done.out.strip() == name.replace("-", "_"), done.err
    done = llmspell("--profile", "testign", "eval", "1")
    assert done.code == 2
    assert 'did you mean "testing"?' in done.err

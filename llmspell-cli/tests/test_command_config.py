"""`llmspell config` and `llmspell trust`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

TOML = """[default]
model = "house/qwen"

[providers.house]
base_url = "http://127.0.0.1:9/v1"
api_key = "sk-literal-key-0123456789"
headers = { Authorization = "Bearer abcdefgh12345678", X-Team = "us" }
"""


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.write("house.toml", TOML)
    return made


def test_show_masks_what_is_secret_and_names_origins(llmspell: CommandLine) -> None:
    for args in (
        ["config", "show"],
        ["config", "show", "--all", "--json"],
        ["config", "get", "providers.house.api_key"],
        ["config", "get", "providers"],
    ):
        done = llmspell("--config", "house.toml", *args)
        assert done.code == 0, done.err
        assert "***" in done.out
        assert "literal" not in done.out
        assert "abcdefgh" not in done.out
    done = llmspell(
        "--config", "house.toml", "--profile", "low", "config", "show", "--origin",
        env={"LLMSPELL_EVENTS__HISTORY": "7"},
    )  # fmt: skip
    rows = {line.split(" = ")[0].strip(): line for line in done.out.splitlines()}
    assert rows["default.model"].endswith('= "house/qwen"   # house.toml:2')
    assert rows["events.history"].endswith("= 7   # LLMSPELL_EVENTS__HISTORY")
    assert rows["security.profile"].endswith('= "low"   # --profile')


def test_show_takes_a_section_and_get_a_key(llmspell: CommandLine) -> None:
    done = llmspell("config", "show", "events")
    assert done.out.splitlines()[0].split() == ["events.history", "=", "1000"]
    assert llmspell("config", "get", "events.history").out == "1000\n"
    assert json.loads(llmspell("config", "get", "events").out)["history"] == 1000
    assert llmspell("config", "get", "providers.x.base_url").code == 0
    for command in ("get", "show"):
        done = llmspell("config", command, "system.log_levle")
        assert done.code == 2
        assert done.lines == [
            "error: system.log_levle: unknown key  [config.unknown_key]",
            '  did you mean "system.log_level"?',
        ]


def test_validate_path_and_schema(llmspell: CommandLine) -> None:
    done = llmspell("config", "validate", "house.toml")
    assert (done.code, done.out) == (0, f"ok: {llmspell.cwd / 'house.toml'}\n")
    llmspell.write("bad.toml", "[events]\nhistory = -1\nqueu = 1\n")
    done = llmspell("config", "validate", "bad.toml")
    assert done.code == 2
    assert "bad.toml:2" in done.err
    assert "bad.toml:3" in done.err
    assert llmspell("config", "validate", "gone.toml").code == 2

    llmspell.write("llmspell.toml", "[events]\nhistory = 5\n")
    done = llmspell("config", "path")
    assert done.out == f"{llmspell.cwd / 'llmspell.toml'}\n"
    assert str(llmspell.home / "config" / "config.toml") in done.err
    schema = json.loads(llmspell("config", "schema").out)
    assert schema["properties"]["events"]["properties"]["history"]["description"]


def test_a_project_widens_only_when_it_is_trusted(llmspell: CommandLine) -> None:
    llmspell.write("llmspell.toml", '[security]\nprofile = "none"\n')
    done = llmspell("eval", "Security.profile")
    assert done.out == "medium\n"
    assert "security.profile" in done.err
    assert "llmspell trust" in done.err
    done = llmspell("config", "validate")
    assert "warning: " in done.err

    assert "is trusted now" in llmspell("trust").err
    assert llmspell("eval", "Security.profile").out == "none\n"
    assert llmspell("trust", "--list").out == f"{llmspell.cwd.resolve()}\n"
    assert "is trusted no longer" in llmspell("trust", "--remove", ".").err
    assert "was not trusted" in llmspell("trust", "--remove").err
    done = llmspell("trust", "gone")
    assert (done.code, done.lines[0]) == (2, "error: there is no folder gone  [input.usage]")

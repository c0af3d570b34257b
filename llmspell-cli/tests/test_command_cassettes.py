"""`--record` and `--replay`: a run with a real server, and the same without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI

SPELL = """\
-- @engine lua
local agent = Agent.new{ system_prompt = "Be brief.", model = "house/m" }
for chunk in agent:stream(args[1] or "Hi") do io.write(chunk.text) end
print()
"""
HOUSE = {"LLMSPELL_DEFAULT__MODEL": "house/m"}


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.write("spell.lua", SPELL)
    return made


def record(llmspell: CommandLine) -> int:
    with serving(FakeOpenAI("Hello there.")) as server:
        env = {"LLMSPELL_PROVIDERS__HOUSE__BASE_URL": server.base_url}
        done = llmspell("--record", "hi.jsonl", "spell.lua", env=env)
        assert (done.code, done.out, done.err) == (0, "Hello there.\n", "")
        return len(server.requests)


def test_a_recorded_run_is_played_without_server_provider_and_key(llmspell: CommandLine) -> None:
    assert record(llmspell) == 1
    done = llmspell("run", "--replay", "hi.jsonl", "spell.lua")
    assert (done.code, done.out, done.err) == (0, "Hello there.\n", "")


def test_a_replay_that_asks_for_something_else_fails_with_the_difference(
    llmspell: CommandLine,
) -> None:
    record(llmspell)
    done = llmspell("--replay", "hi.jsonl", "spell.lua", "Bye")
    assert done.code == 1
    assert 'messages[1].content: recorded "Hi", asked "Bye"' in done.err
    assert "[cassette.miss]" in done.err


def test_a_replay_says_what_nobody_asked_for(llmspell: CommandLine) -> None:
    record(llmspell)
    text = (llmspell.cwd / "hi.jsonl").read_text()
    last = text.splitlines()[-1]
    llmspell.write("hi.jsonl", text + last + "\n")
    done = llmspell("--replay", "hi.jsonl", "spell.lua")
    assert done.code == 0
    assert "1 recording of it was not asked for" in done.err


def test_a_file_that_is_not_there_is_a_mistake_of_the_call(llmspell: CommandLine) -> None:
    done = llmspell("--replay", "no.jsonl", "spell.lua")
    assert (done.code, "there is no cassette" in done.err) == (2, True)
    both = llmspell("--replay", "no.jsonl", "--record", "b.jsonl", "spell.lua")
    assert (both.code, "exclude each other" in both.err) == (2, True)


def test_scripts_cannot_touch_the_file_of_the_running_cassette(llmspell: CommandLine) -> None:
    llmspell.write("output/write.lua", 'print(pcall(io.open, "output/tape.jsonl", "w"))')
    done = llmspell("--record", "output/tape.jsonl", "output/write.lua")
    assert done.out.startswith("false")
    assert "policy.file" in done.out + done.err or "not allow" in done.out


def test_a_project_that_is_not_trusted_records_nothing(llmspell: CommandLine) -> None:
    llmspell.write("llmspell.toml", '[cassette]\npath = "../stolen.jsonl"\nmode = "record"\n')
    with serving(FakeOpenAI("Hello there.")) as server:
        env = {"LLMSPELL_PROVIDERS__HOUSE__BASE_URL": server.base_url}
        done = llmspell("spell.lua", env=env)
    assert done.out == "Hello there.\n"
    assert "cassette.path" in done.err
    assert not (llmspell.cwd.parent / "stolen.jsonl").exists()


def test_a_mode_that_needs_a_file_asks_nobody_without_one(llmspell: CommandLine) -> None:
    for mode in ("replay", "record"):
        done = llmspell("--set", f"cassette.mode={mode}", "spell.lua")
        assert (done.code, f'mode = "{mode}" needs a path' in done.err) == (2, True)

"""Help, version, `doctor`, `plugins`, `engines`, `stubs`: what there is, at a glance."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmspell_cli.app import COMMANDS, app
from llmspell_cli.testing import CommandLine
from llmspell_cli.version import VERSION


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def imported(*args: str) -> tuple[str, set[str]]:
    code = (
        "import sys; sys.argv = ['llmspell', *sys.argv[1:]]\n"
        "from llmspell_cli.__main__ import main; code = main()\n"
        "print(' '.join(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=True
    )
    return done.stdout, set(done.stderr.split())


def test_the_version_needs_next_to_nothing() -> None:
    out, modules = imported("--version")
    assert out == f"llmspell {VERSION}\n"
    assert not modules & {"click", "pluggy", "pydantic", "asyncio", "importlib_metadata"}


def test_help_is_short_and_imports_no_command() -> None:
    out, modules = imported("--help")
    lines = out.splitlines()
    assert len(lines) < 45
    assert max(map(len, lines)) <= 80
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "llmspell spell.lua" in out
    assert not modules & {"pydantic", "pluggy", "rich", "httpx", "asyncio"}
    assert not [name for name in modules if name.startswith("llmspell_cli.commands.")]


def test_every_help_page_has_an_example() -> None:
    def pages(path: list[str]) -> None:
        done = CliRunner().invoke(app, [*path, "--help"], terminal_width=80)
        assert done.exit_code == 0, done.output
        assert f"Examples:\n  {''}" in done.output, path
        example = done.output.partition("Examples:\n")[2].splitlines()[0]
        assert "llmspell" in example
        command = app
        for name in path:
            command = command.get_command(None, name)  # type: ignore[assignment, arg-type]
        for name in getattr(command, "commands", {}):
            pages([*path, name])

    for name in COMMANDS:
        pages([name])


def test_no_command_is_help(llmspell: CommandLine) -> None:
    assert llmspell().out.startswith("Usage: llmspell")
    done = llmspell("tool")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: llmspell tool")


def test_plugins_are_grouped_and_imported_by_nobody(llmspell: CommandLine) -> None:
    llmspell.plugin("acme-tools", "raise SystemExit('imported')", tools={"shout": "x"})
    llmspell.plugin("acme-more", "raise SystemExit('imported')", tools={"shout": "x"})
    done = llmspell("plugins")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "engines"
    assert ["lua", "llmspell-lua", VERSION] in [line.split() for line in lines]
    (shout,) = (line for line in lines if line.startswith("  shout "))
    assert "also in acme-" in shout
    assert "none is used" in shout
    rows = json.loads(llmspell("plugins", "list", "--json").out)
    assert {"kind": "tools", "name": "calculator", "distribution": "llmspell-tools",
            "version": VERSION} in rows  # fmt: skip


def test_engines_are_listed_broken_ones_too(llmspell: CommandLine) -> None:
    llmspell.plugin("acme-basic", "raise RuntimeError('old')", engines={"basic": "x"})
    rows = {row["name"]: row for row in json.loads(llmspell("engines", "--json").out)}
    assert rows["lua"]["extensions"] == [".lua"]
    assert rows["lua"]["problem"] == ""
    assert "RuntimeError: old" in rows["basic"]["problem"]
    assert llmspell("engines").out.splitlines()[0].startswith("basic")
    # It does not keep other scripts from being run.
    llmspell.write("x.lua", "return 'runs'")
    assert llmspell("x.lua").out == "runs\n"


def test_doctor_is_one_page(llmspell: CommandLine) -> None:
    done = llmspell("--set", "default.model=openai/gpt-4o-mini", "doctor",
                    env={"OPENAI_API_KEY": "sk-test-0123456789abcdef"})  # fmt: skip
    facts = {line[:15].strip(): line[15:] for line in done.out.splitlines()}
    assert facts["llmspell"] == VERSION
    assert f"lua ({VERSION})" in facts["engines"]
    assert "openai" in facts["providers"]
    assert facts["data"] == str(llmspell.home / "data")
    assert facts["isolation"]
    assert (done.code, done.out.splitlines()[-1]) == (0, "no problems found")


def test_doctor_names_problems_with_remedies(llmspell: CommandLine) -> None:
    llmspell.plugin("acme-broken", "raise RuntimeError('no licence')", tools={"broken": "x"})
    (llmspell.home / "data").write_text("a file", encoding="utf-8")
    done = llmspell("--set", "default.model=openai/gpt-4o-mini", "doctor", "--json")
    assert done.code == 1
    problems = {row["problem"]: row["remedy"] for row in json.loads(done.out)["problems"]}
    text = json.dumps(problems)
    assert "acme-broken" in text
    assert "set OPENAI_API_KEY" in text
    assert "--set system.data_dir=PATH" in text
    done = llmspell("--set", "default.model=nobody/x", "doctor")
    assert done.code == 1
    assert 'problem        the default model nobody/x: unknown provider "nobody"' in done.out


def test_stubs_are_written(llmspell: CommandLine) -> None:
    done = llmspell("stubs", "--dir", "types")
    lua, javascript = (
        (llmspell.cwd / written).read_text(encoding="utf-8") for written in done.out.splitlines()
    )
    assert lua.startswith("---@meta")
    assert "declare namespace llmspell {" in javascript
    assert "Agent" in lua
    assert "Agent" in javascript
    llmspell.write("file", "")
    done = llmspell("stubs", "--dir", "file")
    assert done.code == 2

"""Bad input is answered well: what is wrong, where, what to do; and what was done is kept."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine, serving
from llmspell_core.testing import FakeOpenAI


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_files_that_cannot_be_run(llmspell: CommandLine) -> None:
    llmspell.write("report.lua", "return 1")
    llmspell.write("x.py", "print()")
    llmspell.write("bin.lua", b"\x7fELF\x02\x01\x00\xff")
    llmspell.write("nul.lua", b"return 1 \x00")
    (llmspell.cwd / "dir.lua").mkdir()
    expected = {
        "repor.lua": ["no such script: repor.lua  [script.not_found]", 'did you mean "report.lua"'],
        "x.py": ['no engine runs files that end in ".py"', ".lua", "--engine NAME"],
        "bin.lua": ["bin.lua is not a text file: byte 7 (line 1)", "[script.binary]"],
        "nul.lua": ["nul.lua is a binary file", "scripts are UTF-8 text"],
        "dir.lua": ["dir.lua is a directory, not a script"],
    }
    for name, parts in expected.items():
        done = llmspell("run", name)
        assert (done.code, done.out) == (2, "")
        assert all(part in done.err for part in parts), done.err
    done = llmspell("run", "-", stdin=b"\x00\xff")
    assert done.code == 2
    assert "stdin is not a text file" in done.err


def test_mistakes_in_scripts(llmspell: CommandLine) -> None:
    expected = {
        "local x = = 3": ("[script.syntax]", "local x = = 3", "        |         ^"),
        "if x then": ("'end' expected near <eof>", "if x then", "         ^"),
        "local t\nreturn t.x": ("index a nil value (local 't')", "return t.x", "       ^"),
        'Tool.execute("calculatr", {})': (
            'unknown tool "calculatr"  [tool.not_found]',
            'did you mean "calculator"?  all tools: llmspell tool list',
        ),
        'Tool.execute("calculator", { input = { 1 } })': (
            "calculator: input must be ",
            "                             ^",
        ),
        'Tool.execute("calculator", { input = "1", precisio = 3 })': (
            'unknown field "precisio", did you mean "precision"?',
            "                                          ^",
        ),
        'Tool.execut("calculator")': ("execut", 'did you mean "execute"'),
    }
    for source, parts in expected.items():
        llmspell.write("x.lua", source)
        done = llmspell("x.lua")
        assert (done.code, done.out) == (1, "")
        assert all(part in done.err for part in parts), done.err
        assert f"  x.lua:{len(source.splitlines())}\n" in done.err


def test_errors_in_modules_and_callbacks_name_their_own_line(llmspell: CommandLine) -> None:
    llmspell.write("lib.lua", "\nerror('in the module')\n")
    llmspell.write("m.lua", "dofile('lib.lua')")
    done = llmspell("m.lua")
    assert "error: in the module  [script.error]" in done.err
    assert "  lib.lua:2\n      2 | error('in the module')" in done.err

    done = llmspell(
        "run",
        "-",
        stdin="""
Tool.register{ name = "thrower", description = "x", parameters = {}, execute = function()
  local t = nil
  return t.field
end }
Tool.execute("thrower", {})
""",
    )
    assert done.code == 1
    assert "attempt to index a nil value (local 't')" in done.err
    assert "  stdin:4\n      4 |   return t.field" in done.err

    done = llmspell(
        "run",
        "-",
        stdin="""
Hook.register("before_tool_execution", { guard = true, handler = function()
  error("cannot decide")
end })
Tool.execute("calculator", { input = "1" })
""",
    )
    assert "[hook.failed]" in done.err
    assert '      3 |   error("cannot decide")' in done.err
    assert "called from stdin:5" in done.err


def test_a_tool_that_takes_too_long(llmspell: CommandLine) -> None:
    done = llmspell(
        "run",
        "-",
        stdin="""Tool.register{ name = "slow", description = "x", parameters = {}, timeout_ms = 50,
  execute = function() Async.sleep(5000) end }
Tool.execute("slow", {})""",
    )
    assert done.code == 1
    assert "slow took longer than 50 ms  [tool.timeout]\n  stdin:3\n" in done.err


def test_wrong_usage(llmspell: CommandLine) -> None:
    expected = {
        ("--bogus",): ["no such option", "--bogus", "try: llmspell --help"],
        ("run", "--bogus", "x.lua"): ["no such option", "try: llmspell run --help"],
        ("evla", "1"): ['no such command "evla"', 'did you mean "eval"?', "llmspell ./script"],
        ("tool", "lst"): ['no such command "lst"', 'did you mean "list"?'],
        ("run",): ["missing argument 'SCRIPT'"],
        ("completion", "tcsh"): ["'tcsh' is not one of 'bash'"],
        ("eval", "--timeout", "soon", "1"): ["'soon' is not a valid float"],
        ("run", "--param", "x", "x.lua"): ['--param takes NAME=VALUE, not "x"'],
        ("run", "--params-file", "gone.json", "x.lua"): ["--params-file gone.json: No such file"],
        ("--trace-events", "gone/x", "eval", "1"): ["--trace-events gone/x: No such file"],
        ("--profile", "hgh", "eval", "1"): ['unknown profile "hgh", did you mean "high"?'],
    }
    for args, parts in expected.items():
        done = llmspell(*args)
        assert (done.code, done.out) == (2, ""), args
        assert done.err.startswith("error: ")
        assert all(part in done.err for part in parts), done.err


def test_an_engine_that_is_not_there(llmspell: CommandLine) -> None:
    done = llmspell("eval", "--engine", "luaa", "1")
    assert (done.code, done.out) == (3, "")
    assert done.lines[0].startswith("error: no script engine named 'luaa' (installed: ")
    assert done.lines[0].endswith("  [engine.unavailable]")
    assert done.lines[1] == '  did you mean "lua"?'


def test_mistakes_in_the_configuration(llmspell: CommandLine) -> None:
    llmspell.write("ok.lua", "return 'ran'")
    llmspell.write("syntax.toml", '[default]\nmodel = "x\n')
    llmspell.write(
        "two.toml", '[system]\nlog_levle = "info"\n\n[security.limits]\nmemory_mb = "lots"\n'
    )
    done = llmspell("--config", "syntax.toml", "ok.lua")
    assert (done.code, done.out) == (2, "")
    assert "syntax.toml:2" in done.err
    assert "invalid TOML" in done.err

    done = llmspell("--config", "two.toml", "ok.lua")
    assert (done.code, done.out) == (2, "")
    assert done.lines == [
        "error: 2 mistakes in the configuration  [config.invalid]",
        '  two.toml:2   system.log_levle: unknown key, did you mean "log_level"?',
        '  two.toml:5   security.limits.memory_mb: "lots" is not a whole number (MiB, 16 or more)',
    ]
    done = llmspell("--set", "sytem.log_level=info", "eval", "1")
    assert done.code == 2
    assert 'did you mean "system"?' in done.err
    assert llmspell("--config", "gone.toml", "eval", "1").code == 2


ASK = "State.set('before', 'kept')\nprint(Agent.new{ model = args.m }:execute('hi').text)"


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_models_that_do_not_answer(llmspell: CommandLine) -> None:
    llmspell.write("ask.lua", ASK)
    with serving(FakeOpenAI("Hello.", key="right")) as server:
        llmspell.write(
            "llmspell.toml",
            f"""
[providers.closed]
base_url = "http://127.0.0.1:{closed_port()}/v1"
max_retries = 0
[providers.fake]
base_url = "{server.base_url}"
api_key = "wrong"
max_retries = 0
""",
        )
        expected = {
            "closed/m": ["[provider.connection]", "127.0.0.1"],
            "fake/m": ["[provider.auth]"],
            "opnai/m": ['unknown provider "opnai"', 'did you mean "openai"?'],
            "openai/m": ['provider "openai" has no key', "set OPENAI_API_KEY"],
        }
        for model, parts in expected.items():
            done = llmspell("--config", "llmspell.toml", "ask.lua", "--m", model)
            assert (done.code, done.out) == (1, ""), done.err
            assert all(part in done.err for part in parts), done.err
            assert "  ask.lua:2\n" in done.err
            assert "wrong" not in done.err
        done = llmspell(
            "--config",
            "llmspell.toml",
            "--set=providers.fake.api_key=right",
            "ask.lua",
            "--m",
            "fake/m",
        )
        assert (done.code, done.out) == (0, "Hello.\n"), done.err
    # What was written before the failures is there.
    llmspell.write("ask.lua", "return State.get('before')")
    assert llmspell("ask.lua").out == "kept\n"


def test_a_bug_of_a_plugin_is_one_line(llmspell: CommandLine) -> None:
    source = """
from llmspell_core.command import command

@command
def explode() -> None:
    '''Explode.'''
    raise RuntimeError("inner \\x1b[31m")
"""
    llmspell.plugin("acme-bug", source, commands={"explode": "explode"})
    done = llmspell("explode")
    assert done.code == 1
    assert done.lines == [
        "error: RuntimeError: inner \\x1b[31m  [internal]",
        "  this is a bug of llmspell or of a plugin; --debug shows where",
    ]
    assert "Traceback" in llmspell("explode", "--debug").err or llmspell("--debug", "explode").err

"""`llmspell run` and its implicit form: arguments, standard input, results, exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

SHOW = "print(#args, args[1], args.a, args.k, args.profile)\n"


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.write("x.lua", SHOW)
    return made


def test_arguments_are_the_scripts_in_the_implicit_form(llmspell: CommandLine) -> None:
    done = llmspell("--param", "a=b", "x.lua", "p", "--k", "v", "--profile", "x", "--debug")
    assert (done.out, done.err, done.code) == ("1\tp\tb\tv\tx\n", "", 0)
    assert llmspell("x.lua", "--param", "a=c", "--", "--k").out == "1\t--k\tc\tnil\tnil\n"


def test_run_takes_options_on_both_sides_and_refuses_four_behind_the_script(
    llmspell: CommandLine,
) -> None:
    llmspell.write("p.json", '{"a": "file", "k": 5}')
    done = llmspell("--profile", "low", "run", "--params-file", "p.json", "x.lua", "--k=v")
    assert done.out == "0\tnil\tfile\tv\tnil\n", done.err
    for option in ("--profile", "--set=a.b=c", "--config", "--engine"):
        done = llmspell("run", "x.lua", "a", option, "high")
        name = option.partition("=")[0]
        assert done.code == 2
        assert done.out == ""
        assert done.lines[0] == (
            f"error: {name} stands after the script, where it would be the script's own"
            "  [input.usage]"
        )
        assert f"llmspell run {name} ... SCRIPT" in done.err
    assert llmspell("run", "x.lua", "a", "--", "--profile", "high").out == "1\ta\tnil\tnil\thigh\n"


def test_a_script_comes_from_standard_input(llmspell: CommandLine) -> None:
    source = "print(args[1], #stdin.text()) return { n = 1 }"
    for form in (["-", "p"], ["run", "-", "p"]):
        done = llmspell(*form, stdin=source)
        assert (done.out, done.code) == ('p\t0\n{"n": 1}\n', 0), done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no shebang lines")
def test_a_shebang_line_starts_it(llmspell: CommandLine) -> None:
    path = llmspell.write("tool", f"#!/usr/bin/env llmspell\n{SHOW}error('line 3')")
    path.chmod(0o755)
    done = llmspell("./tool", "p", "--profile", "x")
    assert done.out == "1\tp\tnil\tnil\tx\n"
    assert "  tool:3\n" in done.err


def test_windows_line_ends_and_marks_are_accepted(llmspell: CommandLine) -> None:
    llmspell.write("w.lua", b"\xef\xbb\xbf" + b"local a = 1\r\nprint(a)\r\nerror('third')\r\n")
    done = llmspell("w.lua")
    assert done.out == "1\n"
    assert done.lines[1:4] == ["  w.lua:3", "      3 | error('third')", "        | ^"]


def test_data_goes_through_unchanged(llmspell: CommandLine) -> None:
    data = bytes(range(256)) * 300
    for profile in ("medium", "low"):
        done = llmspell("--profile", profile, "eval", "return stdin.text()", stdin=data)
        assert done.raw == data, done.err


@pytest.mark.parametrize(
    ("source", "out", "code"),
    [
        ("return 3", "", 3),
        ("return false", "", 1),
        ("return true", "", 0),
        ("", "", 0),
        ("return 'text'", "text\n", 0),
        ("return { 1, { a = JSON.null } }", '[1, {"a": null}]\n', 0),
        ("return 256", "256\n", 0),
        ("return -1", "-1\n", 0),
        ("return 1.5", "1.5\n", 0),
        ("print('first') return 'last'", "first\nlast\n", 0),
        ("io.write('out') os.exit(7)", "out", 7),
        ("return Tool.get('calculator')", '{"type": "tool", "name": "calculator"', 0),
        ("return { f = print, x = 1 }", '{"x": 1}\n', 0),
    ],
)
def test_what_a_script_returns(source: str, out: str, code: int, llmspell: CommandLine) -> None:
    done = llmspell("run", "-", stdin=source)
    assert done.out.startswith(out), done.err
    assert (done.code, done.err) == (code, "")


def test_eval_prints_every_value(llmspell: CommandLine) -> None:
    assert llmspell("eval", "6*7").out == "42\n"
    assert llmspell("eval", "return 1, false, 'x', { a = 1 }").out == '1\nfalse\nx\n{"a": 1}\n'
    done = llmspell("eval", "print('only this')")
    assert (done.out, done.code) == ("only this\n", 0)


def test_the_json_envelope_is_all_of_stdout(llmspell: CommandLine) -> None:
    done = llmspell("run", "--json", "-", stdin="print('noise') return { a = { 1 } }")
    envelope = json.loads(done.out)
    assert envelope.pop("usage")["total_tokens"] == 0
    assert envelope == {"ok": True, "data": {"a": [1]}, "schema": "llmspell.run/1"}
    assert done.err == "noise\n"

    done = llmspell("run", "--json", "-", stdin="return 3")
    assert (json.loads(done.out)["ok"], done.code) == (False, 3)

    llmspell.write("e.lua", "error({ code = 'mine', message = 'no' })")
    for script, code, exit_code in (("e.lua", "mine", 1), ("gone.lua", "script.not_found", 2)):
        done = llmspell("--json", script)
        failed = json.loads(done.out)
        assert (failed["ok"], failed["error"]["code"]) == (False, code)
        assert (done.code, done.err) == (exit_code, "")


def test_events_are_json_lines_with_the_envelope_last(llmspell: CommandLine) -> None:
    source = "Tool.execute('calculator', { input = '1' }) print('noise') return 'end'"
    llmspell.write("e.lua", source)
    done = llmspell("run", "--jsonl", "e.lua")
    *events, last = map(json.loads, done.out.splitlines())
    types = [event["type"] for event in events]
    assert types[0] == "script.started"
    assert types[-1] == "script.completed"
    assert {"tool.invoked", "tool.completed"} <= set(types)
    assert all(isinstance(event["metadata"], dict) for event in events)
    assert last["data"] == "end"

    done = llmspell("--trace-events", "trace.jsonl", "e.lua")
    traced = (llmspell.cwd / "trace.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["type"] for line in traced] == types
    assert done.out == "noise\nend\n"


def test_statistics_and_the_audit_log(llmspell: CommandLine) -> None:
    llmspell.write("project/llmspell.toml", "")
    llmspell.write("project/a.lua", "pcall(io.open, '/etc/shadow') os.getenv('HOME') return 'x'")
    done = llmspell("run", "--stats", "--audit-log", "audit.jsonl", "project/a.lua")
    assert done.out == "x\n"
    assert [line.split()[0] for line in done.lines] == ["time", "tokens", "cost", "host", "memory"]
    # Below the working directory of the caller, not in the project.
    records = (llmspell.cwd / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    verdicts = {(record["gate"], record["verdict"]) for record in map(json.loads, records)}
    assert ("files.read", "deny") in verdicts


def test_a_deadline_ends_it(llmspell: CommandLine) -> None:
    for source in ("Async.sleep(9000)", "while true do end"):
        done = llmspell("eval", "--timeout", "0.3", source)
        assert done.code == 1
        assert done.lines == [
            "error: eval ran longer than its timeout  [script.timeout]",
            "  raise --timeout",
        ]


def test_nobody_reading_is_quiet(llmspell: CommandLine) -> None:
    for args in (["eval", "for i = 1, 1e6 do print(i) end"], ["config", "schema"]):
        with llmspell.start(*args) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(3)
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


def test_a_background_task_that_fails_is_reported(llmspell: CommandLine) -> None:
    llmspell.write("t.lua", "Async.spawn(function()\n  error('lost')\nend)\nprint('main ends')")
    done = llmspell("t.lua")
    assert (done.out, done.code) == ("main ends\n", 1)
    assert done.lines[:3] == [
        "a task that nobody waited for failed:",
        "error: lost  [script.error]",
        "  t.lua:2",
    ]


def test_watch_runs_again_after_a_change(llmspell: CommandLine) -> None:
    path = llmspell.write("w.lua", "print('one')")
    with llmspell.start("run", "--watch", "w.lua") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        # A broken file in between ends nothing.
        path.write_text("print(", encoding="utf-8")
        assert process.stderr is not None
        while b"script.syntax" not in process.stderr.readline():
            pass
        path.write_text("print('two')", encoding="utf-8")
        assert process.stdout.readline() == b"two\n"
        process.terminate()
        process.communicate(timeout=10)
    done = llmspell("run", "--watch", "-")
    assert done.code == 2
    assert "--watch needs a file" in done.err


def test_options_have_variables(llmspell: CommandLine) -> None:
    env = {"LLMSPELL_PROFILE": "low", "LLMSPELL_COLOR": "always"}
    assert llmspell("eval", "Security.profile", env=env).out == "low\n"
    done = llmspell("--profile", "none", "eval", "error(Security.profile)", env=env)
    assert "\x1b[" in done.err
    assert "none" in done.err
    assert "\x1b[" not in llmspell("--color=never", "eval", "error()", env=env).err

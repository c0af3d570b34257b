"""How an error looks: message, place, source line with a caret, hint."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_cli.look import LOOK, clean
from llmspell_cli.report import exit_code, format_error
from llmspell_cli.source_lines import WIDTH, Script, column_of
from llmspell_core.errors import (
    Cancelled,
    ConfigError,
    ExtensionError,
    LLMSpellError,
    NotFoundError,
    ScriptError,
    ValidationError,
)
from llmspell_core.security.redact import Redactor

SCRIPT = Script("x.lua", 'local t = 1\n\tTool.execute("calculatr", { input = 1 })\n', Path("x.lua"))


def test_a_report_has_message_code_place_line_caret_and_hint() -> None:
    error = NotFoundError(
        'unknown tool "calculatr"',
        code="tool.not_found",
        hint='did you mean "calculator"?',
        source="x.lua:2",
    )
    assert format_error(error, SCRIPT).splitlines() == [
        'error: unknown tool "calculatr"  [tool.not_found]',
        "  x.lua:2",
        '      2 |     Tool.execute("calculatr", { input = 1 })',
        "        |                  ^",
        '  did you mean "calculator"?  all tools: llmspell tool list',
    ]


@pytest.mark.parametrize(
    ("line", "error", "pointed"),
    [
        ("  return t.x.y", ScriptError("index a nil value (local 't')"), "t.x.y"),
        ("local x = = 3", ScriptError("unexpected symbol near '='"), "= = 3"),
        ("if x then", ScriptError("'end' expected near <eof>"), ""),
        ('error("boom")', ScriptError("boom"), "error("),
        (
            "f{ input = 1, precision = 'x' }",
            ValidationError("wrong", details={"errors": [{"field": "a.precision"}]}),
            "precision",
        ),
        ("  f{ [1] = 2 }", ScriptError('a "quoted" word'), "f{"),
    ],
)
def test_the_caret_stands_at_what_is_wrong(line: str, error: LLMSpellError, pointed: str) -> None:
    assert line[column_of(line, error) :].startswith(pointed)


def test_a_column_of_the_engine_wins() -> None:
    error = ScriptError("wrong", source="x.lua:2:7")
    assert format_error(error, SCRIPT).splitlines()[3] == "        |          ^"


def test_long_lines_are_cut_around_the_caret() -> None:
    long = Script("x.lua", f"local s = '{'x' * 500}' call('here', '{'y' * 500}')")
    lines = format_error(ScriptError("no 'here'", source="x.lua:1"), long).splitlines()
    assert len(lines[2]) < WIDTH + 20
    assert lines[2].startswith("      1 | ...")
    assert lines[2].endswith("...")
    assert lines[2][lines[3].index("^") :].startswith("'here'")


def test_nothing_steers_the_terminal_or_passes_for_another_report() -> None:
    script = Script("x.lua", "error('\x1b[31m')")
    error = ScriptError(
        "red \x1b[31m\nerror: forged  [ok]\r\b", code="x\x07", source="x.lua:1", hint="\x9b1m"
    )
    text = format_error(error, script)
    assert text.replace("\n", "").isprintable()
    assert text.splitlines()[:2] == [
        "error: red \\x1b[31m",
        "  error: forged  [ok]\\r\\x08  [x\\x07]",
    ]
    assert "\\x1b[31m')" in text


@given(st.text())
def test_any_text_is_made_harmless(text: str) -> None:
    assert all(c in "\n\t" or c.isprintable() for c in clean(text))


def test_secrets_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()
    redactor.add("hunter2hunter2")
    monkeypatch.setattr(LOOK, "redactor", redactor)
    script = Script("x.lua", "local k = 'hunter2hunter2'")
    text = format_error(ScriptError("key hunter2hunter2 refused", source="x.lua:1"), script)
    assert "hunter2" not in text


def test_all_mistakes_are_listed() -> None:
    mistakes = [
        {"where": "bad.toml:3", "key": "system.log_levle", "message": "unknown key", "hint": "x?"},
        {"where": "bad.toml:12", "message": "invalid"},
    ]
    error = ConfigError("2 mistakes", details={"mistakes": mistakes})
    assert format_error(error).splitlines() == [
        "error: 2 mistakes  [config.invalid]",
        "  bad.toml:3    system.log_levle: unknown key, x?",
        "  bad.toml:12   invalid",
    ]


def test_an_error_in_a_callback_is_shown_there() -> None:
    error = LLMSpellError(
        "guard failed", source="x.lua:2", details={"error": {"message": "t", "source": "x.lua:1"}}
    )
    assert format_error(error, SCRIPT).splitlines() == [
        "error: guard failed  [error]",
        "  x.lua:1",
        "      1 | local t = 1",
        "        | ^",
        "  called from x.lua:2",
    ]


def test_only_lines_of_the_script_and_its_modules_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spell").mkdir()
    monkeypatch.chdir(tmp_path / "spell")
    for name in ("lib.lua", "notes.txt", "../secret.lua"):
        Path(name).write_text("a line\n", encoding="utf-8")
    script = Script("x.lua", "", Path("x.lua"))
    assert script.line("lib.lua", 1) == "a line"
    assert script.line("lib.lua", 2) is None
    assert script.line("notes.txt", 1) is None
    assert script.line("../secret.lua", 1) is None
    assert script.line(str(tmp_path / "secret.lua"), 1) is None
    assert script.line("gone.lua", 1) is None
    assert Script("eval", "").line("lib.lua", 1) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ScriptError("x"), 1),
        (ScriptError("x", code="script.syntax"), 1),
        (ScriptError("x", code="script.not_found"), 2),
        (ScriptError("x", code="script.binary"), 2),
        (ScriptError("x", code="engine.unknown_extension"), 2),
        (ConfigError("x"), 2),
        (LLMSpellError("x", code="security.no_sandbox"), 2),
        (ExtensionError("x", code="engine.unavailable"), 3),
        (ExtensionError("x"), 3),
        (ExtensionError("x", code="plugin.broken"), 1),
        (Cancelled("x", details={"signal": 2}), 130),
        (Cancelled("x", details={"signal": 15}), 143),
        (Cancelled("x"), 1),
    ],
)
def test_exit_codes(error: LLMSpellError, code: int) -> None:
    assert exit_code(error) == code


def test_what_a_running_script_throws_is_one() -> None:
    assert exit_code(ConfigError("x"), thrown=True) == 1
    assert exit_code(ExtensionError("x"), thrown=True) == 1

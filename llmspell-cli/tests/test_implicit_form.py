"""Which first word is a script, and what the implicit form becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmspell_cli.app import app
from llmspell_cli.commands.run import run
from llmspell_cli.implicit import IMPLICIT, VALUED, is_script, rewrite


@pytest.mark.parametrize(
    ("arguments", "before", "script_and_args"),
    [
        (["x.lua"], [], ["x.lua"]),
        (["./x", "--profile", "high"], [], ["./x", "--profile", "high"]),
        (["--param", "a=b", "x.lua", "--k", "v"], ["--param", "a=b"], ["x.lua", "--k", "v"]),
        (["--param=a=b", "-v", "x.lua"], ["--param=a=b", "-v"], ["x.lua"]),
        (["--model", "p/x.lua", "y.lua"], ["--model", "p/x.lua"], ["y.lua"]),
        (["-", "a"], [], ["-", "a"]),
        (["--", "x.lua", "--", "a"], [], ["x.lua", "--", "a"]),
        (["X.LUA"], [], ["X.LUA"]),
    ],
)
def test_a_script_is_run(
    arguments: list[str], before: list[str], script_and_args: list[str]
) -> None:
    assert rewrite(arguments) == ["run", IMPLICIT, *before, "--", *script_and_args]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["--"],
        ["tool", "x.lua"],
        ["--profile", "low", "run", "x.lua"],
        ["unknown"],
        ["--config", "x.lua"],
    ],
)
def test_anything_else_is_left_alone(arguments: list[str]) -> None:
    assert rewrite(arguments) == arguments


def test_a_file_with_another_extension_is_a_script_that_nobody_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").touch()
    Path("run").touch()
    assert is_script("notes.txt")
    assert not is_script("other.txt")
    assert not is_script("run")


def test_every_option_that_takes_a_value_is_known() -> None:
    valued = {
        name
        for command in (app, run)
        for option in command.params
        if option.param_type_name == "option"
        and not getattr(option, "is_flag", False)
        and not getattr(option, "count", False)
        for name in option.opts
    }
    assert valued == VALUED

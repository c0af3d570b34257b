"""Completion scripts, and what they offer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine


@pytest.fixture
def llmspell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def complete(llmspell: CommandLine, line: str, shell: str = "bash") -> list[str]:
    """What is offered for the last word of a line."""
    words = line.split(" ")
    env = {
        "_LLMSPELL_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "COMP_WORD": words[-1],
    }
    return llmspell(env=env).out.splitlines()


def test_commands_options_names_and_files_are_offered(llmspell: CommandLine) -> None:
    assert complete(llmspell, "llmspell to") == ["plain,tool"]
    assert complete(llmspell, "llmspell examples/h") == ["file,examples/h"]
    assert complete(llmspell, "llmspell --prof") == ["plain,--profile"]
    assert complete(llmspell, "llmspell --profile h") == ["plain,high"]
    assert complete(llmspell, "llmspell tool info calc") == ["plain,calculator"]
    assert complete(llmspell, "llmspell run --engine l") == ["plain,lua"]
    assert complete(llmspell, "llmspell run x") == ["file,x"]
    assert complete(llmspell, "llmspell config get system.log_l") == ["plain,system.log_level"]
    assert complete(llmspell, "llmspell completion z") == ["plain,zsh"]
    assert "tool" in complete(llmspell, "llmspell too", "powershell")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_a_script(shell: str, llmspell: CommandLine) -> None:
    done = llmspell("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_LLMSPELL_COMPLETE" in done.out
    assert f"{shell}_complete" in done.out


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="needs bash")
def test_bash_completes(llmspell: CommandLine, tmp_path: Path) -> None:
    binary = tmp_path / "bin" / "llmspell"
    binary.parent.mkdir()
    binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llmspell_cli "$@"\n', "utf-8")
    binary.chmod(0o755)
    script = llmspell("completion", "bash").out
    asked = f"""
{script}
COMP_WORDS=(llmspell tool run "hash"); COMP_CWORD=3
_llmspell_completion llmspell
echo "${{COMPREPLY[@]}}"
complete -p llmspell
"""
    done = subprocess.run(
        ["bash", "-c", asked],
        env={**llmspell.env, "PATH": f"{binary.parent}:{llmspell.env['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "hash-calculator"
    assert "_llmspell_completion" in done.stdout.splitlines()[1]

"""The examples in the packages' READMEs do what the READMEs say.

A `lua`, `js` or `python` block is run as a file; a `text` block right after it is its output. In a
`console` block every `$ llmspell` line is run and what follows it is compared. `lua model` asks
the local model.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READMES = sorted([*ROOT.glob("llmspell-*/README.md"), *ROOT.glob("packages/*/README.md")])
BLOCK = re.compile(
    r"^```(\w+)( model)?\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^\$ llmspell (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """A block of a README."""

    package: str
    language: str
    source: str
    output: str | None


def examples() -> list[object]:
    found: list[object] = []
    for readme in READMES:
        for language, model, source, output in BLOCK.findall(readme.read_text(encoding="utf-8")):
            if language in {"lua", "js", "python", "console"}:
                marks = [pytest.mark.model] if model else []
                example = Example(readme.parent.name, language, source, output or None)
                found.append(pytest.param(example, id=readme.parent.name, marks=marks))
    return found


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        # State of its own; the models of the user, which are slow to fetch.
        env={**os.environ, "LLMSPELL_SYSTEM__DATA_DIR": str(cwd / "data")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("example", examples())
def test_the_example_does_what_the_readme_says(example: Example, tmp_path: Path) -> None:
    if example.language == "console":
        for command, output in COMMAND.findall(example.source):
            assert run("-m", "llmspell_cli", *shlex.split(command), cwd=tmp_path) == output
        return
    file = tmp_path / f"example.{'py' if example.language == 'python' else example.language}"
    file.write_text(example.source, encoding="utf-8")
    runner = [] if example.language == "python" else ["-m", "llmspell_cli", "run"]
    if example.package == "llmspell-duktape":  # else the modern engine has files of this name
        runner += ["--engine", "duktape"]
    printed = run(*runner, file, cwd=tmp_path)
    assert printed.strip()
    if example.output is not None:
        assert printed == example.output

"""The commands of `docs/first-plugin.md`, in order, and the spell test of `docs/testing.md`."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmspell_cli.testing import CommandLine

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ ([^\n]*)\n((?:(?!\$ )[^\n]*\n)*)", re.MULTILINE)


def steps() -> list[tuple[str, str]]:
    """Command and what it prints, as the page says."""
    text = (DOCS / "first-plugin.md").read_text(encoding="utf-8")
    return [one for block in BLOCK.findall(text) for one in COMMAND.findall(block)]


class Shell:
    """Runs the page's commands as their reader would, without a network."""

    def __init__(self, folder: Path) -> None:
        self._llmspell = CommandLine(folder)
        self._where = self._llmspell.cwd

    def run(self, command: str) -> str:
        """What a command prints on stdout."""
        if " && " in command:
            return "".join(map(self.run, command.split(" && ")))
        program, *words = shlex.split(command)
        if program in ("mkdir", "cd"):
            where = (self._where / words[0]).resolve()
            where.mkdir(exist_ok=program == "cd")
            self._where = where if program == "cd" else self._where
            return ""
        done = subprocess.run(
            self._argv(program, words),
            cwd=self._where,
            env={**self._llmspell.env, "PYTEST_ADDOPTS": "-p no:cacheprovider"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _argv(self, program: str, words: list[str]) -> list[str]:
        if program == "llmspell":
            return [sys.executable, "-m", "llmspell_cli", *words]
        if program == "pip":
            # Into a folder that is thrown away, and built with what is here.
            here = ["--no-deps", "--no-build-isolation", "--target", str(self._llmspell.site)]
            return [sys.executable, "-m", "pip", words[0], "-q", *here, *words[1:]]
        assert program == "python", f"the page has a command that is not known here: {program}"
        return [sys.executable, *words]


def test_the_first_plugin_is_made_as_the_page_says(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    shell = Shell(tmp_path)
    ran = 0
    for command, expected in steps():
        # Later blocks begin where the earlier ones were.
        printed = shell.run(command)
        pattern = re.escape(expected).replace(r"\.\.\.", r"(?s:.*)")
        assert re.fullmatch(pattern, printed) or not expected, f"{command}\n{printed}"
        ran += 1
    assert ran > 12


def spells() -> Iterator[tuple[str, str]]:
    text = (DOCS / "testing.md").read_text(encoding="utf-8")
    for source in re.findall(r"^```lua\n(.*?)^```\n", text, re.MULTILINE | re.DOTALL):
        if "Test." in source:
            yield source.split()[1], source


def test_the_spell_test_of_the_page_passes(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    found = [*spells()]
    assert found
    for name, source in found:
        llmspell.write(name, source)
    done = llmspell("test")
    assert done.code == 0, done.out + done.err


def test_the_page_names_every_template() -> None:
    from llmspell_cli.commands.generate import TEMPLATES

    page = (DOCS / "first-plugin.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(TEMPLATES)

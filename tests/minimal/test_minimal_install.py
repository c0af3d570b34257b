"""What a plain `pip install llmspell` does. These run in their own tox environment, `minimal`."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    bool(importlib.metadata.entry_points(group="llmspell.engines")),
    reason="an engine is installed: this is not a minimal installation",
)


def llmspell(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmspell_cli", *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_the_version_is_that_of_the_distribution() -> None:
    done = llmspell("--version")
    assert done.stdout == f"llmspell {importlib.metadata.version('llmspell')}\n", done.stderr
    assert done.returncode == 0


def test_a_spell_is_told_which_engine_to_install(tmp_path: Path) -> None:
    spell = tmp_path / "x.lua"
    spell.write_text("return 1\n", encoding="utf-8")
    done = llmspell("run", spell)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "no script engine named 'lua' (installed: none)" in done.stderr
    assert "install it with:  pip install 'llmspell[lua]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_optional_package_is_there() -> None:
    installed = {name for dist in importlib.metadata.distributions() if (name := dist.name)}
    assert not installed & {"llmspell-local", "llmspell-lua", "lupa", "psycopg", "xllamacpp"}

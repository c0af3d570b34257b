"""The commands that the documents promise exist, and `scripts/` does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_of_a_document_is_in_the_makefile(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    # In code only: prose may say "make sure".
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))
    asked = set(re.findall(r"(?<![\w-])make ([a-z]+)", code))
    assert {"run", "test"} <= asked <= make_targets()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_tox_environment_of_a_document_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    known = re.findall(r"^\[testenv:(\w+)\]", (ROOT / "tox.ini").read_text("utf-8"), re.MULTILINE)
    for asked in re.findall(r"tox -e (\w+)", text):
        assert asked in known or re.fullmatch(r"py3\d\d", asked)


def test_ci_runs_the_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_the_ci_script_can_be_executed() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_a_bump_changes_every_version_and_pin(tmp_path: Path) -> None:
    for path in [
        *ROOT.glob("llmspell-*/pyproject.toml"),
        *ROOT.glob("packages/*/pyproject.toml"),
        ROOT / "llmspell-cli/src/llmspell_cli/version.py",
        ROOT / "scripts/bump.py",
    ]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)

    subprocess.run([sys.executable, tmp_path / "scripts/bump.py", "7.8.9"], check=True)

    for path in tmp_path.rglob("pyproject.toml"):
        text = path.read_text(encoding="utf-8")
        assert tomllib.loads(text)["project"]["version"] == "7.8.9"
        assert set(re.findall(r'"llmspell-[^"]*~=([^"]+)"', text)) <= {"7.8.9"}
    constant = tmp_path / "llmspell-cli/src/llmspell_cli/version.py"
    assert 'VERSION = "7.8.9"' in constant.read_text(encoding="utf-8")


def test_a_bump_takes_release_versions_only() -> None:
    command: list[str | Path] = [sys.executable, ROOT / "scripts/bump.py", "7.8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "not a release version: 7.8\n"


def test_every_fragment_has_a_kind_the_changelog_knows() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    kinds = {kind["directory"] for kind in config["tool"]["towncrier"]["type"]}
    for fragment in (ROOT / "changes").glob("*.md"):
        if fragment.name != "README.md":
            assert re.fullmatch(rf"(\d+|\+[\w-]+)\.({'|'.join(kinds)})\.md", fragment.name)

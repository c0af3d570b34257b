"""The engine as the bridge sees it before a session."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, metadata
from pathlib import Path

import pytest

from llmspell_duktape.engine import DuktapeEngine
from llmspell_duktape.prelude import EAGER, FOLDER, LATE, source


def test_the_engine_is_found_by_its_entry_point_and_is_no_ones_first_choice() -> None:
    (found,) = entry_points(group="llmspell.engines", name="duktape")
    assert found.load() is DuktapeEngine
    info = DuktapeEngine.info
    assert info.extensions == (".js",)
    assert info.preference < 0
    assert not info.in_process


def test_importing_the_engine_imports_no_duktape() -> None:
    text = "import sys, llmspell_duktape.engine; print('pyduktape2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_is_missing_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmspell_duktape.engine.find_spec", lambda _: None)
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert "pip install 'llmspell[duktape]'" in (DuktapeEngine().available() or "")
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    problem = DuktapeEngine().available() or ""
    assert "3.14" in problem
    assert "llmspell[js]" in problem


@pytest.mark.skipif(sys.version_info < (3, 14), reason="pyduktape2 has builds for this Python")
def test_it_is_not_available_where_there_is_no_build() -> None:
    assert DuktapeEngine().available() is not None


def test_the_readme_says_what_licence_comes_with_it() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert "GPL-2.0-only" in readme
    assert metadata("llmspell-duktape")["License-Expression"] == "MIT"


def test_the_prelude_is_complete_and_each_file_says_what_it_is() -> None:
    files = {path.stem for path in Path(FOLDER).glob("*.js")}
    assert files == {"boot", *EAGER, *LATE}
    for name in files:
        text = source(name)
        assert text.startswith("// ")
        assert text.isascii()
        assert len(text.splitlines()) <= 300
        assert max(map(len, text.splitlines())) <= 110


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pyduktape2 has no build")
@pytest.mark.parametrize(
    ("source", "complete"),
    [
        ("x = 1", True),
        ("1 + 1", True),
        ("for (;;) {", False),
        ("function f() {", False),
        ("print(", False),
        ("/* open", False),
        ("x = = 1", True),
        ("}", True),
        ("'abc", True),
        ("", True),
        ("let x = 1", True),
    ],
)
def test_a_repl_learns_whether_to_ask_for_more(source: str, complete: bool) -> None:
    assert DuktapeEngine().complete(source) is complete


def test_every_guest_method_that_is_declared_is_answered() -> None:
    pytest.importorskip("pyduktape2")
    from llmspell_bridge.manifests import load_manifests
    from llmspell_duktape.guest import unanswered

    assert DuktapeEngine().available() is None
    assert unanswered([*load_manifests().values()]) == []
    manifest = {"name": "Utils", "methods": {"uuid": {"guest": True}, "nothing": {"guest": True}}}
    assert unanswered([manifest]) == ["Utils.nothing"]

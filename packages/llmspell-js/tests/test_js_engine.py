"""The engine as the bridge sees it before a session."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from llmspell_bridge.manifests import load_manifests
from llmspell_js import capi
from llmspell_js.declared import unanswered
from llmspell_js.engine import JsEngine
from llmspell_js.sources import PRELUDE, read_prelude


def test_the_engine_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="llmspell.engines", name="js")
    assert found.load() is JsEngine
    assert JsEngine().available() is None
    assert JsEngine.info.extensions == (".js", ".mjs")
    assert JsEngine.info.preference > 0


def test_importing_the_engine_imports_no_quickjs() -> None:
    source = "import sys, llmspell_js.engine; print('_quickjs' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_the_older_quickjs_is_named_when_it_stands_in_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.19.4")
    problem = JsEngine().available()
    assert problem is not None
    assert "pip uninstall quickjs" in problem


@pytest.mark.parametrize(
    ("source", "complete"),
    [
        ("x = 1", True),
        ("1 + 1", True),
        ("for (let i = 0; i < 2; i++) {", False),
        ("function f() {", False),
        ("print(", False),
        ("x = `", False),
        ("x = `${[1, 2]} ${`", False),
        ("x = `${[1, 2].map((x) => `<${x}>`)}`", True),
        ("/* a", False),
        ("// a {", True),
        ("x = /[/{]/.test('{')", True),
        ("x = 4 / 2 / {", False),
        ("return /{/", True),
        ("x = = 1", True),
        ("}", True),
        ("'abc {", True),
        ("", True),
    ],
)
def test_a_repl_learns_whether_to_ask_for_more(source: str, complete: bool) -> None:
    assert JsEngine().complete(source) is complete


def test_every_guest_method_that_is_declared_is_answered() -> None:
    assert unanswered([*load_manifests().values()]) == []


def test_a_declared_method_that_nothing_answers_is_found() -> None:
    manifest = {"name": "Utils", "methods": {"uuid": {"guest": True}, "nothing": {"guest": True}}}
    assert unanswered([manifest]) == ["Utils.nothing"]


def test_the_prelude_is_complete_and_each_file_says_what_it_is() -> None:
    files = read_prelude()
    assert sorted(files) == sorted(PRELUDE)
    for text in files.values():
        assert text.startswith("// ")
        assert max(map(len, text.splitlines())) <= 130


#: The parts of the web platform: whoever breaks the language breaks these, and nothing of ours.
WEB = {"encoding", "url", "url_host", "url_parse", "search_params", "clone", "abort"}


@pytest.mark.parametrize("name", sorted(set(PRELUDE) - WEB - {"primordials"}))
def test_the_prelude_takes_nothing_that_a_script_can_change(name: str) -> None:
    code = re.sub(r"//.*|/\^.*?\$/|\"[^\"\n]*\"|'[^'\n]*'", "", read_prelude()[name])
    assert "`" not in code, "a template calls String.prototype.concat"
    assert not re.search(r"\bfor \((?:const|let) [^;]* of\b", code), "`of` calls iterators"
    assert not re.search(r"(?:const|let) \[", code), "so does taking an array apart"
    if name not in ("boot", "sandbox"):
        assert not re.search(
            r"(?<![\w.])(?:JSON|Promise|Map|Object|Array|Reflect|Symbol|Math)\.", code
        )


# -- the C API -----------------------------------------------------------------------------------


def test_the_c_api_is_there() -> None:
    assert capi.available(), capi.problem


def test_a_wrong_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capi._Library, "JS_GetVersion", lambda: b"1.0", raising=False)

    class Other(capi._Library):
        def __init__(self) -> None:
            super().__init__()
            self.JS_GetVersion = lambda: b"0.99.0"

    monkeypatch.setattr(capi, "_Library", Other)
    library, problem = capi._load()
    assert library is None
    assert "0.99.0" in problem


def test_a_missing_symbol_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(capi._FUNCTIONS, "JS_NoSuchThing", capi._FUNCTIONS["JS_GetVersion"])
    library, problem = capi._load()
    assert library is None
    assert "JS_NoSuchThing" in problem

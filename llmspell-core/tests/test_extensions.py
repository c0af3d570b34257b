"""What installed distributions add is found without importing it; broken ones are named."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmspell_core import extensions
from llmspell_core.errors import ExtensionError
from llmspell_core.extensions import Extensions, extension_names, install_hint
from llmspell_core.plugins import PluginManager

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution: its name, its entry points by group, its modules."""

    def write(name: str, points: dict[str, dict[str, str]], **modules: str) -> None:
        folder = tmp_path / name
        info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        summary = f"Summary: What {name} is for\n"
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n{summary}"
        )
        lines = []
        for group, entries in points.items():
            lines += [
                f"[llmspell.{group}]",
                *(f"{key} = {value}" for key, value in entries.items()),
            ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        for module, source in modules.items():
            (folder / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(str(folder))
        extensions._scan.cache_clear()

    yield write
    extensions._scan.cache_clear()


def test_listing_imports_nothing_of_the_plugin(install: Install) -> None:
    install(
        "acme-things",
        {"things": {"lamp": "acme_lamp:Lamp", "desk": "acme_desk:Desk"}},
        acme_lamp="Lamp = 'a lamp'",
        acme_desk="raise SystemExit('never imported')",
    )
    assert extension_names("things") == ["desk", "lamp"]
    lamp = Extensions("things")["lamp"]
    assert (lamp.kind, lamp.name, lamp.target) == ("things", "lamp", "acme_lamp:Lamp")
    assert (lamp.distribution, lamp.version) == ("acme-things", "1.2")
    assert lamp.summary == "What acme-things is for"
    assert "acme_lamp" not in sys.modules
    assert lamp.load() == "a lamp"


def test_a_broken_plugin_costs_only_itself_and_is_named(install: Install) -> None:
    install("good-one", {"things": {"good": "good_one:VALUE"}}, good_one="VALUE = 7")
    install("exits-one", {"things": {"exits": "exits_one:VALUE"}}, exits_one="raise SystemExit(3)")
    install(
        "syntax-one", {"things": {"syntax": "syntax_one:VALUE"}}, syntax_one="this is no python"
    )
    install("missing-one", {"things": {"missing": "no_such_module:VALUE"}})
    install("attr-one", {"things": {"attr": "attr_one:VALUE"}}, attr_one="")
    loaded, failures = Extensions("things").load_all()
    assert loaded == {"good": 7}
    assert {failure.extension.distribution for failure in failures} == {
        "exits-one",
        "syntax-one",
        "missing-one",
        "attr-one",
    }
    for failure in failures:
        assert failure.error.code == "plugin.broken"
        assert failure.extension.distribution in failure.error.message


def test_two_distributions_of_one_name_are_an_error_when_it_is_used(install: Install) -> None:
    install("first-corp", {"things": {"lamp": "first_corp:A"}}, first_corp="A = 1")
    install("second-corp", {"things": {"lamp": "second_corp:A", "desk": "second_corp:A"}})
    assert extension_names("things") == ["desk", "lamp"]
    with pytest.raises(ExtensionError) as caught:
        Extensions("things").load("lamp")
    assert caught.value.code == "plugin.conflict"
    assert "first-corp" in caught.value.message
    assert "second-corp" in caught.value.message


def test_a_missing_engine_says_what_to_install(install: Install) -> None:
    install("acme", {"things": {}})
    error = Extensions("no-engines").missing("lua")
    assert error.hint == "install it with:  pip install 'llmspell[lua]'"
    with pytest.raises(ExtensionError, match=r"no thing named 'lamp' \(installed: none\)"):
        Extensions("things").load("lamp")
    assert install_hint("Tool") == "install it with:  pip install llmspell-tools"
    assert install_hint("nobody-knows") is None


def test_a_misspelt_name_gets_the_nearest(install: Install) -> None:
    install("acme", {"things": {"lamp": "acme:A"}})
    assert Extensions("things").missing("lanp").hint == 'did you mean "lamp"?'


HOOKS = """
from llmspell_core.hookspecs import hookimpl
seen = []

@hookimpl
def llmspell_configure(settings):
    seen.append(settings)
    return len(seen)
"""


def test_plugins_are_called_and_a_failing_one_costs_only_itself(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("good-hooks", {"hooks": {"good": "good_hooks"}}, good_hooks=HOOKS)
    install(
        "raising-hooks",
        {"hooks": {"raising": "raising_hooks"}},
        raising_hooks=HOOKS.replace("return len(seen)", "raise SystemExit('ends')"),
    )
    install(
        "async-hooks",
        {"hooks": {"async": "async_hooks"}},
        async_hooks=HOOKS.replace("def llmspell", "async def llmspell"),
    )
    install(
        "misspelt-hooks",
        {"hooks": {"misspelt": "misspelt_hooks"}},
        misspelt_hooks=HOOKS.replace("llmspell_configure", "llmspell_confgure"),
    )
    install(
        "arguments-hooks",
        {"hooks": {"arguments": "arguments_hooks"}},
        arguments_hooks=HOOKS.replace("(settings)", "(setings)"),
    )
    install("broken-hooks", {"hooks": {"broken": "broken_hooks"}}, broken_hooks="1/0")
    manager = PluginManager()
    assert manager.call("configure", settings="S") == [1]
    assert manager.call("llmspell_configure", settings="T") == [2]
    assert sys.modules["good_hooks"].seen == ["S", "T"]
    named = {failure.extension.distribution for failure in manager.failures}
    assert named == {
        "raising-hooks",
        "async-hooks",
        "misspelt-hooks",
        "arguments-hooks",
        "broken-hooks",
    }
    for name in named:
        assert name in caplog.text


def test_without_plugins_pluggy_is_not_imported() -> None:
    code = (
        "import sys\n"
        "from llmspell_core.plugins import PluginManager\n"
        "class Nothing(dict): pass\n"
        "manager = PluginManager(Nothing())\n"
        "assert manager.call('configure', settings=None) == []\n"
        "assert 'pluggy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

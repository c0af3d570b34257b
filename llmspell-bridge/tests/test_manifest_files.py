"""Manifests: shipped ones are read, others compiled once; a start imports no component."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge import manifests
from llmspell_bridge.manifests import FILE, FORMAT, load_manifests, load_names
from llmspell_core import extensions

Install = Callable[..., Path]

GLOBAL = '''
from llmspell_core.script.api import ScriptGlobal, script_method

class GreeterGlobal(ScriptGlobal):
    """Greets."""

    name = "Greeter"

    @script_method
    def greet(self, who: str) -> str:
        """Greet WHO."""
        return "Hello, " + who
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package with globals; its folder."""
    monkeypatch.setattr(manifests, "cache_dir", lambda: tmp_path / "cache")

    def write(package: str, points: dict[str, str], source: str, shipped: Any = None) -> Path:
        info = tmp_path / "site" / f"{package}-1.0.dist-info"
        folder = tmp_path / "site" / package
        info.mkdir(parents=True)
        folder.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {package}.{target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[llmspell.globals]", *lines]))
        (folder / "__init__.py").write_text("")
        (folder / "things.py").write_text(source)
        if shipped is not None:
            (folder / FILE).write_text(shipped if isinstance(shipped, str) else json.dumps(shipped))
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        extensions._scan.cache_clear()
        return folder

    yield write
    extensions._scan.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme")]:
        del sys.modules[name]


def cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "manifests").glob("*.json"))


def test_a_global_without_a_shipped_manifest_is_compiled_once(
    install: Install, tmp_path: Path
) -> None:
    install("acme_one", {"Greeter": "things:GreeterGlobal"}, GLOBAL)
    found = load_manifests()["Greeter"]
    assert found["methods"]["greet"]["doc"] == "Greet WHO."
    assert len(cached(tmp_path)) == 1
    for name in ("acme_one", "acme_one.things"):
        del sys.modules[name]
    assert load_manifests()["Greeter"] == found
    assert "acme_one.things" not in sys.modules


def test_a_changed_plugin_is_compiled_again(install: Install, tmp_path: Path) -> None:
    folder = install("acme_two", {"Greeter": "things:GreeterGlobal"}, GLOBAL)
    load_manifests()
    for name in ("acme_two", "acme_two.things"):
        del sys.modules[name]
    source = folder / "things.py"
    source.write_text(GLOBAL.replace("def greet", "def welcome").replace("Hello", "Welcome"))
    os.utime(source, (2_000_000_000, 2_000_000_000))
    assert "welcome" in load_manifests()["Greeter"]["methods"]
    assert len(cached(tmp_path)) == 2


def test_a_shipped_manifest_is_believed_and_nothing_is_imported(
    install: Install, tmp_path: Path
) -> None:
    shipped = {"format": FORMAT, "globals": {"Greeter": {"name": "Greeter", "methods": {}}}}
    install("acme_three", {"Greeter": "things:GreeterGlobal"}, "1/0", shipped)
    assert load_manifests()["Greeter"] == {"name": "Greeter", "methods": {}}
    assert cached(tmp_path) == []


def test_runs_need_the_names_only_and_find_the_same_globals() -> None:
    names, manifests = load_names(), load_manifests()
    assert names.keys() == manifests.keys()
    for name, full in manifests.items():
        assert {*full["methods"]} <= {*names[name]["methods"]}, name
        assert bool(names[name].get("values")) == bool(full.get("values"))
    assert len(json.dumps(names)) * 5 < len(json.dumps(manifests))


@pytest.mark.parametrize("shipped", ["", "no json", "[]", "{}", '{"format": 0, "globals": {}}'])
def test_a_shipped_manifest_that_cannot_be_read_is_made_anew(
    install: Install, shipped: str
) -> None:
    install("acme_four", {"Greeter": "things:GreeterGlobal"}, GLOBAL, shipped)
    assert "greet" in load_manifests()["Greeter"]["methods"]


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("things:Missing", GLOBAL),
        ("things:GreeterGlobal", "1/0"),
        ("things:GreeterGlobal", "GreeterGlobal = dict"),
        ("things:GreeterGlobal", GLOBAL.replace("who: str", "who: Unknown")),
        ("nowhere:X", GLOBAL),
    ],
)
def test_a_broken_plugin_costs_only_itself_and_is_named(
    install: Install, caplog: pytest.LogCaptureFixture, target: str, source: str
) -> None:
    install("acme_five", {"Greeter": target}, source)
    with caplog.at_level(logging.WARNING):
        found = load_manifests()
    assert "Greeter" not in found
    assert {"Tool", "Agent", "State", "Async"} <= set(found)
    assert "the global Greeter is left out" in caplog.text


def test_a_cache_that_cannot_be_written_changes_nothing(install: Install, tmp_path: Path) -> None:
    install("acme_six", {"Greeter": "things:GreeterGlobal"}, GLOBAL)
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert "Greeter" in load_manifests()


SPELL = """
import asyncio, sys
from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime

async def main():
    settings = {"state": {"backend": "memory"}}
    async with ScriptRuntime(settings, isolation=sys.argv[1]) as runtime:
        await runtime.run(ScriptSource("print('hello')", "x.lua"))

asyncio.run(main())
banned = "httpx jinja2 sqlite3 jsonschema rich jq dateutil xllamacpp multiprocessing".split()
banned += "pydantic pydantic_core typing_extensions pluggy importlib.metadata".split()
if sys.argv[1] == "worker":
    banned.append("lupa")
found = set(banned) & set(sys.modules)
components = tuple(f"llmspell_{name}" for name in "agents tools workflows local".split())
# A package's plugin for the moments of a runtime is imported when there is one.
found.update(
    name for name in sys.modules if name.startswith(components) and "." in name
    and not name.endswith(".plugin")
)
print("imported:", *sorted(found))
"""


def _unmeasured() -> dict[str, str]:
    """The environment without coverage, which imports modules of its own into each process."""
    return {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}


@pytest.mark.parametrize("isolation", ["process", "worker"])
def test_a_spell_that_only_prints_imports_no_component(isolation: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPELL, isolation],
        capture_output=True,
        text=True,
        check=True,
        env=_unmeasured(),
    )
    assert done.stdout.splitlines() == ["hello", "imported:"]
    assert done.stderr == ""

"""Entry points are read as `importlib.metadata` reads them, without it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from llmspell_core.entry_points import entry_points


def install(folder: Path, name: str, text: str, version: str = "1.0", kind: str = "dist") -> None:
    place = folder / f"{name}-{version}.{kind}-info"
    place.mkdir(parents=True)
    metadata = "METADATA" if kind == "dist" else "PKG-INFO"
    (place / metadata).write_text(
        f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        f"Summary: What {name} is.\n\nName: not this one\n"
    )
    (place / "entry_points.txt").write_text(text)


def test_all_that_is_installed_here_is_found_as_the_standard_library_finds_it() -> None:
    theirs = {
        (point.group, point.name, point.value)
        for found in importlib.metadata.distributions()
        for point in found.entry_points
        if point.group.startswith("llmspell.")
    }
    ours = {(point.group, point.name, point.value) for point in entry_points("llmspell.")}
    assert ours == theirs
    assert ours
    for point in entry_points("llmspell."):
        found = importlib.metadata.distribution(point.dist.name)
        assert (found.name, found.version) == (point.dist.name, point.dist.version)


def test_every_form_of_line_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        tmp_path,
        "acme_things",
        "# a comment\n[other]\nx = y\n\n[acme.lamps]\ndesk = collections:OrderedDict\n"
        " wall=collections.abc : Mapping.get [extra]\n; no\nmodule = collections\n[acme.more]\n",
    )
    install(tmp_path, "old_style", "[acme.lamps]\nold = os.path:join\n", kind="egg")
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "nowhere"), "/dev/null"])
    found = {point.name: point for point in entry_points("acme.")}
    assert sorted(found) == ["desk", "module", "old", "wall"]
    import collections
    import os.path
    from collections.abc import Mapping

    assert found["desk"].load() is collections.OrderedDict
    assert found["wall"].load() is Mapping.get
    assert found["module"].load() is collections
    assert found["old"].load() is os.path.join
    dist = found["desk"].dist
    assert (dist.name, dist.version, dist.summary) == (
        "acme-things", "1.0", "What acme_things is.",
    )  # fmt: skip


def test_the_first_distribution_of_a_name_hides_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "a", "acme_things", "[acme.lamps]\none = a:A\n", "2.0")
    install(tmp_path / "b", "Acme.Things", "[acme.lamps]\ntwo = b:B\n", "1.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), str(tmp_path / "b")])
    assert [point.name for point in entry_points("acme.")] == ["one"]


def test_listing_imports_neither_plugins_nor_the_slow_module() -> None:
    code = (
        "import sys; from llmspell_core.extensions import Extensions; Extensions('tools');"
        "assert not {'importlib_metadata', 'importlib.metadata', 'email'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

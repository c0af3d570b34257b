"""What must hold between the packages of this repository."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECTS = sorted(
    [*ROOT.glob("llmspell-*/pyproject.toml"), *ROOT.glob("packages/*/pyproject.toml")]
)
NAMES = [path.parent.name for path in PYPROJECTS]

each_package = pytest.mark.parametrize("path", PYPROJECTS, ids=NAMES)


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def entry_points() -> list[tuple[str, str, str]]:
    """Group, name and target of all that the packages declare."""
    return [
        (group, name, target)
        for path in PYPROJECTS
        for group, entries in read(path)["project"].get("entry-points", {}).items()
        for name, target in entries.items()
    ]


def test_all_have_one_version_and_the_command_says_it() -> None:
    versions = {read(path)["project"]["version"] for path in PYPROJECTS}
    assert len(versions) == 1
    constant = ROOT / "llmspell-cli/src/llmspell_cli/version.py"
    assert f'VERSION = "{versions.pop()}"' in constant.read_text(encoding="utf-8").splitlines()


@each_package
def test_the_folder_has_what_a_distribution_needs(path: Path) -> None:
    name = read(path)["project"]["name"]
    assert path.parent.name == name
    assert (path.parent / "src" / name.replace("-", "_") / "py.typed").is_file()
    assert (path.parent / "tests").is_dir()


@each_package
def test_the_license_is_a_real_copy(path: Path) -> None:
    copy = path.parent / "LICENSE"
    assert not copy.is_symlink()
    assert copy.read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "The llmspell developers" in copy.read_text(encoding="utf-8")
    assert read(path)["project"]["license"] == "MIT"


@each_package
def test_the_readme_names_what_the_package_adds(path: Path) -> None:
    project = read(path)["project"]
    readme = (path.parent / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {project['name']}\n")
    for group, entries in project.get("entry-points", {}).items():
        assert f"`{group}`" in readme
        for name in entries:
            assert f"`{name}`" in readme
    for extra in project.get("optional-dependencies", {}):
        assert f"`{extra}`" in readme
    assert "```" in readme, "a runnable example"


@each_package
def test_packages_ask_for_each_other_at_this_very_version(path: Path) -> None:
    project = read(path)["project"]
    extras = project.get("optional-dependencies", {}).values()
    for requirement in [*project["dependencies"], *(one for extra in extras for one in extra)]:
        if requirement.startswith("llmspell-"):
            assert requirement.endswith(f"~={project['version']}"), requirement
            assert re.match(r"[\w-]+", requirement)[0] in NAMES  # type: ignore[index]


@each_package
def test_every_entry_point_names_the_package_itself(path: Path) -> None:
    project = read(path)["project"]
    module = project["name"].replace("-", "_")
    for group, entries in project.get("entry-points", {}).items():
        assert group.startswith("llmspell.")
        for name, target in entries.items():
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)
            assert target.startswith(f"{module}.")


@pytest.mark.parametrize(
    ("group", "name", "target"), entry_points(), ids=lambda value: value.removeprefix("llmspell.")
)
def test_every_entry_point_is_installed_and_can_be_imported(
    group: str, name: str, target: str
) -> None:
    (found,) = importlib.metadata.entry_points(group=group, name=name)
    assert found.value == target
    # A plugin of hooks is a module or an object with marked functions; an agent may be data.
    loaded = found.load()
    data = isinstance(loaded, dict) and group == "llmspell.agents"
    assert callable(loaded) or data or group == "llmspell.hooks"


def test_no_two_packages_claim_one_name() -> None:
    claims = [(group, name) for group, name, _ in entry_points()]
    assert len(claims) == len(set(claims))


def test_the_umbrella_offers_every_optional_package() -> None:
    umbrella = read(ROOT / "packages/llmspell/pyproject.toml")["project"]
    extras = umbrella["optional-dependencies"]
    always = {re.split(r"[\[~]", requirement)[0] for requirement in umbrella["dependencies"]}
    assert always == {path.parent.name for path in PYPROJECTS if path.parent.parent == ROOT}
    for path in ROOT.glob("packages/llmspell-*/pyproject.toml"):
        name = path.parent.name
        assert extras[name.removeprefix("llmspell-")] == [f"{name}~={umbrella['version']}"]
    # pyduktape2 is GPL-2.0-only: who wants it asks for it.
    assert extras["all"] == [f"llmspell[{','.join(sorted(extras.keys() - {'all', 'duktape'}))}]"]


def test_the_coverage_and_layer_lists_name_every_package() -> None:
    tool = read(ROOT / "pyproject.toml")["tool"]
    modules = sorted(name.replace("-", "_") for name in NAMES)
    assert tool["coverage"]["run"]["source_pkgs"] == modules
    assert sorted(tool["coverage"]["paths"]) == modules
    assert tool["importlinter"]["root_packages"] == modules

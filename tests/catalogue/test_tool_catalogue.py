"""Every tool on a real input: from Lua, JavaScript, ES5.1, the command line and an agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalogue_cases import Case, has, load_cases
from catalogue_page import built_in, every_one, page
from catalogue_rig import WAYS, Rig

from llmspell_bridge.engines import load_engine
from llmspell_core.errors import LLMSpellError

ROOT = Path(__file__).resolve().parents[2]

# One process for all of them: a script calls every tool.
pytestmark = pytest.mark.xdist_group("catalogue")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("catalogue")) as opened:
        yield opened


def missing(way: str) -> str | None:
    """Why there is no such way here."""
    try:
        if way not in ("cli", "agent"):
            load_engine(way)
    except LLMSpellError as error:
        return str(error)
    return None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_a_tool_gives_what_it_should(case: Case, way: str, rig: Rig) -> None:
    if reason := missing(way):
        pytest.skip(reason)
    found = next((one for one in rig.cases if one.name == case.name), None)
    if found is None:
        pytest.skip(f"no {case.needs} on this machine")
    outcome = rig.outcomes(way)[case.name]
    if outcome.error == "extension.unavailable":
        pytest.skip(outcome.message)
    assert outcome.unlike(found.expected) == []


def test_every_tool_of_the_package_is_called() -> None:
    assert {case.tool for case in load_cases()} == set(built_in())


def test_every_case_says_what_must_come_out() -> None:
    assert [case.name for case in load_cases() if not case.expected] == []


def test_the_page_says_what_the_catalogue_has() -> None:
    found = (ROOT / "docs/tools-catalogue.md").read_text(encoding="utf-8")
    assert found == page(every_one()), "run scripts/catalogue.py"


def test_what_is_expected_may_be_a_part() -> None:
    assert has({"a": 1, "b": [1.0, "x 5 y"]}, {"b": [1, "x ... y"]})
    assert not has({"a": 1}, {"b": 1})
    assert not has([1, 2], [1])
    assert not has(1, True)
    assert not has("text", {"a": 1})

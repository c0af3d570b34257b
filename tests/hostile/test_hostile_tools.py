"""The tool border under attack: every case of `tools/` ends as it states, and reaches nothing."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tool_border_cases import Case, load_cases
from tool_border_rig import BorderRig

from llmspell_core.compute import close_helpers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of POSIX")

TOPICS = {
    "archives", "data", "devices", "documents", "expressions", "floods", "headers", "links", "mail",
    "paths", "processes", "redirects", "secrets", "sql", "ssrf", "templates",
}  # fmt: skip
AT_LEAST = 120


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BorderRig]:
    with BorderRig(tmp_path_factory.mktemp("border")) as made:
        yield made
    close_helpers()


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_the_attack_ends_as_stated(case: Case, rig: BorderRig) -> None:
    if case.needs and importlib.util.find_spec(case.needs) is None:
        pytest.skip(f"{case.needs} is not installed")
    assert rig.run(case).wrong == []


def test_the_corpus_is_as_large_as_promised() -> None:
    cases = load_cases()
    assert len(cases) >= AT_LEAST
    assert {case.topic for case in cases} == TOPICS


def test_the_rig_sees_a_leak(rig: BorderRig, tmp_path: Path) -> None:
    """A rig that finds nothing wrong with anything would prove nothing."""
    reading = {"operation": "read", "path": "@OUTSIDE@/secret.txt"}
    case = Case("rig", "reads outside", ("policy.file",), "file-operations", params=reading)
    open_to_all = Case(
        "rig", "may read", ("policy.file",), "file-operations", params=reading, profile="none"
    )
    assert rig.run(case).wrong == []
    wrong = " ".join(rig.run(open_to_all).wrong)
    assert "expected" in wrong
    assert "canary" in wrong

"""One behaviour everywhere: each case on every engine, in process and in a worker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conformance_cases import Case, load_cases
from conformance_es5 import es5
from conformance_page import every_one, page
from conformance_rig import TARGETS, Outcome, Rig, Target, like, missing

from llmspell_bridge.manifests import load_manifests

ROOT = Path(__file__).resolve().parents[2]

RUNS = [
    pytest.param(case, target, id=f"{case.slug}-{target}")
    for case in load_cases()
    for target in TARGETS
    if case.runs_on(target.engine)
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("conformance")) as opened:
        yield opened


@pytest.mark.parametrize(("case", "target"), RUNS)
def test_a_case_ends_as_it_says(case: Case, target: Target, rig: Rig) -> None:
    if reason := missing(target.engine):
        pytest.skip(reason)
    outcome = rig.run(case, target)
    if outcome.throws.get("code") == "security.no_sandbox":
        pytest.skip(outcome.throws["message"])
    assert outcome.unlike(case.expects(target.engine)) == []
    if target.engine in case.differences:
        assert outcome.unlike(case.expected), "this difference is gone: take it out"


def test_the_page_says_what_the_suite_has() -> None:
    found = (ROOT / "docs/conformance.md").read_text(encoding="utf-8")
    assert found == page(every_one()), "run scripts/conformance.py"


def test_every_topic_has_cases_for_every_engine() -> None:
    assert len(load_cases()) >= 150
    assert all(every_one().values())


def test_every_method_of_every_global_is_in_a_case() -> None:
    text = "\n".join(case.sources.get("lua", "") for case in load_cases())
    manifests = load_manifests()
    called = {(m["name"], name) for m in manifests.values() for name in listed(m)}
    of_objects = {
        name for m in manifests.values() for o in m["objects"].values() for name in listed(o)
    }
    assert {pair for pair in called if not re.search(r"\b{}\.{}\b".format(*pair), text)} == set()
    assert {name for name in of_objects if not re.search(rf"[.:]{name}\b", text)} == set()


def listed(declared: dict[str, Any]) -> list[str]:
    return [name for name, method in declared["methods"].items() if not method.get("hidden")]


def test_differences_are_expected_to_end_otherwise_and_say_why() -> None:
    for case in load_cases():
        for other in case.differences.values():
            assert len(other.reason) > 10, case.name
            assert other.expected != case.expected, case.name


@pytest.mark.parametrize(
    ("modern", "old"),
    [
        ("const a = await f(x);", "var a = f(x);"),
        (
            "let g = async (a, b) => {\n  return a + b };",
            "var g = function (a, b) {\n  return a + b };",
        ),
        ("f((v) => v + 1, 2)", "f(function (v) { return v + 1; }, 2)"),
        ("f(v => [v, (w) => w])", "f(function (v) { return [v, function (w) { return w; }]; })"),
        ("a.map((x) => ({n: x}))", "a.map(function (x) { return ({n: x}); })"),
        ("'await => let' // const", "'await => let' // const"),
        ('f(/=> await "/g, "x")', 'f(/=> await "/g, "x")'),
    ],
)
def test_old_scripts_are_made_of_modern_ones(modern: str, old: str) -> None:
    assert es5(modern) == old


def test_texts_may_leave_out_what_does_not_matter() -> None:
    assert like("spell:1: no way", "spell:...: no way")
    assert like({"n": 1.0, "l": [1, None]}, {"n": 1, "l": [1, None]})
    assert not like(1, True)
    assert not like({"n": 1}, {"n": 1, "m": 2})
    assert not like("abc", "a...b")


def test_an_outcome_tells_all_that_is_unlike() -> None:
    outcome = Outcome(gives=1, prints="x\n", throws={"code": "a"}, unhandled=["lost"])
    assert outcome.unlike({"gives": 1, "prints": "x\n", "throws": {"code": "a"}}) == [
        "unhandled: expected [], got ['lost']"
    ]
    assert len(outcome.unlike({"gives": 2})) == 4

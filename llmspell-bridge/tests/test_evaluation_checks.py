"""What an evaluation's answers are checked for, its rates, and reading a suite's file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_bridge.evaluation.baseline import compare
from llmspell_bridge.evaluation.checks import look
from llmspell_bridge.evaluation.results import Answer, Attempt, CaseResult, Report, Verdict
from llmspell_bridge.evaluation.suite import Check, read_suite
from llmspell_core.config.mistakes import ConfigMistakes
from llmspell_core.errors import ConfigError

CALLS: list[tuple[str, dict[str, Any]]] = [("stock", {"item": "kettle"}), ("price", {})]


@pytest.mark.parametrize(
    ("kind", "wanted", "answer", "options"),
    [
        ("equals", "Seven", Answer(text=" Seven\n"), {}),
        ("equals", "seven", Answer(text="Seven"), {"ignore_case": True}),
        ("equals", {"n": 7}, Answer(text='{"n": 7}'), {}),
        ("equals", [1, 2], Answer(text="x", data=[1, 2]), {}),
        ("contains", ["a", "b"], Answer(text="b, a"), {}),
        ("contains", "SEVEN", Answer(text="seven"), {"ignore_case": True}),
        ("regex", r"\b7\b", Answer(text="It is 7."), {}),
        ("schema", {"type": "integer"}, Answer(text="7"), {}),
        ("tools", ["stock", "price"], Answer(calls=CALLS), {}),
        (
            "tools",
            [{"name": "stock", "arguments": {"item": "kettle"}}],
            Answer(calls=CALLS),
            {"match": "in_order"},
        ),
        ("tools", [], Answer(calls=[]), {}),
        ("handoffs", ["billing"], Answer(handoffs=["billing"]), {}),
        ("error", "policy.denied", Answer(error={"code": "policy.denied"}), {}),
        ("error", "denied", Answer(error={"code": "x", "message": "it was denied"}), {}),
        ("within", {"ms": 5, "tokens": 9, "cost_usd": 1}, Answer(ms=4, cost_usd=0.5), {}),
    ],
)
def test_what_holds_passes_and_fails_negated(
    kind: str, wanted: Any, answer: Answer, options: dict[str, Any]
) -> None:
    assert look(Check(kind, wanted, options), answer).passed
    turned = look(Check(kind, wanted, {**options, "not": True}), answer)
    assert (turned.passed, turned.score, turned.reason) == (False, 0.0, "it is so")


@pytest.mark.parametrize(
    ("kind", "wanted", "answer", "said"),
    [
        ("equals", "seven", Answer(text="Seven"), 'the answer is "Seven"'),
        ("equals", 1, Answer(data=True), "the answer is true"),
        ("contains", ["a", "b"], Answer(text="a"), '"b" is not in "a"'),
        ("regex", "^7$", Answer(text="17"), 'the answer is "17"'),
        ("schema", {"type": "integer"}, Answer(text='"7"'), "'7' is not of type 'integer'"),
        ("schema", {"type": "integer"}, Answer(text="seven"), "the answer is no JSON"),
        ("tools", ["price"], Answer(calls=CALLS), "called stock"),
        ("tools", ["price"], Answer(), "nobody knows its calls"),
        ("handoffs", ["billing"], Answer(handoffs=[]), "control went to nobody"),
        ("error", "policy.denied", Answer(text="ok"), "it did not fail"),
        ("within", {"cost_usd": 1}, Answer(), "its cost_usd is unknown"),
        ("within", {"ms": 5}, Answer(ms=6), "ms 6, more than 5"),
    ],
)
def test_what_does_not_hold_says_why(kind: str, wanted: Any, answer: Answer, said: str) -> None:
    found = look(Check(kind, wanted), answer)
    assert not found.passed
    assert said in found.reason
    assert look(Check(kind, wanted, {"not": True}), answer).passed


def results(passes: int, count: int) -> CaseResult:
    made = [
        Attempt(Answer(tokens=10, cost_usd=0.5, ms=n), [Verdict("c", n < passes)])
        for n in range(count)
    ]
    return CaseResult("x", attempts=made)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_pass_at_k_is_the_share_of_all_choices_of_k_with_a_pass(pair: tuple[int, int]) -> None:
    from itertools import combinations

    count, passes = pair
    found = results(passes, count)
    for k in range(1, count + 1):
        choices = list(combinations([n < passes for n in range(count)], k))
        expected = sum(any(one) for one in choices) / len(choices)
        assert math.isclose(found.pass_at(k) or 0.0, expected)
    assert found.pass_at(count + 1) is None


def test_a_report_adds_up_and_is_compared_with_an_earlier_one() -> None:
    before = Report("s", "agent a", cases=[results(4, 4)]).as_data()
    report = Report("s", "agent a", pass_at=[2], threshold=0.5, cases=[results(3, 4)])
    assert (report.pass_rate, report.ok, report.cost_usd) == (0.75, True, 2.0)
    data = report.as_data()
    assert (data["pass_rate"], data["pass@2"], data["tokens"]) == (0.75, 1.0, 40)
    assert (data["median_ms"], data["p95_ms"]) == (1, 3)
    worse = compare(report, before, "before.json")
    assert (worse.ok, worse.worse[0].now, worse.ratios["tokens"]) == (False, 0.75, 1.0)
    assert compare(report, before, "before.json", tolerance=0.25).ok
    unknown = CaseResult("y", attempts=[Attempt(Answer(cost_usd=None))])
    assert Report("s", "agent a", cases=[unknown]).cost_usd is None
    assert compare(Report("s", "t", cases=[unknown]), before, "b").gone == ["x"]


SUITE = """\
agent: {system_prompt: x}
repeat: 3
checks:
  - within: {ms: 10}
cases:
  - name: one
    input: What?
    checks: {contains: a, regex: b, ignore_case: true}
  - input: {text: And?}
    checks: {equals: 7}
"""


def test_a_suite_is_read_with_the_checks_of_every_case(tmp_path: Path) -> None:
    path = tmp_path / "kettles.yaml"
    path.write_text(SUITE)
    suite = read_suite(path)
    assert (suite.name, suite.target, suite.repeat) == ("kettles", "agent", 3)
    assert [one.kind for one in suite.cases[0].checks] == ["within", "contains", "regex"]
    assert suite.cases[0].checks[2].options == {"ignore_case": True}
    assert [one.name for one in suite.cases] == ["one", "2"]
    (tmp_path / "c.jsonl").write_text('{"name": "x", "input": 1, "checks": {"equals": 1}}\n\n')
    path.write_text("tool: calculator\ncases: c.jsonl\n")
    assert read_suite(path).cases[0].input == 1


def test_every_mistake_in_a_suite_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "kettles.yaml"
    path.write_text(
        SUITE.replace("repeat: 3", "repeat: many\nmodle: x\ntool: y")
        .replace("regex: b", "regex: '('")
        .replace("{equals: 7}", "{eqals: 7}")
    )
    with pytest.raises(ConfigMistakes) as found:
        read_suite(path)
    said = str(found.value)
    for text in (
        "5 mistakes in the suite",
        ':3   modle: unknown key, did you mean "model"?',
        "it names agent and tool, exactly one of agent, workflow, tool, script",
        ':2   repeat: "many" is not a whole number from 1 to 1000',
        ":10   cases.one.checks.regex: the pattern cannot be used: missing )",
        ':12   cases.2.checks: "eqals" is no check, did you mean "equals"?',
    ):
        assert text in said, said


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("{judge: ''}", "is not text"),
        ("{judge: x, threshold: 2}", "no number from 0 to 1"),
        ("{script: checks.lua}", "names no function: FILE#NAME"),
        ("{script: 'nowhere.lua#f'}", "there is no file"),
        ("{tools: [1]}", "is no call"),
        ("{tools: [a], match: any}", "is not one of exact, in_order, any_order"),
        ("{schema: {type: nothing}}", "nothing"),
        ("{within: {s: 1}}", 'unknown bound "s"'),
        ("{contains: 1}", "is not text or a list of texts"),
        ("{equals: 1, ignore_cas: true}", 'did you mean "ignore_case"?'),
        ("[]", "nothing is checked"),
    ],
)
def test_what_a_check_is_given_is_looked_at_before_anything_runs(
    check: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "kettles.yaml"
    path.write_text(f"agent: x\ncases:\n  - name: one\n    checks: {check}\n")
    with pytest.raises(ConfigMistakes) as found:
        read_suite(path)
    assert said in str(found.value)


def test_files_that_a_suite_names_are_looked_for_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "kettles.yaml"
    rest = "cases:\n  - {input: x, checks: {equals: 1}}\n"
    for target in ("script: no.lua", "agent: no.agent.toml", "workflow: no.yaml"):
        path.write_text(f"{target}\n{rest}")
        with pytest.raises(ConfigMistakes) as found:
            read_suite(path)
        assert "kettles.yaml:1   " in str(found.value)
        assert "there is no file" in str(found.value)
    path.write_text("agent: x\ncases: c.jsonl\n")
    with pytest.raises(ConfigMistakes) as found:
        read_suite(path)
    assert "kettles.yaml:2   cases: the cases of" in str(found.value)
    (tmp_path / "c.jsonl").write_text('{"input": 1}\n\n{"input"\n')
    with pytest.raises(ConfigError) as wrong:
        read_suite(path)
    assert "c.jsonl:3   is no JSON" in str(wrong.value)

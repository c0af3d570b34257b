"""docs/conformance.md: what a run of the suite came to, and every difference with its reason."""

from __future__ import annotations

from collections.abc import Mapping

from conformance_cases import ENGINES, Case, topics
from conformance_rig import TARGETS, Target

#: How many cases of a topic went well on a target.
Passed = Mapping[tuple[str, Target], int]
TITLES = {"lua": "Lua", "js": "JavaScript", "duktape": "ES5.1"}
HEAD = """\
# One behaviour on every engine

Each case is written in Lua, in modern JavaScript and in ES5.1, and ends the same way on every
engine, in the host's process and in a worker. The cases are in `tests/conformance/cases`; this page
is made of a run of them by `scripts/conformance.py`.

"""
DIFFERENCES = """
## Differences

Where an engine ends otherwise, the case says how and why, and the suite checks that it still does.

"""
ONLY = """
## Cases that are not for every engine

"""


def every_one() -> Passed:
    """The counts of a run in which nothing failed."""
    return {
        (topic, target): sum(case.runs_on(target.engine) for case in cases)
        for topic, cases in topics().items()
        for target in TARGETS
    }


def page(passed: Passed) -> str:
    """The page's text."""
    found = topics()
    cases = [case for group in found.values() for case in group]
    return "".join(
        [
            HEAD,
            _counts(passed, found),
            DIFFERENCES,
            _rows("case", "engine", "why it differs", differing(cases)),
            ONLY,
            _rows("case", "not for", "why", unsuited(cases)),
        ]
    )


def differing(cases: list[Case]) -> list[tuple[Case, str, str]]:
    """Cases that end otherwise on some engine: the engines, and the reason."""
    return _by_reason(cases, meant=True)


def unsuited(cases: list[Case]) -> list[tuple[Case, str, str]]:
    """Cases without a meaning on some engine: the engines, and the reason."""
    return _by_reason(cases, meant=False)


def _by_reason(cases: list[Case], *, meant: bool) -> list[tuple[Case, str, str]]:
    found = []
    for case in cases:
        reasons: dict[str, list[str]] = {}
        for engine in ENGINES:
            other = case.differences.get(engine)
            if other is not None and (other.expected is not None) is meant:
                reasons.setdefault(other.reason, []).append(TITLES[engine])
        found += [(case, ", ".join(engines), reason) for reason, engines in reasons.items()]
    return found


def _counts(passed: Passed, found: dict[str, list[Case]]) -> str:
    titles = [f"{TITLES[one.engine]}, {one.carrier}" for one in TARGETS]
    lines = [f"| topic | {' | '.join(titles)} |", "| --- " + "| ---: " * len(TARGETS) + "|"]
    totals = [0] * len(TARGETS)
    for topic in found:
        counts = [passed[topic, target] for target in TARGETS]
        totals = [sum(pair) for pair in zip(totals, counts, strict=True)]
        lines.append(f"| {topic} | {' | '.join(map(str, counts))} |")
    lines.append(f"| **all** | {' | '.join(map(str, totals))} |")
    return "\n".join(lines) + "\n"


def _rows(case: str, engines: str, reason: str, rows: list[tuple[Case, str, str]]) -> str:
    lines = [f"| {case} | {engines} | {reason} |", "| --- | --- | --- |"]
    lines += [f"| {one.topic}: {one.name} | {where} | {why} |" for one, where, why in rows]
    return "\n".join(lines) + "\n"

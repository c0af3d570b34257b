"""What came of an evaluation: answers, verdicts, rates."""

from __future__ import annotations

import math
from typing import Any

from llmspell_core.records import Record, key


class Answer(Record):
    """What one run of a case gave, whatever was run. `cost_usd` is None when unknown."""

    text: str = ""
    data: Any = None
    #: (name, arguments) of each call; None when nobody can know.
    calls: list[tuple[str, dict[str, Any]]] | None = None
    handoffs: list[str] | None = None
    error: dict[str, Any] | None = None
    requests: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    ms: float = 0.0

    def as_data(self) -> dict[str, Any]:
        """As judges, script functions and files see it; without what is empty."""
        calls = [{"name": name, "arguments": given} for name, given in self.calls or ()]
        found = {
            "text": self.text,
            "data": self.data,
            "tool_calls": calls,
            "handoff": self.handoffs,
            "error": self.error,
            "requests": self.requests,
            "tokens": self.tokens,
            "cost_usd": self.cost_usd,
            "duration_ms": round(self.ms, 1),
        }
        return {name: value for name, value in found.items() if value not in (None, [])}


class Verdict(Record):
    """What one check says of one answer; the score is from 0 to 1."""

    check: str
    passed: bool
    score: float = 0.0
    reason: str = ""


class Attempt(Record):
    """One run of a case with its verdicts."""

    answer: Answer
    verdicts: list[Verdict] = key([], "in the order of the checks")

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(one.passed for one in self.verdicts)

    @property
    def reasons(self) -> list[str]:
        """Why it failed: a line a check."""
        return [f"{one.check}: {one.reason}" for one in self.verdicts if not one.passed]

    def as_data(self) -> dict[str, Any]:
        """Everything."""
        verdicts = [
            {"check": one.check, "passed": one.passed, "score": one.score, "reason": one.reason}
            for one in self.verdicts
        ]
        return {"passed": self.passed, "answer": self.answer.as_data(), "verdicts": verdicts}


class CaseResult(Record):
    """All runs of one case."""

    name: str
    input: Any = None
    tags: list[str] = key([], "of the case")
    attempts: list[Attempt] = key([], "in the order they were begun")

    @property
    def passes(self) -> int:
        """How many runs passed."""
        return sum(one.passed for one in self.attempts)

    @property
    def pass_rate(self) -> float:
        """The share that passed."""
        return self.passes / len(self.attempts) if self.attempts else 0.0

    def pass_at(self, k: int) -> float | None:
        """How likely one of k runs passes, estimated without bias; None with fewer runs."""
        n, c = len(self.attempts), self.passes
        return None if k > n else 1.0 - math.comb(n - c, k) / math.comb(n, k)

    def total(self, field: str) -> float:
        """The sum of a number of all answers."""
        return float(sum(getattr(one.answer, field) or 0 for one in self.attempts))

    def as_data(self, pass_at: list[int]) -> dict[str, Any]:
        """Everything."""
        return {
            "name": self.name,
            "input": self.input,
            "tags": self.tags,
            "pass_rate": round(self.pass_rate, 4),
            **rates({k: self.pass_at(k) for k in pass_at}),
            "attempts": [one.as_data() for one in self.attempts],
        }


class Report(Record):
    """The whole evaluation. `judging` is what judges used beside it."""

    suite: str
    target: str
    model: str = ""
    threshold: float = 1.0
    pass_at: list[int] = key([], "the k of pass@k")
    cases: list[CaseResult] = key([], "in the order of the suite")
    judging: dict[str, float] = key({}, "tokens and cost_usd")
    ms: float = 0.0

    @property
    def attempts(self) -> list[Attempt]:
        """All runs of all cases."""
        return [attempt for one in self.cases for attempt in one.attempts]

    @property
    def pass_rate(self) -> float:
        """The share of all runs that passed."""
        all_of_them = self.attempts
        return sum(one.passed for one in all_of_them) / len(all_of_them) if all_of_them else 0.0

    @property
    def ok(self) -> bool:
        """Whether as many passed as the suite wants."""
        return bool(self.cases) and self.pass_rate >= self.threshold

    @property
    def cost_usd(self) -> float | None:
        """What all runs cost; None when one of them is unknown."""
        costs = [one.answer.cost_usd for one in self.attempts]
        return None if None in costs else sum(one or 0.0 for one in costs)

    def rate_at(self, k: int) -> float | None:
        """The mean of the cases' pass@k, of those with enough runs."""
        found = [rate for one in self.cases if (rate := one.pass_at(k)) is not None]
        return sum(found) / len(found) if found else None

    def as_data(self) -> dict[str, Any]:
        """Everything, as a file that a later evaluation is compared with."""
        attempts = self.attempts
        times = sorted(one.answer.ms for one in attempts)
        return {
            "schema": SCHEMA,
            "suite": self.suite,
            "target": self.target,
            "model": self.model,
            "ok": self.ok,
            "pass_rate": round(self.pass_rate, 4),
            **rates({k: self.rate_at(k) for k in self.pass_at}),
            "attempts": len(attempts),
            "tokens": sum(one.answer.tokens for one in attempts),
            "cost_usd": self.cost_usd,
            "judging": self.judging,
            "duration_ms": round(self.ms, 1),
            "median_ms": round(_at(times, 0.5), 1),
            "p95_ms": round(_at(times, 0.95), 1),
            "cases": [one.as_data(self.pass_at) for one in self.cases],
        }


SCHEMA = "llmspell.evaluation/1"


def rates(found: dict[int, float | None]) -> dict[str, float]:
    """`{"pass@3": 0.9}`, without those that cannot be told."""
    return {f"pass@{k}": round(rate, 4) for k, rate in found.items() if rate is not None}


def _at(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, math.ceil(share * len(times)) - 1)] if times else 0.0

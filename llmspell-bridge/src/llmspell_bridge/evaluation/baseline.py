"""An evaluation beside an earlier one: what became worse, what better, what it costs now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmspell_bridge.evaluation.results import SCHEMA, Report
from llmspell_core.errors import ConfigError
from llmspell_core.json_text import read_json
from llmspell_core.records import Record, key


class Change(Record):
    """A case whose pass rate is another one now."""

    case: str
    before: float
    now: float


class Comparison(Record):
    """What changed since the baseline. `ratios` are now : before, None where one is unknown."""

    file: str
    before: float
    now: float
    worse: list[Change] = key([], "by more than the tolerance")
    better: list[Change] = key([], "by more than the tolerance")
    new: list[str] = key([], "cases that the baseline has not")
    gone: list[str] = key([], "cases that only the baseline has")
    ratios: dict[str, float | None] = key({}, "tokens, cost_usd, median_ms")

    @property
    def ok(self) -> bool:
        """Whether no case became worse."""
        return not self.worse

    def as_data(self) -> dict[str, Any]:
        """Everything."""
        data = self.model_dump()
        return {**data, "ok": self.ok}


def read_baseline(path: Path) -> dict[str, Any]:
    """What `--save` wrote. Raises `evaluation.baseline`."""
    try:
        data = read_json(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _unusable(path, f"cannot be read: {reason}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise _unusable(path, "was not written by llmspell evaluate --save")
    return data


def compare(
    report: Report, baseline: dict[str, Any], file: str, tolerance: float = 0.0
) -> Comparison:
    """The report beside an earlier one; only cases that both have are compared."""
    data = report.as_data()
    before = {str(one["name"]): float(one["pass_rate"]) for one in baseline.get("cases", [])}
    now = {one.name: round(one.pass_rate, 4) for one in report.cases}
    changes = [Change(name, before[name], rate) for name, rate in now.items() if name in before]
    return Comparison(
        file=file,
        before=float(baseline.get("pass_rate", 0.0)),
        now=data["pass_rate"],
        worse=[one for one in changes if one.now < one.before - tolerance],
        better=[one for one in changes if one.now > one.before + tolerance],
        new=[name for name in now if name not in before],
        gone=[name for name in before if name not in now],
        ratios={name: _ratio(data.get(name), baseline.get(name)) for name in _COMPARED},
    )


_COMPARED = ("tokens", "cost_usd", "median_ms")


def _ratio(now: Any, before: Any) -> float | None:
    numbers = isinstance(now, (int, float)) and isinstance(before, (int, float))
    return round(now / before, 3) if numbers and before else None


def _unusable(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"the baseline {path} {what}",
        code="evaluation.baseline",
        hint="write one with:  llmspell evaluate SUITE --save FILE",
    )

"""The results of `llmspell evaluate`: for people on the terminal, and as Markdown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.look import clean, style

if TYPE_CHECKING:
    from llmspell_bridge.evaluation.baseline import Comparison
    from llmspell_bridge.evaluation.results import CaseResult, Report
    from llmspell_bridge.evaluation.suite import Suite

#: Reasons of one case that are shown.
_MOST_REASONS = 5
_PENNY = 0.01


def print_head(suite: Suite, cases: int) -> None:
    """What is run, before it is."""
    times = f" x {suite.repeat}" if suite.repeat > 1 else ""
    count = "1 case" if cases == 1 else f"{cases} cases"
    click.echo(clean(f"{suite.name} ─ {suite.target}, {count}{times}"))


def print_case(case: CaseResult, width: int, pass_at: list[int]) -> None:
    """One case, with the reasons of what failed below it."""
    good = case.passes == len(case.attempts)
    mark, colour = ("✓", "green") if good else ("✗", "red")
    ms = case.total("ms") / max(1, len(case.attempts))
    columns = [f"{clean(case.name):<{width}}", f"{case.passes}/{len(case.attempts)}", _time(ms)]
    if tokens := case.total("tokens"):
        columns.append(f"{tokens:,.0f} tokens")
    columns += [f"pass@{k} {_percent(r)}" for k in pass_at if (r := case.pass_at(k)) is not None]
    click.echo(f"  {style(mark, colour, sys.stdout)} {'  '.join(columns)}")
    reasons = list(_counted(case))
    for line in reasons[:_MOST_REASONS]:
        click.echo(f"      {clean(line)}")
    if len(reasons) > _MOST_REASONS:
        click.echo(f"      and {len(reasons) - _MOST_REASONS} more")


def print_total(report: Report, comparison: Comparison | None) -> None:
    """The rates, what it took, and what changed since the baseline."""
    text = ", ".join([_rates(report), *_took(report)])
    click.echo(style(text, "green" if report.ok else "red", sys.stdout))
    if comparison is not None:
        for line in _compared(comparison):
            click.echo(clean(line))


def markdown(report: Report, comparison: Comparison | None) -> str:
    """The whole report as Markdown, for pull requests and pages."""
    columns = ["", "case", "passed", *[f"pass@{k}" for k in report.pass_at], "time", "tokens"]
    lines = [
        f"# {_cell(report.suite)}",
        "",
        f"{_cell(report.target)}, {_cell(report.model)}: {_rates(report)}",
        "",
        f"| {' | '.join(columns)} |",
        f"|{' --- |' * len(columns)}",
    ]
    for case in report.cases:
        rates = [case.pass_at(k) for k in report.pass_at]
        ms = case.total("ms") / max(1, len(case.attempts))
        row = [
            "✓" if case.passes == len(case.attempts) else "✗",
            _cell(case.name),
            f"{case.passes} of {len(case.attempts)}",
            *["" if rate is None else _percent(rate) for rate in rates],
            _time(ms),
            f"{case.total('tokens'):.0f}",
        ]
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", ", ".join(_took(report)) + "."]
    failed = [case for case in report.cases if case.passes < len(case.attempts)]
    if failed:
        lines += ["", "## What failed", ""]
        lines += [f"- **{_cell(one.name)}**: {_cell(r)}" for one in failed for r in _counted(one)]
    if comparison is not None:
        lines += ["", f"## Against {_cell(comparison.file)}", ""]
        lines += [f"- {_cell(line)}" for line in _compared(comparison)]
    return clean("\n".join(lines)) + "\n"


def _counted(case: CaseResult) -> list[str]:
    """Each reason once, with the number of runs that it failed in."""
    counts: dict[str, int] = {}
    for attempt in case.attempts:
        for reason in attempt.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    total = len(case.attempts)
    most_first = sorted(counts.items(), key=lambda one: -one[1])
    if total == 1:
        return [reason for reason, _ in most_first]
    return [f"{count} of {total}: {reason}" for reason, count in most_first]


def _rates(report: Report) -> str:
    attempts = report.attempts
    passed = sum(one.passed for one in attempts)
    words = [f"pass rate {_percent(report.pass_rate)} ({passed} of {len(attempts)})"]
    words += [
        f"pass@{k} {_percent(r)}" for k in report.pass_at if (r := report.rate_at(k)) is not None
    ]
    if report.threshold < 1 or not report.ok:
        words.append(f"{_percent(report.threshold)} wanted")
    return ", ".join(words)


def _took(report: Report) -> list[str]:
    tokens = sum(one.answer.tokens for one in report.attempts)
    words = [f"{tokens:,} tokens", _money(report.cost_usd)] if tokens else []
    if report.judging:
        judged = report.judging
        words.append(f"judging {judged['tokens']:,.0f} tokens, {_money(judged['cost_usd'])}")
    return [*words, _time(report.ms)]


def _compared(found: Comparison) -> list[str]:
    before, now = _percent(found.before), _percent(found.now)
    lines = [f"against {found.file}: pass rate {before} -> {now}"]
    for word, changes in (("worse", found.worse), ("better", found.better)):
        lines += [
            f"  {word}: {one.case}  {_percent(one.before)} -> {_percent(one.now)}"
            for one in changes
        ]
    for word, names in (("new", found.new), ("gone", found.gone)):
        lines += [f"  {word}: {', '.join(names)}"] if names else []
    ratios = [f"{name} x {ratio:g}" for name, ratio in found.ratios.items() if ratio is not None]
    return [*lines, f"  {', '.join(ratios)}"] if ratios else lines


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _money(usd: Any) -> str:
    if usd is None:
        return "cost unknown"
    return f"{usd:.2f} USD" if usd >= _PENNY or not usd else f"{usd:.6f} USD"


def _time(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"  # noqa: PLR2004 - a second


def _cell(text: str) -> str:
    """Text that Markdown takes as text, on one line."""
    plain = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_|<>[]" else c for c in plain)

"""The results of `llmspell test`: for people, and as data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from llmspell_bridge.spelltest.results import NOT_RUN, PASSED
from llmspell_cli.look import clean, style
from llmspell_cli.report import format_error
from llmspell_cli.source_lines import Script

if TYPE_CHECKING:
    from llmspell_bridge.spelltest.results import FileReport, TestResult
    from llmspell_core.errors import LLMSpellError

#: A test that takes longer has its time shown, in ms.
SLOW_MS = 100


def print_file(report: FileReport, *, quiet: bool = False) -> None:
    """One file's tests, with what went wrong below each; `quiet`: only that."""
    if quiet and report.ok:
        return
    click.echo(clean(f"{report.path}  {report.engine}".rstrip()))
    shown: tuple[str, ...] = ()
    for one in report.tests:
        if quiet and one.outcome == PASSED:
            continue
        _print_titles(shown, one.suite)
        shown = one.suite
        _print_test(one, report)
    if report.error is not None:
        _print_error(report.error, report, 2)
    if report.printed and not report.ok:
        click.echo("  it printed")
        for line in clean(report.printed).splitlines():
            click.echo(f"    {line}")


def _print_titles(shown: tuple[str, ...], suite: tuple[str, ...]) -> None:
    """The titles of a suite that do not already stand above."""
    same = 0
    while same < min(len(shown), len(suite)) and shown[same] == suite[same]:
        same += 1
    for level in range(same, len(suite)):
        click.echo(clean(f"{'  ' * (level + 1)}{suite[level]}"))


def _print_test(one: TestResult, report: FileReport) -> None:
    marks = {PASSED: ("✓", "green"), NOT_RUN: ("-", "yellow")}
    mark, colour = marks.get(one.outcome, ("✗", "red"))
    indent = "  " * (len(one.suite) + 1)
    notes = "  not run" if one.outcome == NOT_RUN else ""
    if one.duration_ms >= SLOW_MS:
        notes += f"  {one.duration_ms:.0f} ms"
    click.echo(f"{indent}{style(mark, colour, sys.stdout)} {clean(one.title)}{notes}")
    if one.error is not None:
        _print_error(one.error, report, len(indent) + 2)


def _print_error(error: LLMSpellError, report: FileReport, indent: int) -> None:
    script = Script(str(report.path), report.text, report.path)
    for line in format_error(error, script).splitlines():
        click.echo(" " * indent + line)


def print_total(reports: list[FileReport], took_s: float) -> None:
    """How many passed and how many did not, in one line."""
    counts = totals(reports)
    words = [f"{counts['passed']} passed"]
    words += [_counted(counts[key], text) for key, text in _WORDS if counts[key]]
    files = "1 file" if len(reports) == 1 else f"{len(reports)} files"
    text = f"{', '.join(words)} in {files}, {took_s:.1f} s"
    click.echo(style(text, "green" if all(one.ok for one in reports) else "red", sys.stdout))


def _counted(count: int, text: str) -> str:
    return f"{count} {text.replace('files', 'file') if count == 1 else text}"


_WORDS = (("failed", "failed"), ("not_run", "not run"), ("files_failed", "files broken"))


def totals(reports: list[FileReport]) -> dict[str, int]:
    """How many tests passed, failed and were not run, and how many files broke outside of one."""
    tests = [one for report in reports for one in report.tests]
    return {
        "tests": len(tests),
        "passed": sum(one.outcome == PASSED for one in tests),
        "failed": sum(one.outcome not in (PASSED, NOT_RUN) for one in tests),
        "not_run": sum(one.outcome == NOT_RUN for one in tests),
        "files_failed": sum(one.error is not None for one in reports),
    }


def as_data(reports: list[FileReport], took_s: float) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "ok": all(one.ok for one in reports),
        "totals": totals(reports),
        "duration_ms": round(took_s * 1000, 1),
        "files": [_file_data(one) for one in reports],
        "schema": "llmspell.test/1",
    }


def _file_data(report: FileReport) -> dict[str, Any]:
    return {
        "path": str(report.path),
        "engine": report.engine,
        "ok": report.ok,
        "error": report.error.to_dict() if report.error else None,
        "printed": report.printed,
        "duration_ms": round(report.duration_ms, 1),
        "tests": [
            {
                "name": one.name,
                "title": one.title,
                "suite": list(one.suite),
                "outcome": one.outcome,
                "error": one.error.to_dict() if one.error else None,
                "duration_ms": round(one.duration_ms, 1),
            }
            for one in report.tests
        ],
    }

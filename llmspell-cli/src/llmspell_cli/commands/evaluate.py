"""`llmspell evaluate SUITE`: run the cases of a suite and say how often they pass."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.commands.run import complete_file
from llmspell_cli.helptext import Command
from llmspell_cli.options import Common, cassette_options, common_of, common_options
from llmspell_cli.signals import run_until_signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmspell_bridge.evaluation.baseline import Comparison
    from llmspell_bridge.evaluation.results import CaseResult, Report
    from llmspell_bridge.evaluation.suite import Suite

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    cls=Command,
    examples=(
        "llmspell evaluate kettles.yaml --repeat 5 --pass-at 1 --pass-at 3",
        "llmspell evaluate kettles.yaml --save main.json",
        "llmspell evaluate kettles.yaml --baseline main.json --markdown report.md",
        "llmspell evaluate kettles.yaml --replay kettles.jsonl     the same answers, no model",
    ),
)
@click.argument("suite", type=click.Path(path_type=Path), shell_complete=complete_file)
@click.option("--model", metavar="NAME", help="The model, as provider/model.")
@click.option("--repeat", type=click.IntRange(1, 1000), metavar="N", help="Run each case N times.")
@click.option(
    "--pass-at", type=click.IntRange(min=1), multiple=True, metavar="K", help="Tell pass@K."
)
@click.option(
    "--threshold", type=click.FloatRange(0, 1), metavar="SHARE", help="The pass rate that will do."
)
@click.option("-k", "match", default="", metavar="TEXT", help="Only cases with this in their name.")
@click.option("--tag", metavar="NAME", help="Only cases with this tag.")
@click.option("--concurrency", type=click.IntRange(1, 256), metavar="N", help="Runs at a time.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of a run, seconds."
)
@click.option("--baseline", type=_FILE, metavar="FILE", help="Compare with a saved evaluation.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="SHARE",
    help="How much worse than the baseline a case may be (0).",
)
@click.option("--save", type=_FILE, metavar="FILE", help="Write the results as JSON.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML as well.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write a Markdown report as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@cassette_options
@click.option("--approve", multiple=True, metavar="NAME", help="Approve this tool's calls.")
@click.option("--yes", is_flag=True, help="Approve every call that would be asked about.")
@common_options
@click.pass_context
def evaluate(ctx: click.Context, /, suite: Path, **given: Any) -> int:
    """Run the cases of SUITE, a YAML, TOML or JSON file, and check each answer.

    The exit code is 1 when fewer runs pass than the suite wants, or when a case is worse than in
    the baseline.
    """
    from llmspell_bridge.evaluation.baseline import compare, read_baseline
    from llmspell_bridge.evaluation.suite import read_suite

    baseline = read_baseline(given["baseline"]) if given["baseline"] else None
    found = _changed(read_suite(suite), given)
    show = None if given["as_json"] else _shown(found)
    report: Report = run_until_signal(_run(found, common_of(ctx), given, show))
    comparison = (
        compare(report, baseline, str(given["baseline"]), given["tolerance"]) if baseline else None
    )
    _write(report, comparison, given)
    _print(report, comparison, as_json=given["as_json"])
    return 0 if report.ok and (comparison is None or comparison.ok) else 1


def _changed(suite: Suite, given: dict[str, Any]) -> Suite:
    """The suite as the options want it; which of its cases they leave is no empty set."""
    cases = [
        one
        for one in suite.cases
        if given["match"].lower() in one.name.lower() and given["tag"] in (None, *one.tags)
    ]
    if not cases:
        raise click.UsageError("no case has this name or tag")
    changes: dict[str, Any] = {"cases": cases}
    for name in ("model", "repeat", "threshold", "concurrency"):
        if given[name] is not None:
            changes[name] = given[name]
    if given["repeat"] is not None:
        changes["cases"] = [one.model_copy(update={"repeat": None}) for one in cases]
    if given["timeout"] is not None:
        changes["timeout_ms"] = given["timeout"] * 1000
    if given["pass_at"]:
        changes["pass_at"] = list(given["pass_at"])
    made = suite.model_copy(update=changes)
    runs = max(one.repeat or made.repeat for one in made.cases)
    if beyond := [k for k in made.pass_at if k > runs]:
        raise click.UsageError(
            f"pass@{beyond[0]} needs {beyond[0]} runs of a case, and there are {runs}: "
            f"--repeat {beyond[0]}"
        )
    return made


async def _run(
    suite: Suite,
    common: Common,
    given: dict[str, Any],
    show: Callable[[CaseResult], None] | None,
) -> Report:
    from llmspell_bridge.evaluation.places import Places
    from llmspell_bridge.evaluation.runner import evaluate as run
    from llmspell_cli.approve import approver

    model = [f"default.model={suite.model}"] if suite.model else []
    loaded = common.load(suite.path, *model)
    asker = approver(given["approve"], yes=given["yes"])
    folder = suite.path.absolute().parent
    places = Places(loaded, folder, files=_named(suite, folder), approver=asker)
    common.log_for(places.runtime)
    async with places:
        return await run(suite, places, show)


def _named(suite: Suite, folder: Path) -> list[str]:
    """The files that the suite names as what is evaluated: who runs it wants them read."""
    subject = suite.subject
    names = [subject, subject.get("extends")] if isinstance(subject, dict) else [subject]
    names = names[1:] if isinstance(subject, dict) else names
    found = [folder / one for one in names if isinstance(one, str)]
    return [str(one) for one in found if one.is_file()]


def _shown(suite: Suite) -> Callable[[CaseResult], None]:
    from llmspell_cli.evaluate_report import print_case, print_head

    width = max(len(one.name) for one in suite.cases)
    print_head(suite, len(suite.cases))
    return lambda case: print_case(case, width, suite.pass_at)


def _print(report: Report, comparison: Comparison | None, *, as_json: bool) -> None:
    from llmspell_cli.evaluate_report import print_total
    from llmspell_cli.tables import print_json

    if as_json:
        print_json(_data(report, comparison))
    else:
        print_total(report, comparison)


def _data(report: Report, comparison: Comparison | None) -> dict[str, Any]:
    data = report.as_data()
    return {**data, "baseline": comparison.as_data()} if comparison else data


def _write(report: Report, comparison: Comparison | None, given: dict[str, Any]) -> None:
    import json

    from llmspell_cli.evaluate_junit import evaluation_xml
    from llmspell_cli.evaluate_report import markdown
    from llmspell_cli.look import LOOK

    if given["save"]:
        data = _data(report, comparison)
        data = LOOK.redactor.value(data) if LOOK.redactor else data
        text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
        _file("--save", given["save"], f"{text}\n".encode("utf-8", "backslashreplace"))
    if given["junit"]:
        _file("--junit", given["junit"], evaluation_xml(report))
    if given["markdown"]:
        _file("--markdown", given["markdown"], markdown(report, comparison).encode())


def _file(option: str, path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise click.UsageError(f"{option} {path}: {error.strerror}") from None

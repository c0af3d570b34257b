"""`llmspell test [PATHS]`: run the tests that are written as spells."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.commands.run import complete_engine, complete_file
from llmspell_cli.helptext import Command
from llmspell_cli.options import Common, common_of, common_options
from llmspell_cli.signals import run_until_signal

if TYPE_CHECKING:
    from llmspell_bridge.spelltest.results import FileReport

#: What a file's name ends in for it to be found in a folder.
ENDINGS = ("_spell_test.lua", "_spell_test.js", "_spell_test.mjs")
_SKIPPED = {"node_modules", "__pycache__", "build", "dist"}


@click.command(
    cls=Command,
    examples=(
        "llmspell test                         all *_spell_test.lua and .js below this folder",
        "llmspell test spells -k greets        those whose name has `greets` in it",
        "llmspell test --junit results.xml",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), shell_complete=complete_file)
@click.option("-k", "match", default="", metavar="TEXT", help="Only tests with this in their name.")
@click.option("--engine", metavar="NAME", help="The script engine.", shell_complete=complete_engine)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10,
    metavar="S",
    help="The most that one test may take, seconds (10).",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many files run at a time (one a core, up to 8).",
)
@click.option(
    "--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML as well."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--record", is_flag=True, help="Record what Test.cassette would play.")
@click.option("--yes", is_flag=True, help="Approve every call that would be asked about.")
@common_options
@click.pass_context
def test(ctx: click.Context, /, paths: tuple[Path, ...], **given: Any) -> int:
    """Run tests written as spells.

    PATHS are files, or folders where their names end in `_spell_test.lua` or `_spell_test.js`.
    The exit code is 1 when a test fails.

    They have the global `Test`: `describe`, `it`, `before_each`, `expect`, `scripted_model`,
    `fake_tool`, `cassette`. State is kept in memory.
    """
    from llmspell_cli.test_report import as_data, print_file, print_total

    files = find(paths or (Path(),))
    common = common_of(ctx)
    show = None if given["as_json"] else lambda report: print_file(report, quiet=common.quiet)
    started = time.perf_counter()
    reports: list[FileReport] = run_until_signal(_run(files, common, given, show))
    took_s = time.perf_counter() - started
    if given["junit"]:
        _write_junit(given["junit"], reports)
    if given["as_json"]:
        from llmspell_cli.tables import print_json

        print_json(as_data(reports, took_s))
    else:
        print_total(reports, took_s)
    return _exit_code(reports)


def _exit_code(reports: list[FileReport]) -> int:
    """0 or 1; 3 where a file needs an engine that is not installed."""
    if any(one.error and one.error.code == "engine.unavailable" for one in reports):
        return 3
    return 0 if all(one.ok for one in reports) else 1


def find(paths: tuple[Path, ...]) -> list[Path]:
    """The files to run, in the order given and then by name; a mistake in a path is an error."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(_below(path)))
        elif path.exists():
            found[path] = None
        else:
            raise click.UsageError(f"no such file or folder: {path}")
    if not found:
        raise click.UsageError("no tests found\ntheir files end in _spell_test.lua or .js")
    return list(found)


def _below(folder: Path) -> list[Path]:
    found = []
    for where, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if one[0] != "." and one not in _SKIPPED]
        found += [Path(where) / one for one in files if one.endswith(ENDINGS)]
    return sorted(found)


async def _run(
    files: list[Path], common: Common, given: dict[str, Any], show: Any
) -> list[FileReport]:
    """Run the files side by side; each is shown once all before it are, whichever ends first."""
    from llmspell_bridge.spelltest.runner import run_file
    from llmspell_cli.approve import approver

    # Before anything runs: a mistake in the configuration is told once, not for each file.
    settings = [common.load(path, "state.backend=memory") for path in files]
    turn = asyncio.Semaphore(given["jobs"] or min(8, os.cpu_count() or 1))

    async def one(number: int) -> FileReport:
        async with turn:
            return await run_file(
                files[number],
                settings[number],
                engine=given["engine"],
                timeout_s=given["timeout"],
                match=given["match"],
                approver=approver((), yes=given["yes"]),
                recording=given["record"],
            )

    tasks = [asyncio.ensure_future(one(number)) for number in range(len(files))]
    reports = []
    try:
        for task in tasks:
            reports.append(await task)
            if show:
                show(reports[-1])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return reports


def _write_junit(path: Path, reports: list[FileReport]) -> None:
    from llmspell_cli.junit import junit_xml

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(junit_xml(reports))
    except OSError as error:
        raise click.UsageError(f"--junit {path}: {error.strerror}") from None

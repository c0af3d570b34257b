"""`llmspell doctor`: one page about this machine and installation."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from llmspell_cli.options import common_of, common_options
from llmspell_cli.report import print_json, style
from llmspell_cli.version import VERSION

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded


@click.command(epilog="Example:  llmspell doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> int:
    """Say on one page what works here and what does not, with remedies."""
    loaded = common_of(ctx).load()
    facts = [*_facts(loaded)]
    problems = [*_problems(loaded)]
    if as_json:
        print_json({"facts": dict(facts), "problems": problems})
        return 1 if problems else 0
    for name, text in facts:
        click.echo(f"{name:<14} {text}")
    for problem in problems:
        click.echo(f"{style('problem', 'red'):<14} {problem}")
    if not problems:
        click.echo("no problems found")
    return 1 if problems else 0


def _facts(loaded: Loaded) -> Iterator[tuple[str, str]]:
    from llmspell_bridge.isolation import describe
    from llmspell_core.config.directories import cache_dir, data_dir
    from llmspell_core.extensions import Extensions

    yield "llmspell", VERSION
    yield "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield "engines", ", ".join(Extensions("engines")) or "none"
    yield "providers", ", ".join(Extensions("providers")) or "none"
    yield "model", loaded.settings.default.model
    yield "tools", str(len(Extensions("tools")))
    yield "profile", loaded.settings.security.profile
    yield "isolation", ", ".join(describe())
    yield "configuration", ", ".join(map(str, loaded.files)) or "no file (defaults)"
    yield "data", str(data_dir(loaded.settings))
    yield "cache", str(cache_dir(loaded.settings))


def _problems(loaded: Loaded) -> Iterator[str]:
    from llmspell_cli.commands.engines import engine_rows
    from llmspell_core.extensions import Extensions

    rows = engine_rows()
    if not rows:
        yield "no script engine is installed: pip install 'llmspell[lua]'"
    for row in rows:
        if row["problem"]:
            yield f"engine {row['name']}: {row['problem']}"
    head = loaded.settings.default.model.partition("/")[0]
    known = {*Extensions("providers"), *loaded.settings.providers, *loaded.settings.models}
    if head not in known:
        remedy = (
            "pip install 'llmspell[local]'" if head == "local" else f"declare [providers.{head}]"
        )
        yield f"the default model needs the provider {head}: {remedy}"
    yield from loaded.warnings

"""`llmspell security`: what a script may do, the profiles, and a trial of the sandbox."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from llmspell_cli.commands.run import complete_file
from llmspell_cli.helptext import Command, Group
from llmspell_cli.look import clean, say, style
from llmspell_cli.options import common_of, common_options
from llmspell_cli.tables import print_json, print_table

#: The columns of `profiles`: the rows of `Policy.explain()["summary"]` that differ.
_COLUMNS = ("runs", "files", "network", "processes", "tools", "limits")


@click.group(
    cls=Group,
    examples=(
        "llmspell security explain spell.lua        what it may do, before it runs",
        "llmspell security profiles",
        "llmspell security selftest                 try to break out of a worker",
    ),
)
@common_options
def security() -> None:
    """Show what scripts may do, and try whether the sandbox holds."""


@security.command(
    "explain",
    cls=Command,
    examples=(
        "llmspell security explain spell.lua",
        "llmspell --profile high security explain spell.lua --json",
    ),
)
@click.argument("script", type=click.Path(path_type=Path), shell_complete=complete_file)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def explain(ctx: click.Context, script: Path, as_json: bool) -> None:
    """Say what SCRIPT may do and which file and line decides it. Runs nothing of it."""
    from llmspell_bridge.engines import read_source
    from llmspell_cli.security_page import page, policy_facts

    source = read_source(script)
    facts = policy_facts(common_of(ctx).load_telling(script), source)
    if as_json:
        print_json(facts)
        return
    for line in page(facts):
        click.echo(clean(line))


@security.command("profiles", cls=Command, examples=("llmspell security profiles [--json]",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def profiles(ctx: click.Context, as_json: bool) -> None:
    """List the profiles, the project's own included, and mark the one in force."""
    from llmspell_cli.security_page import profile_rows

    rows = profile_rows(common_of(ctx).load_telling())
    if as_json:
        print_json(rows)
        return
    for row in rows:
        mark = "  (in force)" if row["in_force"] else ""
        based = f" (from {row['base']})" if row["base"] else ""
        click.echo(clean(f"{row['name']}{based}{mark}"))
        for name in _COLUMNS:
            click.echo(clean(f"  {name:<10} {row[name]}"))


@security.command(
    "selftest",
    cls=Command,
    examples=("llmspell security selftest", "llmspell --profile high security selftest --json"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def selftest(ctx: click.Context, as_json: bool) -> int:
    """Try to break out of a real worker in every way we know.

    The exit code is 1 when an attempt succeeds. Nothing is touched but a temporary folder, a
    port of 127.0.0.1 and this process.
    """
    from llmspell_bridge import isolation
    from llmspell_bridge import selftest as trial
    from llmspell_core.security.select import profile_for

    profile = profile_for(common_of(ctx).load_telling())
    sandbox = profile.isolation == "sandbox"
    if sandbox:
        isolation.require_sandbox(profile.name)
    layers, found = asyncio.run(trial.selftest("sandbox" if sandbox else "worker"))
    escaped = [one for one in found if one.escaped]
    if as_json:
        rows: list[dict[str, Any]] = [asdict(one) for one in found]
        print_json({"ok": not escaped, "layers": layers, "attempts": rows})
        return int(bool(escaped))
    print_table([{**asdict(one), "": _mark(one.escaped)} for one in found], _SHOWN)
    say(f"layers: {', '.join(layers) or 'none'}")
    for lacking in isolation.missing_from(layers):
        say(style(f"missing here: {lacking}", "yellow"))
    say(f"{len(escaped)} of {len(found)} attempts broke out" if escaped else "none broke out")
    return int(bool(escaped))


_SHOWN = ["", "attempt", "expected", "got"]


def _mark(escaped: bool) -> str:
    return "ESCAPED" if escaped else "ok"

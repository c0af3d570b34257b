"""`llmspell plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import clean
from llmspell_cli.options import common_options
from llmspell_cli.tables import print_json

KINDS = (
    "engines", "globals", "tools", "agents", "workflows", "providers", "stores", "runners",
    "factories", "configured", "commands", "services", "hooks",
)  # fmt: skip


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=("llmspell plugins", "llmspell plugins --json"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List what the installed distributions add. Imports none of it."""
    if ctx.invoked_subcommand is None:
        _show(as_json)


@plugins.command("list", examples=("llmspell plugins list --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def list_(as_json: bool) -> None:
    """List what the installed distributions add."""
    _show(as_json)


def _show(as_json: bool) -> None:
    rows = [*_rows()]
    if as_json:
        print_json(rows)
        return
    width = max((len(row["name"]) for row in rows), default=0)
    kind = ""
    for row in rows:
        if row["kind"] != kind:
            kind = row["kind"]
            click.echo(kind)
        line = f"  {row['name']:<{width}}  {row['distribution']} {row['version']}"
        others = row.get("conflicts")
        click.echo(clean(f"{line}   also in {', '.join(others)}: none is used" if others else line))


def _rows() -> Iterator[dict[str, Any]]:
    from llmspell_core.extensions import Extensions

    for kind in KINDS:
        for one in Extensions(kind).values():
            row: dict[str, Any] = {
                "kind": kind,
                "name": one.name,
                "distribution": one.distribution,
                "version": one.version,
            }
            yield {**row, "conflicts": list(one.others)} if one.others else row

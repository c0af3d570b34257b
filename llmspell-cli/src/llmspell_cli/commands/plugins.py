"""`llmspell plugins`."""

from __future__ import annotations

import click

from llmspell_cli.options import common_options
from llmspell_cli.tables import show

KINDS = (
    "engines", "globals", "tools", "agents", "workflows", "providers", "stores", "runners",
    "factories", "commands", "services", "hooks",
)  # fmt: skip


@click.group(invoke_without_command=True, epilog="Example:  llmspell plugins --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List what the installed distributions add. Imports none of it."""
    if ctx.invoked_subcommand is None:
        show(_rows(), as_json=as_json)


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def list_(as_json: bool) -> None:
    """The same."""
    show(_rows(), as_json=as_json)


def _rows() -> list[dict[str, str]]:
    from llmspell_core.extensions import Extensions

    return [
        {
            "kind": kind,
            "name": one.name,
            "distribution": one.distribution,
            "version": one.version,
        }
        for kind in KINDS
        for one in Extensions(kind).values()
    ]

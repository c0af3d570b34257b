"""`llmspell trust`."""

from __future__ import annotations

from pathlib import Path

import click

from llmspell_cli.helptext import Command
from llmspell_cli.look import say
from llmspell_cli.options import common_options


@click.command(
    cls=Command,
    examples=("cd project && llmspell trust", "llmspell trust --remove project"),
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--list", "as_list", is_flag=True, help="List the trusted folders.")
@click.option("--remove", is_flag=True, help="Trust the folder no longer.")
@common_options
def trust(folder: Path, as_list: bool, remove: bool) -> None:
    """Let the configuration of FOLDER (here, without one) widen what spells may do.

    Without it a project's file can only tighten: read it before you trust it.
    """
    from llmspell_core.config.trust import trust_add, trust_list, trust_remove

    if as_list:
        for one in trust_list():
            click.echo(str(one))
        return
    whole = folder.resolve()
    if remove:
        removed = trust_remove(whole)
        say(f"{whole} {'is trusted no longer' if removed else 'was not trusted'}")
        return
    if not whole.is_dir():
        raise click.UsageError(f"there is no folder {folder}")
    added = trust_add(whole)
    say(f"{whole} {'is trusted now' if added else 'was trusted already'}")

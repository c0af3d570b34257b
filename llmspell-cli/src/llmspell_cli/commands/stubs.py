"""`llmspell stubs`."""

from __future__ import annotations

from pathlib import Path

import click

from llmspell_cli.helptext import Command
from llmspell_cli.options import common_options


@click.command(cls=Command, examples=("llmspell stubs", "llmspell stubs --dir types"))
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".llmspell"),
    show_default=True,
    help="Where to write them.",
)
@common_options
def stubs(folder: Path) -> None:
    """Write the stubs that editors complete and check scripts with."""
    from llmspell_bridge.manifests import compile_global, load_manifests
    from llmspell_bridge.spelltest.declared import TestGlobal
    from llmspell_bridge.stubs import write_stubs

    # Files of tests are edited as well.
    manifests = {**load_manifests(), TestGlobal.name: compile_global(TestGlobal)}
    try:
        written = write_stubs(manifests, folder)
    except OSError as error:
        raise click.UsageError(f"--dir {folder}: {error.strerror}") from None
    for path in written:
        click.echo(str(path))

"""`llmspell completion SHELL`."""

from __future__ import annotations

import click

from llmspell_cli.helptext import Command
from llmspell_cli.options import common_options

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command(
    cls=Command,
    examples=(
        'eval "$(llmspell completion bash)"                  in ~/.bashrc; zsh in ~/.zshrc',
        "llmspell completion fish | source                   in ~/.config/fish/config.fish",
        "llmspell completion powershell | Out-String | Invoke-Expression      in $PROFILE",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@common_options
def completion(shell: str) -> None:
    """Print the completion script of SHELL: bash, zsh, fish or powershell."""
    from click.shell_completion import BashComplete, get_completion_class

    from llmspell_cli.app import app

    found = get_completion_class(shell)
    if found is None:
        return
    made = found(app, {}, "llmspell", "_LLMSPELL_COMPLETE")
    if isinstance(made, BashComplete):
        # Its own `source` starts a bash to ask for the version; the script is the same.
        click.echo(made.source_template % made.source_vars(), nl=False)
    else:
        click.echo(made.source(), nl=False)

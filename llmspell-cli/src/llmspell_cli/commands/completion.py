"""`llmspell completion SHELL`."""

from __future__ import annotations

import os

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from llmspell_cli.helptext import Command
from llmspell_cli.options import common_options

SHELLS = ("bash", "zsh", "fish", "powershell")

_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_WORD = $wordToComplete
    $env:%(complete_var)s = "powershell_complete"
    %(prog_name)s | ForEach-Object {
        $kind, $value, $help = $_ -split "`t", 3
        if ($kind -eq "plain") {
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, 'ParameterValue', $help)
        }
    }
    Remove-Item Env:\\%(complete_var)s, Env:\\COMP_WORDS, Env:\\COMP_WORD
}
"""


class PowerShellComplete(ShellComplete):
    """What click does not bring; where we offer nothing PowerShell completes file names."""

    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        words = split_arg_string(os.environ.get("COMP_WORDS", ""))[1:]
        incomplete = os.environ.get("COMP_WORD", "")
        if incomplete and words and words[-1] == incomplete:
            words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type}\t{item.value}\t{item.help or ''}"


add_completion_class(PowerShellComplete)


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

"""`llmspell completion SHELL`."""

from __future__ import annotations

import click

from llmspell_cli.options import common_options

POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName llmspell -ScriptBlock {
  param($word, $ast, $position)
  $env:COMP_WORDS = $ast.ToString()
  $env:COMP_CWORD = $word
  $env:_LLMSPELL_COMPLETE = "powershell_complete"
  llmspell | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
  $env:_LLMSPELL_COMPLETE = ""
}
"""


@click.command(epilog='Example:  eval "$(llmspell completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@common_options
def completion(shell: str) -> None:
    """Print a shell's completion script."""
    from click.shell_completion import get_completion_class

    from llmspell_cli.app import app

    if shell == "powershell":
        click.echo(POWERSHELL, nl=False)
        return
    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(app, {}, "llmspell", "_LLMSPELL_COMPLETE").source())

"""The command tree. A command's module is imported when it is called, a plugin's as well."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from llmspell_cli.implicit import rewrite
from llmspell_cli.options import common_options
from llmspell_cli.version import VERSION

#: Command -> (module:attribute, one line for `--help`, which imports none of them).
COMMANDS = {
    "completion": ("completion:completion", "Print a shell's completion script."),
    "config": ("config:config", "Show and check the configuration."),
    "doctor": ("doctor:doctor", "Say on one page what works here and what does not."),
    "engines": ("engines:engines", "List the script engines."),
    "eval": ("eval:eval_", "Evaluate an expression or a piece of script."),
    "models": ("models:models", "List, fetch and remove local models."),
    "plugins": ("plugins:plugins", "List what the installed distributions add."),
    "run": ("run:run", "Run a script."),
    "stubs": ("stubs:stubs", "Write the stubs that editors complete scripts with."),
    "tool": ("tool:tool", "List, explain and call tools."),
    "trust": ("trust:trust", "Trust a project's configuration file."),
}


class LazyGroup(click.Group):
    """A group whose commands are named in a table or by entry points, and imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from llmspell_core.extensions import Extensions

        return sorted({*COMMANDS, *Extensions("commands")})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            found = getattr(importlib.import_module(f"llmspell_cli.commands.{module}"), attribute)
            return found if isinstance(found, click.Command) else None
        from llmspell_core.extensions import Extensions

        extension = Extensions("commands").get(cmd_name)
        if extension is None:
            return None
        from llmspell_cli.plugin_commands import PluginCommand

        return PluginCommand(extension)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from llmspell_core.errors import did_you_mean

            near = did_you_mean(name, self.list_commands(ctx))
            hint = f" {near}" if near else ""
            raise click.UsageError(
                f'no such command "{name}".{hint}\n'
                "A script is named by its extension or with a slash: llmspell ./script",
                ctx,
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from llmspell_core.extensions import Extensions

        rows = [(name, text) for name, (_, text) in sorted(COMMANDS.items())]
        rows += [(one.name, one.summary) for one in Extensions("commands").values()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Examples:  llmspell spell.lua  |  llmspell eval 'return 6*7'  |  llmspell tool list",
)
@click.version_option(VERSION, "-V", "--version", message="llmspell %(version)s")
@common_options
@click.pass_context
def app(ctx: click.Context, /, **_: Any) -> None:
    """Run spells: Lua and JavaScript scripts that drive LLM agents, tools and workflows.

    `llmspell SCRIPT [ARGS]` is the same as `llmspell run SCRIPT [ARGS]`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: list[str]) -> int:
    """Run the command line; every error becomes one short report and its exit code."""
    from llmspell_core.errors import LLMSpellError

    try:
        result = app.main(rewrite(arguments), prog_name="llmspell", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leave:
        return int(leave.exit_code)
    except click.ClickException as error:
        _usage_error(error)
        return 2
    except LLMSpellError as error:
        from llmspell_cli.report import exit_code, show_error

        show_error(error)
        return exit_code(error)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        _quiet_stdout()
        return 0
    except Exception as error:  # noqa: BLE001 - a bug of ours or of a plugin, still no traceback
        from llmspell_cli.report import show_bug

        show_bug(error)
        return 1
    return result if isinstance(result, int) else 0


def _usage_error(error: click.ClickException) -> None:
    from llmspell_cli.report import style

    context = getattr(error, "ctx", None)
    click.echo(f"{style('error:', 'red')} {error.format_message()}", err=True)
    if isinstance(context, click.Context):
        click.echo(f"  try: {context.command_path} --help", err=True)


def _quiet_stdout() -> None:
    # The interpreter flushes stdout at exit: the pipe that nobody reads must not be told again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

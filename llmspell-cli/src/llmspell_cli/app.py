"""The command tree. A command's module is imported when it is called, a plugin's as well."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from llmspell_cli.ending import quiet_stdout, tolerant_streams
from llmspell_cli.helptext import Group
from llmspell_cli.implicit import rewrite
from llmspell_cli.options import common_options
from llmspell_cli.version import VERSION

#: Command -> (module:attribute, one line for `--help`, which imports none of them).
COMMANDS = {
    "agent": ("agent:agent", "List, explain, check and run agents and templates."),
    "chat": ("chat:chat", "Talk with a model or an agent in the terminal."),
    "completion": ("completion:completion", "Print a shell's completion script."),
    "config": ("config:config", "Show and check the configuration."),
    "doctor": ("doctor:doctor", "Say on one page what works here and what does not."),
    "engines": ("engines:engines", "List the script engines."),
    "evaluate": ("evaluate:evaluate", "Run the cases of a suite and say how often they pass."),
    "eval": ("eval:eval_", "Evaluate an expression or a piece of script."),
    "generate": ("generate:generate", "Write a tool, agent, engine, provider or command."),
    "models": ("models:models", "List, fetch and remove local models."),
    "modules": ("modules:modules", "Pin the modules that scripts may load, and check them."),
    "plugins": ("plugins:plugins", "List what distributions add, and what of it is broken."),
    "providers": ("providers:providers", "List the model providers, and try one."),
    "run": ("run:run", "Run a script."),
    "security": ("security:security", "Show what scripts may do, and try the sandbox."),
    "session": ("session:session", "List, show and delete kept conversations."),
    "stubs": ("stubs:stubs", "Write the stubs that editors complete scripts with."),
    "test": ("test:test", "Run tests that are written as spells."),
    "tool": ("tool:tool", "List, explain and call tools."),
    "trust": ("trust:trust", "Trust a project's configuration file."),
}


class LazyGroup(Group):
    """A group whose commands are named in a table or by entry points, and imported when used."""

    everywhere = ""

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

    def unknown(self, ctx: click.Context, name: str) -> str:
        from llmspell_core.errors import did_you_mean

        near = did_you_mean(name, self.list_commands(ctx))
        script = "a script is named by its extension or with a slash: llmspell ./script"
        return "\n".join([f'no such command "{name}"', *([near] if near else []), script])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["[OPTIONS] COMMAND | SCRIPT [ARGS]..."]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from llmspell_core.extensions import Extensions

        rows = [(name, text) for name, (_, text) in sorted(COMMANDS.items())]
        others = Extensions("commands").values()
        rows += [(one.name, one.summary) for one in others if one.name not in COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Commands first: most who ask for help look for one.
        self.format_commands(ctx, formatter)
        rows = [one.get_help_record(ctx) for one in self.get_params(ctx)]
        with formatter.section("Options, before or after a command"):
            formatter.write_dl([row for row in rows if row])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        rows = [(name, text) for name, (_, text) in sorted(COMMANDS.items())]
        found: list[Any] = [
            CompletionItem(name, help=text) for name, text in rows if name.startswith(incomplete)
        ]
        if incomplete.startswith("-"):
            return [*found, *click.Command.shell_complete(self, ctx, incomplete)]
        # Nothing of ours: the name of a script.
        return found or [CompletionItem(incomplete, type="file")]


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples=(
        "llmspell spell.lua                  run a script, as llmspell run spell.lua",
        "llmspell tool run calculator --param input='6*7'",
        "llmspell COMMAND --help             more about one command",
    ),
)
@click.version_option(VERSION, "-V", "--version", message="llmspell %(version)s")
@common_options
@click.pass_context
def app(ctx: click.Context, /, **_: Any) -> None:
    """Run spells: small scripts that drive LLM agents, tools and workflows."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: list[str]) -> int:
    """Run the command line; every error becomes one short report and its exit code."""
    if "--debug" in arguments[:1]:
        from llmspell_cli.look import LOOK

        LOOK.debug = True
    tolerant_streams()
    try:
        return _answer(arguments)
    except BrokenPipeError:
        quiet_stdout()
        return 0


def _answer(arguments: list[str]) -> int:
    from llmspell_core.errors import LLMSpellError

    try:
        result = app.main(rewrite(arguments), prog_name="llmspell", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return int(leaving.exit_code)
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
        raise
    except Exception as error:  # noqa: BLE001 - a bug of ours or of a plugin, still no traceback
        from llmspell_cli.report import show_bug

        show_bug(error)
        return 1
    return result if isinstance(result, int) else 0


def _usage_error(error: click.ClickException) -> None:
    from llmspell_cli.look import say
    from llmspell_cli.report import format_error
    from llmspell_core.errors import LLMSpellError

    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.format_message())
        return
    message, *more = error.format_message().splitlines() or ["wrong usage"]
    if isinstance(context, click.Context):
        more.append(f"try: {context.command_path} --help")
    # As all our messages: no capital letter, no full stop.
    message = (message[0].lower() + message[1:]).removesuffix(".")
    say(format_error(LLMSpellError(message, code="input.usage", hint="\n".join(more))))

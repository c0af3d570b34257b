"""`llmspell run SCRIPT [ARGS]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from llmspell_cli.execute import RunOptions, execute
from llmspell_cli.helptext import Command
from llmspell_cli.implicit import IMPLICIT
from llmspell_cli.options import cassette_options, common_of, common_options
from llmspell_cli.script_args import parse_params, split_arguments

#: Dangerous to miss: `llmspell run x.lua --profile high` must not run under another profile.
_REFUSED_AFTER = ("--profile", "--set", "--config", "--engine")


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete a file name."""
    return [CompletionItem(incomplete, type="file")]


def complete_engine(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The installed engines."""
    from llmspell_core.extensions import extension_names

    return [name for name in extension_names("engines") if name.startswith(incomplete)]


@click.command(
    cls=Command,
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    examples=(
        "llmspell run spell.lua notes.txt --city Oslo        args[1], args.city",
        "llmspell run --param city=Oslo --timeout 60 spell.lua",
        "echo 'print(6*7)' | llmspell run -",
    ),
)
@click.argument("script", metavar="SCRIPT", shell_complete=complete_file)
@click.argument("args", nargs=-1, type=click.UNPROCESSED, shell_complete=complete_file)
@click.option("--param", "params", multiple=True, metavar="K=V", help="A named argument.")
@click.option(
    "--params-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Named arguments as a JSON object.",
)
@click.option("--engine", metavar="NAME", help="The script engine.", shell_complete=complete_engine)
@click.option("--model", metavar="NAME", help="The default model, as provider/model.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="S", help="Deadline, seconds.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON envelope; what the script prints goes to stderr.",
)
@click.option(
    "--jsonl",
    "as_jsonl",
    is_flag=True,
    help="Print events as JSON lines, the envelope as the last one.",
)
@click.option("--stats", is_flag=True, help="Print tokens, cost, time and memory on stderr.")
@click.option("--watch", is_flag=True, help="Run again whenever the script changes.")
@click.option(
    "--audit-log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Record each decision of the security policy, as JSON lines.",
)
@cassette_options
@click.option("--approve", multiple=True, metavar="NAME", help="Approve this tool's calls.")
@click.option("--yes", is_flag=True, help="Approve every call that would be asked about.")
@click.option(IMPLICIT, "implicit", is_flag=True, hidden=True)
@common_options
@click.pass_context
def run(ctx: click.Context, /, script: str, args: tuple[str, ...], **given: Any) -> int:
    """Run SCRIPT, a file or `-` for standard input. ARGS are the script's.

    What a script returns is its exit code (a whole number up to 255, true, false) or is printed.
    """
    words = list(args) if given["implicit"] else _without_dangerous(list(args))
    positional, named = split_arguments(words)
    options = RunOptions(
        engine=given["engine"],
        args=positional,
        params={**parse_params(given["params"], given["params_file"]), **named},
        model=given["model"],
        timeout_s=given["timeout"],
        as_json=given["as_json"],
        as_jsonl=given["as_jsonl"],
        stats=given["stats"],
        approve=given["approve"],
        yes=given["yes"],
        stdin_used=script == "-",
    )
    common = common_of(ctx)
    if given["audit_log"]:
        # Settings resolve paths from the file that names them; the command line from here.
        common.overrides.append(f"security.audit_log={given['audit_log'].absolute()}")
    if not given["watch"]:
        return execute(lambda: _source(script), common, options)
    if script == "-":
        raise click.UsageError("--watch needs a file: standard input cannot be watched")
    from llmspell_cli.watch import run_again

    return run_again(Path(script), lambda: execute(lambda: _source(script), common, options))


def _source(script: str) -> Any:
    from llmspell_bridge.engines import ScriptSource, decode_source, read_source

    if script == "-":
        return ScriptSource(decode_source(sys.stdin.buffer.read(), "stdin"), "stdin")
    return read_source(Path(script))


def _without_dangerous(words: list[str]) -> list[str]:
    """The words as they are; an option that would be dangerous to miss is refused.

    The first `--` says that what follows is meant for the script.
    """
    for index, word in enumerate(words):
        if word == "--":
            return [*words[:index], *words[index + 1 :]]
        name = word.partition("=")[0]
        if name in _REFUSED_AFTER:
            raise click.UsageError(
                f"{name} stands after the script, where it would be the script's own\n"
                f"put it before the script:  llmspell run {name} ... SCRIPT\n"
                f"or pass it on to the script after --:  llmspell run SCRIPT -- {name} ..."
            )
    return words

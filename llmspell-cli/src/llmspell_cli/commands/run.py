"""`llmspell run SCRIPT [ARGS]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from llmspell_cli.execute import RunOptions, execute
from llmspell_cli.implicit import IMPLICIT
from llmspell_cli.options import common_of, common_options
from llmspell_cli.script_args import parse_params, split_arguments

#: Dangerous to miss: `llmspell run x.lua --profile high` must not run under another profile.
_REFUSED_AFTER = ("--profile", "--set", "--config", "--engine")


@click.command(
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
    epilog="Example:  llmspell run --param city=Oslo --timeout 60 spell.lua notes.txt",
)
@click.argument("script", metavar="SCRIPT")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--param", "params", multiple=True, metavar="K=V", help="A named argument.")
@click.option("--params-file", type=click.Path(path_type=Path), help="Named arguments as JSON.")
@click.option("--engine", metavar="NAME", help="The script engine.")
@click.option("--model", metavar="NAME", help="The default model, as provider/model.")
@click.option("--timeout", type=click.FloatRange(min=0), metavar="S", help="Deadline, seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON envelope.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print events as JSON lines.")
@click.option("--stats", is_flag=True, help="Print tokens, cost, time and memory on stderr.")
@click.option("--watch", is_flag=True, help="Run again whenever the script changes.")
@click.option(
    "--audit-log", type=click.Path(path_type=Path), metavar="FILE", help="Record each decision."
)
@click.option("--approve", multiple=True, metavar="NAME", help="Approve this tool's calls.")
@click.option("--yes", is_flag=True, help="Approve every call that would be asked about.")
@click.option(IMPLICIT, "implicit", is_flag=True, hidden=True)
@common_options
@click.pass_context
def run(ctx: click.Context, /, script: str, args: tuple[str, ...], **given: Any) -> int:
    """Run SCRIPT, a file or `-` for standard input. ARGS are the script's.

    What a script returns is its exit code (an integer 0-255, true, false) or its output.
    """
    words = list(args)
    if not given["implicit"]:
        _refuse_dangerous(words)
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
        common.overrides.append(f"security.audit_log={given['audit_log']}")
    if given["watch"]:
        from llmspell_cli.watch import run_again

        return run_again(Path(script), lambda: execute(_source(script), common, options))
    return execute(_source(script), common, options)


def _source(script: str) -> Any:
    from llmspell_bridge.engines import ScriptSource, decode_source, read_source

    if script == "-":
        return ScriptSource(decode_source(sys.stdin.buffer.read(), "stdin"), "stdin")
    return read_source(Path(script))


def _refuse_dangerous(words: list[str]) -> None:
    for word in words:
        if word == "--":
            words.remove("--")
            return
        name = word.partition("=")[0]
        if name in _REFUSED_AFTER:
            raise click.UsageError(
                f"{name} stands after the script, where it would be the script's own.\n"
                f"  Put it before the script:  llmspell run {name} ... SCRIPT\n"
                f"  or pass it on to the script after --:  llmspell run SCRIPT -- {name} ..."
            )

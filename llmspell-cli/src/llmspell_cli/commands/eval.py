"""`llmspell eval SOURCE`."""

from __future__ import annotations

from typing import Any

import click

from llmspell_cli.execute import RunOptions, execute
from llmspell_cli.helptext import Command
from llmspell_cli.options import cassette_options, common_of, common_options


@click.command(
    "eval",
    cls=Command,
    examples=(
        "llmspell eval 'return 6*7'",
        "echo '[3, 4]' | llmspell eval 'stdin.json()[2]'",
    ),
)
@click.argument("source")
@click.option("--engine", metavar="NAME", help="The script engine.")
@click.option("--model", metavar="NAME", help="The default model, as provider/model.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), metavar="S", help="Deadline, seconds."
)
@cassette_options
@click.option("--approve", multiple=True, metavar="NAME", help="Approve this tool's calls.")
@click.option("--yes", is_flag=True, help="Approve every call that would be asked about.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON envelope.")
@click.option("--stats", is_flag=True, help="Print tokens, cost, time and memory on stderr.")
@common_options
@click.pass_context
def eval_(ctx: click.Context, /, source: str, **given: Any) -> int:
    """Evaluate SOURCE and print its value: a text as it is, anything else as JSON."""
    from llmspell_bridge.engines import ScriptSource

    options = RunOptions(mode="eval", **given)
    return execute(lambda: ScriptSource(source, "eval"), common_of(ctx), options)

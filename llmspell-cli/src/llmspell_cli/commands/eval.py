"""`llmspell eval SOURCE`."""

from __future__ import annotations

from typing import Any

import click

from llmspell_cli.execute import RunOptions, execute
from llmspell_cli.options import common_of, common_options


@click.command("eval", epilog="Example:  llmspell eval 'return 6*7'")
@click.argument("source")
@click.option("--engine", metavar="NAME", help="The script engine.")
@click.option("--model", metavar="NAME", help="The default model, as provider/model.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), metavar="S", help="Deadline, seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON envelope.")
@click.option("--stats", is_flag=True, help="Print tokens, cost, time and memory on stderr.")
@common_options
@click.pass_context
def eval_(ctx: click.Context, /, source: str, **given: Any) -> int:
    """Evaluate SOURCE and print its values, tables as JSON."""
    from llmspell_bridge.engines import ScriptSource

    options = RunOptions(mode="eval", **given)
    return execute(ScriptSource(source, "eval"), common_of(ctx), options)

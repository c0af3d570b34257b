"""`llmspell engines`."""

from __future__ import annotations

from typing import Any

import click

from llmspell_cli.options import common_options
from llmspell_cli.tables import show


@click.command(epilog="Example:  llmspell engines")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def engines(as_json: bool) -> None:
    """List the script engines: language, async style, limits, where they run."""
    rows = engine_rows()
    if not rows and not as_json:
        click.echo("no script engine: pip install 'llmspell[lua]'", err=True)
    show(rows, as_json=as_json)


def engine_rows() -> list[dict[str, Any]]:
    """One row an installed engine."""
    from llmspell_core.extensions import Extensions

    rows = []
    for extension in Extensions("engines").values():
        made = extension.load()
        engine = made() if isinstance(made, type) else made
        info = engine.info
        rows.append(
            {
                "name": info.name,
                "level": info.level,
                "extensions": list(info.extensions),
                "async": info.async_style,
                "limits": list(info.limits),
                "runs": "worker, in process" if info.in_process else "worker",
                "problem": engine.available() or "",
            }
        )
    return rows

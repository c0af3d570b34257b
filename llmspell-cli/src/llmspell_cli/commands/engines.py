"""`llmspell engines`."""

from __future__ import annotations

from typing import Any

import click

from llmspell_cli.helptext import Command
from llmspell_cli.look import say
from llmspell_cli.options import common_options
from llmspell_cli.tables import show


@click.command(cls=Command, examples=("llmspell engines", "llmspell engines --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def engines(as_json: bool) -> None:
    """List the script engines: version, extensions, async style, limits, where they run."""
    rows = engine_rows()
    if not rows and not as_json:
        say("no script engine: pip install 'llmspell[lua]'")
    show(rows, as_json=as_json)


def engine_rows() -> list[dict[str, Any]]:
    """One row an installed engine; a broken one has its `problem`."""
    from llmspell_core.errors import ExtensionError
    from llmspell_core.extensions import Extensions

    rows = []
    for extension in Extensions("engines").values():
        try:
            rows.append(_row(extension.load()))
        except ExtensionError as error:
            rows.append(_no_row(extension.name, error.message))
    return rows


def _row(made: Any) -> dict[str, Any]:
    engine = made() if isinstance(made, type) else made
    info = engine.info
    return {
        "name": info.name,
        "level": info.level,
        "extensions": list(info.extensions),
        "async": info.async_style,
        "limits": list(info.limits),
        "runs": "worker, in process" if info.in_process else "worker",
        "problem": engine.available() or "",
    }


def _no_row(name: str, problem: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"level": "", "extensions": [], "async": "", "limits": [], "runs": ""}
    return {"name": name, **empty, "problem": problem}

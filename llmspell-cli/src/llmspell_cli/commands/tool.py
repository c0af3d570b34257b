"""`llmspell tool list | info | run | search`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import clean, say
from llmspell_cli.options import Common, common_of, common_options
from llmspell_cli.script_args import parse_params, typed_params
from llmspell_cli.signals import run_until_signal
from llmspell_cli.tables import print_json, show
from llmspell_cli.tool_page import details, print_page, row_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmspell_core.runtime import Runtime
    from llmspell_core.tool import Tool


@click.group(
    cls=Group,
    examples=(
        "llmspell tool list --category util",
        "llmspell tool info hash-calculator",
        "llmspell tool run calculator --param input='6*7'",
    ),
)
@common_options
def tool() -> None:
    """List, explain and call tools."""


def complete_tool(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The installed tools' names."""
    from llmspell_core.extensions import extension_names

    return [name for name in extension_names("tools") if name.startswith(incomplete)]


def _with_runtime(
    common: Common, work: Callable[[Runtime], Awaitable[Any]], *more: str, **options: Any
) -> Any:
    """What `work` gives in a Runtime with tools, and with `more` kinds of components."""
    from llmspell_core.lifecycle import SelectiveInit
    from llmspell_core.runtime import Runtime

    async def main() -> Any:
        made = Runtime(common.load(), init=SelectiveInit.custom("tools", *more), **options)
        common.log_for(made)
        async with made as runtime:
            return await work(runtime)

    return run_until_signal(main())


def _rows(common: Common) -> list[dict[str, Any]]:
    """A row for every tool; one that does not load is named in a warning and left out."""

    async def work(runtime: Runtime) -> list[dict[str, Any]]:
        from llmspell_core.tool_cards import cards

        def left_out(name: str, error: Exception) -> None:
            say(clean(f"warning: {name} is left out: {error}"))

        return [row_of(one, source) for one, source in cards(runtime.base.tools, left_out)]

    rows: list[dict[str, Any]] = _with_runtime(common, work)
    return rows


@tool.command("list", examples=("llmspell tool list --category util",))
@click.option("--category", metavar="NAME", help="Only this category.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, category: str | None, as_json: bool) -> None:
    """List the tools."""
    rows = _rows(common_of(ctx))
    known = sorted({row["category"] for row in rows})
    if category is not None and category not in known:
        raise click.UsageError(f'there is no category "{category}"\none of {", ".join(known)}')
    _show([row for row in rows if category in (None, row["category"])], as_json=as_json)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """The tools that work here, then those that an extra would add."""
    if as_json:
        print_json(rows)
        return
    columns = ["name", "category", "level", "description"]
    show([row for row in rows if not row["needs"]], as_json=False, columns=columns)
    extras: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["needs"]:
            extras.setdefault(row["needs"], []).append(row)
    for extra, more in sorted(extras.items()):
        click.echo(f"\nwith pip install '{extra}':")
        show(more, as_json=False, columns=columns)


@tool.command(examples=("llmspell tool search json",))
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def search(ctx: click.Context, query: str, as_json: bool) -> None:
    """List the tools whose name, category or description has every word of QUERY."""
    words = query.lower().split()
    rows = [
        row
        for row in _rows(common_of(ctx))
        if all(word in " ".join(map(str, row.values())).lower() for word in words)
    ]
    if not rows and not as_json:
        say("nothing found; all tools: llmspell tool list")
    _show(rows, as_json=as_json)


@tool.command(examples=("llmspell tool info hash-calculator",))
@click.argument("name", shell_complete=complete_tool)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def info(ctx: click.Context, name: str, as_json: bool) -> None:
    """Explain a tool: its parameters with types and defaults, examples, permissions."""

    async def work(runtime: Runtime) -> tuple[Tool, str]:
        found = runtime.base.tools.get(name)
        entry = runtime.base.tools.entry(name)
        return found, entry.source if entry else ""

    found, source = _with_runtime(common_of(ctx), work)
    if as_json:
        print_json(details(found, source))
    else:
        print_page(found, source)


@tool.command(
    "run",
    examples=(
        "llmspell tool run hash-calculator --param input=abc",
        "llmspell tool run json-processor --param input='{\"a\":1}' --param query=.a",
    ),
)
@click.argument("name", shell_complete=complete_tool)
@click.option("--param", "params", multiple=True, metavar="K=V", help="A parameter.")
@click.option(
    "--params-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parameters as a JSON object.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@click.option("--stats", is_flag=True, help="Print how long it took, on stderr.")
@click.option("--yes", is_flag=True, help="Approve a call that would be asked about.")
@common_options
@click.pass_context
def run_tool(ctx: click.Context, /, name: str, **options: Any) -> None:
    """Call a tool and print its output."""
    from llmspell_cli.approve import approver

    given = parse_params(options["params"], options["params_file"])
    started = time.perf_counter()

    async def work(runtime: Runtime) -> Any:
        found = runtime.base.tools.get(name)
        ctx = runtime.context(overlay=runtime.base.child())
        return await found.call(typed_params(given, found.schema()), ctx)

    # Some tools ask a model.
    asking = approver((), yes=options["yes"])
    result = _with_runtime(common_of(ctx), work, "providers", approver=asking)
    if options["as_json"]:
        print_json(result.to_dict())
    else:
        click.echo(result.text)
    if options["stats"]:
        whole = (time.perf_counter() - started) * 1000
        took = result.metadata.get("execution_time_ms", 0)
        say(f"time  {took:.1f} ms, {whole:.0f} ms in all")

"""`llmspell tool list | info | run | search`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.execute import run_until_signal
from llmspell_cli.options import Common, common_of, common_options
from llmspell_cli.report import print_json
from llmspell_cli.script_args import parse_params, typed_params
from llmspell_cli.tables import show

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmspell_core.runtime import Runtime
    from llmspell_core.tool import Tool


@click.group(epilog="Example:  llmspell tool run calculator --param input='6*7'")
def tool() -> None:
    """List, explain and call tools."""


def _with_runtime(common: Common, work: Callable[[Runtime], Awaitable[Any]], **options: Any) -> Any:
    from llmspell_core import lifecycle
    from llmspell_core.runtime import Runtime

    async def main() -> Any:
        made = Runtime(common.load(), init=lifecycle.TOOLS_ONLY, **options)
        common.log_for(made)
        async with made as runtime:
            return await work(runtime)

    return run_until_signal(main())


def _row(one: Tool) -> dict[str, Any]:
    return {
        "name": one.name,
        "category": one.category,
        "level": one.security_level,
        "description": one.description.splitlines()[0] if one.description else "",
    }


@tool.command("list")
@click.option("--category", help="Only this category.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, category: str | None, as_json: bool) -> None:
    """List the tools."""

    async def work(runtime: Runtime) -> list[dict[str, Any]]:
        tools = [runtime.base.tools.get(name) for name in runtime.base.tools.names()]
        return [_row(one) for one in tools if category in (None, one.category)]

    show(_with_runtime(common_of(ctx), work), as_json=as_json)


@tool.command()
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def search(ctx: click.Context, query: str, as_json: bool) -> None:
    """List the tools whose name, category or description has QUERY."""
    wanted = query.lower()

    async def work(runtime: Runtime) -> list[dict[str, Any]]:
        rows = [_row(runtime.base.tools.get(name)) for name in runtime.base.tools.names()]
        return [row for row in rows if wanted in " ".join(map(str, row.values())).lower()]

    show(_with_runtime(common_of(ctx), work), as_json=as_json)


@tool.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def info(ctx: click.Context, name: str, as_json: bool) -> None:
    """Explain a tool: its parameters with types and defaults, examples, permissions."""

    async def work(runtime: Runtime) -> Tool:
        return runtime.base.tools.get(name)

    found: Tool = _with_runtime(common_of(ctx), work)
    if as_json:
        print_json(_details(found))
        return
    click.echo(f"{found.name}  {found.category}, {found.security_level}")
    click.echo(found.description)
    click.echo()
    _show_parameters(found.schema())
    for label, text in _marks(found):
        click.echo(f"{label:<12} {text}")
    for params, note in found.examples[:3]:
        words = " ".join(f"--param {key}={_quote(value)}" for key, value in params.items())
        click.echo(f"example      llmspell tool run {found.name} {words}   # {note}")


def _details(found: Tool) -> dict[str, Any]:
    return {
        **_row(found),
        "version": found.version,
        "aliases": list(found.aliases),
        "schema": found.schema(),
        "permissions": dict(_marks(found)),
        "timeout_ms": found.timeout_ms,
        "examples": [params for params, _ in found.examples],
    }


def _marks(found: Tool) -> list[tuple[str, str]]:
    rows = [
        (name, str(value))
        for name in ("files", "network", "processes", "environment")
        if (value := getattr(found.permissions, name))
    ]
    for mark in ("destructive", "open_world", "sequential", "requires_approval"):
        rows += [(mark, "yes")] if getattr(found, mark) else []
    return rows


def _show_parameters(schema: dict[str, Any]) -> None:
    required = schema.get("required", [])
    rows = []
    for name, spec in schema.get("properties", {}).items():
        default = spec.get("default")
        note = "required" if name in required else ("" if default is None else f"= {default}")
        rows.append((name, _type_text(spec), note, spec.get("description", "")))
    widths = [max((len(str(row[i])) for row in rows), default=0) for i in range(3)]
    for row in rows:
        start = "  ".join(f"{text!s:<{w}}" for text, w in zip(row[:3], widths, strict=True))
        click.echo(f"  {start}  {row[3]}".rstrip())
    click.echo()


def _type_text(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return "|".join(str(one) for one in spec["enum"])
    if "anyOf" in spec:
        return "|".join(dict.fromkeys(_type_text(one) for one in spec["anyOf"]))
    kind = spec.get("type", "any")
    if kind == "array":
        return f"{_type_text(spec.get('items', {}))}[]"
    return str(kind)


def _quote(value: Any) -> str:
    import json
    import shlex

    return shlex.quote(value if isinstance(value, str) else json.dumps(value))


@tool.command("run")
@click.argument("name")
@click.option("--param", "params", multiple=True, metavar="K=V", help="A parameter.")
@click.option("--params-file", type=click.Path(path_type=Path), help="Parameters as JSON.")
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

    result = _with_runtime(common_of(ctx), work, approver=approver((), yes=options["yes"]))
    if options["as_json"]:
        print_json(result.to_dict())
    else:
        click.echo(result.text)
    if options["stats"]:
        whole = (time.perf_counter() - started) * 1000
        click.echo(
            f"time  {result.metadata.get('execution_time_ms', 0):.1f} ms, {whole:.0f} ms in all",
            err=True,
        )

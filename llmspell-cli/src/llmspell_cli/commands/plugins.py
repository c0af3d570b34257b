"""`llmspell plugins`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import clean, style
from llmspell_cli.options import common_options
from llmspell_cli.tables import print_json

if TYPE_CHECKING:
    from llmspell_cli.plugin_doctor import Diagnosis
    from llmspell_core.extensions import Extension

KINDS = (
    "engines", "globals", "tools", "agents", "workflows", "providers", "stores", "runners",
    "factories", "configured", "schemas", "commands", "services", "hooks",
)  # fmt: skip


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=("llmspell plugins", "llmspell plugins info shout", "llmspell plugins doctor"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List what the installed distributions add, and look for what is broken."""
    if ctx.invoked_subcommand is None:
        _show(as_json)


@plugins.command("list", examples=("llmspell plugins list --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def list_(as_json: bool) -> None:
    """List what the installed distributions add."""
    _show(as_json)


@plugins.command(examples=("llmspell plugins info llmspell-shout", "llmspell plugins info shout"))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def info(name: str, as_json: bool) -> None:
    """Say what a distribution adds, and from where. Imports none of it."""
    from llmspell_cli.plugin_doctor import find

    data = _info(find(name))
    if as_json:
        print_json(data)
        return
    click.echo(clean(f"{data['distribution']} {data['version']}"))
    if data["summary"]:
        click.echo(clean(f"  {data['summary']}"))
    for label in ("license", "requires", "extras"):
        if data[label]:
            text = data[label] if isinstance(data[label], str) else ", ".join(data[label])
            click.echo(clean(f"  {label:<9} {text}"))
    width, kinds = (max(len(row[key]) for row in data["adds"]) for key in ("name", "kind"))
    for row in data["adds"]:
        note = f"   {row['note']}" if row["note"] else ""
        line = f"  {row['kind']:<{kinds}}  {row['name']:<{width}}  {row['target']}{note}"
        click.echo(clean(line.rstrip()))


@plugins.command(
    examples=(
        "llmspell plugins doctor                     all but those of llmspell itself",
        "llmspell plugins doctor llmspell-shout",
        "llmspell plugins doctor --all --json",
    )
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Those of llmspell itself as well.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10,
    metavar="S",
    help="The most that one import may take, seconds (10).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
def doctor(names: tuple[str, ...], everything: bool, timeout: float, as_json: bool) -> int:
    """Say which plugins are broken, and why.

    Each distribution is imported in a process of its own: it may raise, hang or end it. The exit
    code is 1 when something is wrong.
    """
    from llmspell_cli.plugin_doctor import diagnose, distributions, find
    from llmspell_core.extensions import BUILT_IN

    chosen = [find(name) for name in names]
    if not chosen:
        chosen = [one for one in distributions() if everything or one not in BUILT_IN]
    found = []
    for one in diagnose(chosen, timeout):
        found.append(one)
        if not as_json:
            _print_diagnosis(one)
    if as_json:
        print_json([_as_data(one) for one in found])
    elif not found:
        click.echo("no plugins are installed beside those of llmspell itself")
    return int(any(one.findings for one in found))


def _print_diagnosis(one: Diagnosis) -> None:
    things = "1 extension" if one.count == 1 else f"{one.count} extensions"
    mark = style(
        "problem" if one.findings else "fine", "red" if one.findings else "green", sys.stdout
    )
    click.echo(f"{mark:<7}  {clean(f'{one.distribution} {one.version}'.strip())}  {things}")
    for found in one.findings:
        where = f"{found.kind.removesuffix('s')} {found.name}: " if found.kind else ""
        click.echo(clean(f"         {where}{found.problem}"))
        if found.remedy:
            click.echo(clean(f"           {found.remedy}"))


def _as_data(one: Diagnosis) -> dict[str, Any]:
    rows = [
        {"kind": f.kind, "name": f.name, "problem": f.problem, "remedy": f.remedy}
        for f in one.findings
    ]
    return {
        "distribution": one.distribution,
        "version": one.version,
        "extensions": one.count,
        "problems": rows,
    }


def _info(distribution: str) -> dict[str, Any]:
    from importlib_metadata import PackageNotFoundError, metadata

    from llmspell_core.plugin_check import extensions_of

    adds = [
        {
            "kind": one.kind,
            "name": one.name,
            "target": one.target if one.distribution == distribution else "",
            "note": _note(one, distribution),
        }
        for one in extensions_of(distribution)
    ]
    found: Any = {}
    with contextlib.suppress(PackageNotFoundError):
        found = metadata(distribution)
    needs = (found.get_all("Requires-Dist") or []) if found else []
    return {
        "distribution": distribution,
        "version": found.get("Version", ""),
        "summary": found.get("Summary", ""),
        "license": found.get("License-Expression") or found.get("License") or "",
        "requires": [one for one in needs if "extra ==" not in one],
        "extras": (found.get_all("Provides-Extra") or []) if found else [],
        "adds": adds,
    }


def _note(one: Extension, distribution: str) -> str:
    if distribution in one.hidden:
        return f"not used: {one.distribution} has one of this name"
    if one.others:
        both = [name for name in (one.distribution, *one.others) if name != distribution]
        return f"also in {', '.join(both)}: none is used"
    return ""


def _show(as_json: bool) -> None:
    rows = [*_rows()]
    if as_json:
        print_json(rows)
        return
    width = max((len(row["name"]) for row in rows), default=0)
    kind = ""
    for row in rows:
        if row["kind"] != kind:
            kind = row["kind"]
            click.echo(kind)
        line = f"  {row['name']:<{width}}  {row['distribution']} {row['version']}"
        others = row.get("conflicts")
        if others:
            line = f"{line}   also in {', '.join(others)}: none is used"
        elif hidden := row.get("hidden"):
            line = f"{line}   that of {', '.join(hidden)} is not used"
        click.echo(clean(line))


def _rows() -> Iterator[dict[str, Any]]:
    from llmspell_core.extensions import Extensions

    for kind in KINDS:
        for one in Extensions(kind).values():
            row: dict[str, Any] = {
                "kind": kind,
                "name": one.name,
                "distribution": one.distribution,
                "version": one.version,
            }
            if one.others:
                row["conflicts"] = list(one.others)
            if one.hidden:
                row["hidden"] = list(one.hidden)
            yield row

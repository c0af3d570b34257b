"""`llmspell modules pin | verify | list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import clean, say
from llmspell_cli.options import common_of, common_options
from llmspell_cli.tables import show

if TYPE_CHECKING:
    from llmspell_bridge.modules.pinning import ModulePins
    from llmspell_core.security.module_pins import Pin


@click.group(
    cls=Group,
    examples=(
        "llmspell modules pin lib.util",
        "llmspell modules pin node_modules/lodash-es",
        "llmspell modules verify",
    ),
)
@common_options
def modules() -> None:
    """Pin the modules that scripts may load, and check them."""


def _pins(ctx: click.Context) -> ModulePins:
    from llmspell_bridge.modules.pinning import ModulePins

    found = ModulePins(common_of(ctx).load())
    for warning in found.warnings:
        say(clean(warning))
    return found


def _print(rows: list[tuple[Pin, str]], *, as_json: bool, **more: Any) -> None:
    from llmspell_core.security.module_pins import SHOWN

    table = [
        {
            "module": pin.name,
            "state": state,
            "sha256": pin.sha256 if as_json else pin.sha256[:SHOWN],
            "path": pin.path,
            **{key: value(pin) for key, value in more.items()},
        }
        for pin, state in rows
    ]
    columns = ["state", "module", "sha256", *more, "path"]
    show(table, as_json=as_json, columns=columns)


@modules.command(
    examples=("llmspell modules pin lib.util vendor", "llmspell modules pin"),
)
@click.argument("names", nargs=-1, metavar="[NAME | PATH]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def pin(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Write the SHA-256 of modules, and of what they import, into the lock file.

    Without a name those that are pinned or named in [security.modules] allow. Read a module
    before you pin it.
    """
    found = _pins(ctx)
    done = found.pin(names)
    _print(done.rows, as_json=as_json)
    for note in done.notes:
        say(clean(note))
    closed = [one.name for one, state in done.rows if state != "removed" and not found.allowed(one)]
    if closed:
        say(clean(f"not named in [security.modules] allow: {', '.join(closed)}"))
    if not done.rows:
        say("nothing to pin: name modules, files or folders")


@modules.command(examples=("llmspell modules verify --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Compare each pinned file with its SHA-256.

    The exit code is 1 when one differs or is missing.
    """
    found = _pins(ctx)
    rows = found.states()
    wrong = [row for row in rows if row[1] != "ok"]
    if as_json or wrong:
        _print(rows if as_json else wrong, as_json=as_json)
    if wrong:
        say("if the changes are meant: llmspell modules pin")
        ctx.exit(1)
    where = clean(found.gate.shown(str(found.lock.file)))
    say(f"{len(rows)} as pinned in {where}" if rows else "nothing is pinned")


@modules.command("list", examples=("llmspell modules list --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the pinned modules and whether scripts may load them.

    That is, under the profile in force.
    """
    found = _pins(ctx)
    rows = found.states()
    _print(rows, as_json=as_json, allowed=found.allowed)
    if not rows and not as_json:
        say("nothing is pinned: llmspell modules pin NAME")

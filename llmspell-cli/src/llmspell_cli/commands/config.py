"""`llmspell config show | get | validate | path | schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.look import clean, say
from llmspell_cli.options import common_of, common_options
from llmspell_cli.tables import cell, print_json

if TYPE_CHECKING:
    from llmspell_core.config.mistakes import Mistake
    from llmspell_core.config.sources import Loaded

Rows = list[tuple[tuple[str, ...], Any]]


@click.group(
    cls=Group,
    examples=(
        "llmspell config show --origin security",
        "llmspell config get default.model",
        "llmspell config validate llmspell.toml",
    ),
)
@common_options
def config() -> None:
    """Show and check the configuration."""


def _complete_key(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from llmspell_core.config.mistakes import dotted
    from llmspell_core.config.schema import keys

    return [name for one in keys() if (name := dotted(one.path)).startswith(incomplete)]


@config.command(examples=("llmspell config show --origin security",))
@click.argument("section", required=False, shell_complete=_complete_key)
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option("--all", "everything", is_flag=True, help="Show defaults as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def show(
    ctx: click.Context, section: str | None, origin: bool, everything: bool, as_json: bool
) -> None:
    """Print the configuration in force, secrets masked; with SECTION that part of it."""
    from llmspell_core.config.mistakes import dotted

    loaded = common_of(ctx).load_telling()
    rows = [(path, value) for path, value in _values(loaded.settings) if _is_below(path, section)]
    if section is not None and not rows and not _is_known(section):
        raise _unknown(section)
    if as_json:
        print_json({dotted(path): value for path, value in rows})
        return
    named = [(dotted(path), value, loaded.origin(path)) for path, value in rows]
    shown = [row for row in named if everything or section or row[2] != "default"]
    if not shown:
        say("every key has its default (--all shows them)")
    width = max((len(name) for name, _, _ in shown), default=0)
    for name, value, where in shown:
        text = f"{name:<{width}} = {json.dumps(value, ensure_ascii=False, default=str)}"
        click.echo(clean(f"{text}   # {where}" if origin else text))


@config.command(examples=("llmspell config get default.model",))
@click.argument("key", shell_complete=_complete_key)
@common_options
@click.pass_context
def get(ctx: click.Context, key: str) -> None:
    """Print the value of KEY; a section as JSON."""
    from llmspell_core.config.files import toml_keys
    from llmspell_core.config.view import value_at

    absent = object()
    value = value_at(common_of(ctx).load_telling().settings, tuple(toml_keys(key)), absent)
    if value is absent:
        if not _is_known(key):
            raise _unknown(key)
        value = None
    click.echo(clean(cell(_plain(value))))


@config.command(examples=("llmspell config validate", "llmspell config validate other.toml"))
@click.argument("file", type=click.Path(path_type=Path), required=False)
@common_options
@click.pass_context
def validate(ctx: click.Context, file: Path | None) -> None:
    """Check FILE, or every file that holds here; all mistakes are shown at once."""
    common = common_of(ctx)
    if file is not None:
        common.config = file
    loaded = common.load_telling()
    if loaded.settings.agents:
        _check_agents(loaded)
    names = ", ".join(str(path) for path in loaded.files) or "no configuration file"
    click.echo(f"ok: {names}")


def _check_agents(loaded: Loaded) -> None:
    """Raises the mistakes in the tables of agents, which only their maker knows."""
    from llmspell_cli.agent_check import configured_mistakes
    from llmspell_cli.signals import run_until_signal
    from llmspell_core.config.mistakes import ConfigMistakes
    from llmspell_core.runtime import Runtime

    async def wrong() -> dict[str, Mistake]:
        async with Runtime(loaded) as runtime:
            ctx = runtime.context(overlay=runtime.base.child())
            return await configured_mistakes(loaded, ctx)

    if mistakes := run_until_signal(wrong()):
        raise ConfigMistakes([*mistakes.values()])


@config.command(examples=("llmspell config path",))
@common_options
@click.pass_context
def path(ctx: click.Context) -> None:
    """Print the files that are read, in order, and where your own one belongs."""
    from llmspell_core.config.directories import user_config_file

    loaded = common_of(ctx).load_telling()
    for one in loaded.files:
        click.echo(str(one))
    if user_config_file() not in loaded.files:
        say(f"{user_config_file()} would be yours: it does not exist")


@config.command(examples=("llmspell config schema > llmspell.schema.json",))
@common_options
def schema() -> None:
    """Print the JSON Schema of configuration files, for editors."""
    from llmspell_core.config.schema import json_schema

    print_json(json_schema())


def _known() -> list[str]:
    from llmspell_core.config.schema import keys

    names = [".".join(one.path) for one in keys()]
    tables = {name.rpartition(".")[0] for name in names} | {n.partition(".")[0] for n in names}
    return [*names, *sorted(tables - {""})]


def _is_known(key: str) -> bool:
    """Whether a key or table may be set; `*` of a declared key stands for any name."""
    from llmspell_core.config.files import toml_keys

    wanted = [*toml_keys(key)]
    return any(
        len(declared) == len(wanted)
        and all(want in ("*", got) for want, got in zip(declared, wanted, strict=True))
        for declared in (name.split(".") for name in _known())
    )


def _unknown(key: str) -> Exception:
    from llmspell_core.errors import ConfigError, did_you_mean

    return ConfigError(
        f"{key}: unknown key",
        code="config.unknown_key",
        hint=did_you_mean(key, _known()) or "all keys: llmspell config show --all",
    )


def _is_below(path: tuple[str, ...], section: str | None) -> bool:
    from llmspell_core.config.files import toml_keys

    wanted = () if section is None else tuple(toml_keys(section))
    return path[: len(wanted)] == wanted


def _values(settings: Any) -> Rows:
    """Every key that has a value, secrets masked."""
    from llmspell_core.config.view import masked

    return [
        (path, masked(value, path))
        for path, value in _leaves(settings.model_dump(), ())
        if value is not None
    ]


def _leaves(data: dict[str, Any], at: tuple[str, ...]) -> Rows:
    found: Rows = []
    for name, value in data.items():
        if isinstance(value, dict):
            found += _leaves(value, (*at, name))
        else:
            found.append(((*at, name), value))
    return found


def _plain(value: Any) -> Any:
    """Without the keys that are not set."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    return value

"""`llmspell config show | get | validate | path | schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from llmspell_cli.options import common_of, common_options
from llmspell_cli.report import print_json
from llmspell_cli.tables import cell

MASK = "***"


@click.group(epilog="Example:  llmspell config show --origin security")
def config() -> None:
    """Show and check the configuration."""


@config.command()
@click.argument("section", required=False)
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option("--all", "everything", is_flag=True, help="Show defaults as well.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def show(
    ctx: click.Context, section: str | None, origin: bool, everything: bool, as_json: bool
) -> None:
    """Print the configuration in force; secrets are masked."""
    from llmspell_core.config.mistakes import dotted

    loaded = common_of(ctx).load()
    rows = [
        (dotted(path), value, loaded.origin(path))
        for path, value in _values(loaded.settings)
        if section is None or dotted(path) == section or dotted(path).startswith(f"{section}.")
    ]
    if section is not None and not rows:
        raise _unknown(section)
    if as_json:
        print_json({name: value for name, value, _ in rows})
        return
    shown = [row for row in rows if everything or origin or section or row[2] != "default"]
    if not shown:
        click.echo("all keys have their defaults (--all shows them)", err=True)
    width = max((len(name) for name, _, _ in shown), default=0)
    for name, value, where in shown:
        text = f"{name:<{width}}  = {_toml(value)}"
        click.echo(f"{text}   # {where}" if origin else text)


@config.command()
@click.argument("key")
@common_options
@click.pass_context
def get(ctx: click.Context, key: str) -> None:
    """Print one value."""
    from llmspell_core.config.mistakes import dotted

    for path, value in _values(common_of(ctx).load().settings):
        if dotted(path) == key:
            click.echo(cell(value))
            return
    raise _unknown(key)


@config.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@common_options
@click.pass_context
def validate(ctx: click.Context, file: Path | None) -> None:
    """Check FILE, or every file that holds here; all mistakes are shown at once."""
    common = common_of(ctx)
    if file is not None:
        common.config = file
    loaded = common.load()
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    names = ", ".join(str(path) for path in loaded.files) or "no configuration file"
    click.echo(f"ok: {names}")


@config.command()
@common_options
@click.pass_context
def path(ctx: click.Context) -> None:
    """Print the files that are read, in order, and where the user's own one belongs."""
    from llmspell_core.config.directories import user_config_file

    loaded = common_of(ctx).load()
    for one in loaded.files:
        click.echo(str(one))
    if user_config_file() not in loaded.files:
        click.echo(f"{user_config_file()}  (not there)")


@config.command()
def schema() -> None:
    """Print the JSON Schema of configuration files, for editors."""
    from llmspell_core.config.schema import json_schema

    print_json(json_schema())


def _unknown(key: str) -> Exception:
    from llmspell_core.config.mistakes import dotted
    from llmspell_core.config.schema import keys
    from llmspell_core.errors import ConfigError, did_you_mean

    known = [dotted(one.path) for one in keys()]
    return ConfigError(
        f"{key}: unknown key",
        code="config.unknown_key",
        hint=did_you_mean(key, [*known, *{name.partition(".")[0] for name in known}]),
    )


def _values(settings: Any) -> list[tuple[tuple[str, ...], Any]]:
    from llmspell_core.config.schema import keys

    secret = {one.path for one in keys() if one.secret}
    data = settings.model_dump()
    return [
        (path, MASK if value and _is_secret(path, secret) else value)
        for path, value in _leaves(data, ())
        if value is not None
    ]


def _is_secret(path: tuple[str, ...], secret: set[tuple[str, ...]]) -> bool:
    """Whether a declared key of this shape is secret; `*` stands for any name."""
    return any(
        len(declared) <= len(path)
        and all(want in ("*", got) for want, got in zip(declared, path, strict=False))
        for declared in secret
    )


def _leaves(data: dict[str, Any], at: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, value in data.items():
        if isinstance(value, dict) and value:
            found += _leaves(value, (*at, name))
        elif value != {}:
            found.append(((*at, name), value))
    return found


def _toml(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)

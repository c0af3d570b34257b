"""Commands of plugins: listed from metadata, imported when called, made from signatures."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Command
from llmspell_cli.options import common_options
from llmspell_cli.signals import run_until_signal
from llmspell_cli.tables import show
from llmspell_core.errors import ExtensionError

if TYPE_CHECKING:
    from llmspell_core.command import Command as Declared
    from llmspell_core.command import Option
    from llmspell_core.extensions import Extension

_TYPES: dict[Any, Any] = {int: int, float: float, bool: bool}


class PluginCommand(click.Command):
    """Stands for a plugin's command until it is called, so that `--help` imports no plugin."""

    def __init__(self, extension: Extension) -> None:
        super().__init__(extension.name, short_help=extension.summary)
        self._extension = extension

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        from llmspell_core.command import Command as Declared

        found = self._extension.load()
        if isinstance(found, Declared):
            found = click_command(found)
        if not isinstance(found, click.Command):
            raise ExtensionError(
                f"{self._extension.distribution}: the command {self._extension.name} is none",
                code="plugin.broken",
                hint="make it with @command of llmspell_core.command",
            )
        return found.make_context(info_name, args, parent, **extra)


def click_command(source: Declared) -> Command:
    """A click command for a declared one: `--json` prints data, else a table."""

    @common_options
    def callback(as_json: bool, **values: Any) -> None:
        result = source.run(**values)
        if inspect.isawaitable(result):
            result = run_until_signal(_wait(result))
        show(result, as_json=as_json)

    params = [_parameter(one) for one in source.options]
    params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."))
    # Where click's decorators collect the options until a command is made.
    params += reversed(getattr(callback, "__click_params__", []))
    return Command(source.name, params=params, callback=callback, help=source.doc)


async def _wait(result: Any) -> Any:
    return await result


def _parameter(option: Option) -> click.Parameter:
    kind = _TYPES.get(option.type, str)
    if option.required:
        return click.Argument([option.name], type=kind)
    spelled = f"--{option.name.replace('_', '-')}"
    if option.type is bool:
        return click.Option([spelled, option.name], is_flag=True, help=option.doc)
    return click.Option([spelled, option.name], type=kind, default=option.default, help=option.doc)

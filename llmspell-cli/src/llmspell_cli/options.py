"""Options that every command takes, before or after its name, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.look import LOOK, clean, say, use_colour

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded
    from llmspell_core.runtime import Runtime
    from llmspell_core.security.redact import Redactor

PROFILES = (
    "none", "low", "medium", "high", "development", "testing", "production", "data_analysis",
)  # fmt: skip


class Common:
    """The global options of one call; what stands after the command wins."""

    def __init__(self) -> None:
        self.config: Path | None = None
        self.profile: str | None = None
        self.log_level: str | None = None
        self.log_format: str | None = None
        self.overrides: list[str] = []
        self.verbose = 0
        self.quiet = False
        self.trace_events: Path | None = None
        self.cassette: Path | None = None

    def load(self, script: Path | None = None, *extra: str) -> Loaded:
        """The settings of this call, with logging set up; raises `config.invalid`."""
        from llmspell_core.config.sources import load

        overrides = [*self.overrides, *extra]
        if level := self.level():
            overrides.append(f"system.log_level={level}")
        if self.log_format:
            overrides.append(f"system.log_format={self.log_format}")
        loaded = load(
            script=script,
            config_file=self.config,
            overrides=overrides,
            profile=self.profile,
        )
        self._log(loaded, None)
        return loaded

    def load_telling(self, script: Path | None = None) -> Loaded:
        """The settings of a command that runs nothing; what was ignored is told on stderr."""
        loaded = self.load(script)
        for warning in loaded.warnings:
            say(f"warning: {clean(warning)}")
        return loaded

    def log_for(self, runtime: Runtime) -> None:
        """Log and report without the secrets that this runtime knows."""
        LOOK.redactor = runtime.redactor
        self._log(runtime.loaded, runtime.redactor)

    def _log(self, loaded: Loaded, redactor: Redactor | None) -> None:
        from llmspell_core.logging import setup

        colour = None if loaded.settings.system.log_file else use_colour()
        setup(loaded.settings, redactor=redactor, colour=colour)

    def level(self) -> str | None:
        """The log level that the options ask for, None when they ask for none."""
        if self.log_level:
            return self.log_level
        if self.quiet:
            return "error"
        return {0: None, 1: "info", 2: "debug"}.get(self.verbose, "trace")


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(ctx: click.Context, _: click.Parameter, value: Any) -> Any:
        common = ctx.ensure_object(Common)
        if value in (None, False, 0, ()):
            return value
        if name == "overrides":
            common.overrides += value
        elif name == "color":
            LOOK.color = value
        elif name == "debug":
            LOOK.debug = True
        else:
            setattr(common, name, value)
        return value

    return callback


_FILE = click.Path(path_type=Path)
_LEVELS = click.Choice(["trace", "debug", "info", "warn", "error"])
_FORMATS = click.Choice(["pretty", "json"])
_COLORS = click.Choice(["auto", "always", "never"])

#: Names, target, help, and what else click wants to know.
_OPTIONS: tuple[tuple[tuple[str, ...], str, str, dict[str, Any]], ...] = (
    (
        ("--config",),
        "config",
        "Use this file instead of the project's.",
        {"type": _FILE, "metavar": "FILE"},
    ),
    (
        ("--profile",),
        "profile",
        "Security: none, low, medium, high, or your own.",
        {
            "metavar": "NAME",
            "shell_complete": lambda *a: [one for one in PROFILES if one.startswith(a[2])],
        },
    ),
    (
        ("--set",),
        "overrides",
        "Set a configuration key.",
        {"multiple": True, "metavar": "KEY=VALUE"},
    ),
    (
        ("--log-level",),
        "log_level",
        "trace, debug, info, warn or error.",
        {"type": _LEVELS, "metavar": "LEVEL"},
    ),
    (("--log-format",), "log_format", "pretty or json.", {"type": _FORMATS, "metavar": "FORMAT"}),
    (("-v", "--verbose"), "verbose", "Log more; -vv for debug.", {"count": True}),
    (("-q", "--quiet"), "quiet", "Log errors only.", {"is_flag": True}),
    (("--color",), "color", "auto, always or never.", {"type": _COLORS, "metavar": "WHEN"}),
    (
        ("--trace-events",),
        "trace_events",
        "Write every event to a file, as JSON lines.",
        {"type": _FILE, "metavar": "FILE"},
    ),
    (("--debug",), "debug", "Add the host's stack to errors.", {"is_flag": True}),
)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the global options; their values are in `ctx.obj`, a `Common`.

    The app's own have variables (`LLMSPELL_PROFILE`); a command's are not in its help.
    """
    top = function.__name__ == "app"
    for names, target, text, settings in reversed(_OPTIONS):
        variable = f"LLMSPELL_{names[-1].strip('-').replace('-', '_').upper()}"
        function = click.option(
            *names,
            target,
            expose_value=False,
            callback=_store(target),
            hidden=not top,
            # `--set` has them all: LLMSPELL_SECTION__KEY.
            envvar=variable if top and target != "overrides" else None,
            help=text,
            **settings,
        )(function)
    return function


def cassette_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--record` and `--replay`, which set `[cassette]`."""
    for name, text in (
        ("replay", "Play recorded answers of models and tools; ask nobody."),
        ("record", "Record the answers of models and tools in a file."),
    ):
        function = click.option(
            f"--{name}",
            expose_value=False,
            callback=_cassette,
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help=text,
        )(function)
    return function


def _cassette(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    if value is None:
        return
    common = ctx.ensure_object(Common)
    if common.cassette is not None:
        raise click.UsageError("--record and --replay exclude each other")
    common.cassette = value
    # Settings resolve paths from the file that names them; the command line from here.
    common.overrides += [f"cassette.path={value.absolute()}", f"cassette.mode={parameter.name}"]


def common_of(ctx: click.Context) -> Common:
    """The global options of the current call."""
    return ctx.ensure_object(Common)

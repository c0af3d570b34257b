"""Options that every command takes, before or after its name, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded
    from llmspell_core.runtime import Runtime


@dataclass(slots=True)
class Common:
    """The global options of one call; what stands after the command wins."""

    config: Path | None = None
    profile: str | None = None
    log_level: str | None = None
    log_format: str | None = None
    color: str | None = None
    overrides: list[str] = field(default_factory=list)
    verbose: int = 0
    quiet: bool = False
    debug: bool = False
    trace_events: Path | None = None
    loaded: Loaded | None = None

    def load(self, script: Path | None = None, *extra: str) -> Loaded:
        """The settings of this call, with logging set up; raises `config.invalid`."""
        from llmspell_core.config.sources import load
        from llmspell_core.logging import setup

        overrides = [*self.overrides, *extra]
        if level := self.level():
            overrides.append(f"system.log_level={level}")
        if self.log_format:
            overrides.append(f"system.log_format={self.log_format}")
        self.loaded = load(
            script=script,
            config_file=self.config,
            overrides=overrides,
            profile=self.profile,
        )
        setup(self.loaded.settings)
        return self.loaded

    def log_for(self, runtime: Runtime) -> None:
        """Log without the secrets that this runtime knows."""
        from llmspell_core.logging import setup

        setup(runtime.settings, redactor=runtime.redactor)

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
        if name == "overrides":
            common.overrides += value
        elif value not in (None, False, 0, ()):
            setattr(common, name, value)
        return value

    return callback


_OPTIONS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (
        ("--config",),
        "config",
        {
            "type": click.Path(path_type=Path),
            "metavar": "FILE",
            "help": "Use this file instead of the project's.",
        },
    ),
    (("--profile",), "profile", {"metavar": "NAME", "help": "Security profile."}),
    (
        ("--set",),
        "overrides",
        {"multiple": True, "metavar": "KEY=VALUE", "help": "Set a configuration key."},
    ),
    (
        ("--log-level",),
        "log_level",
        {
            "type": click.Choice(["trace", "debug", "info", "warn", "error"]),
            "help": "What is logged.",
        },
    ),
    (
        ("--log-format",),
        "log_format",
        {"type": click.Choice(["pretty", "json"]), "help": "How it is logged."},
    ),
    (("-v", "--verbose"), "verbose", {"count": True, "help": "Log more; twice for debug."}),
    (("-q", "--quiet"), "quiet", {"is_flag": True, "help": "Log errors only."}),
    (
        ("--color",),
        "color",
        {"type": click.Choice(["auto", "always", "never"]), "help": "Colours."},
    ),
    (
        ("--trace-events",),
        "trace_events",
        {
            "type": click.Path(path_type=Path),
            "metavar": "FILE",
            "help": "Write every event to a file, as JSON lines.",
        },
    ),
    (("--debug",), "debug", {"is_flag": True, "help": "Add the host's stack to errors."}),
)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the global options; their values are in `ctx.obj`, a `Common`."""
    hidden = function.__name__ != "app"
    for names, target, settings in reversed(_OPTIONS):
        function = click.option(
            *names,
            expose_value=False,
            callback=_store(target),
            hidden=hidden,
            envvar=None,
            **settings,
        )(function)
    return function


def common_of(ctx: click.Context) -> Common:
    """The global options of the current call."""
    return ctx.ensure_object(Common)

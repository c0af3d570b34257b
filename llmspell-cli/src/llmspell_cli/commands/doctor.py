"""`llmspell doctor`: one page about this machine and installation."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.helptext import Command
from llmspell_cli.look import clean, style
from llmspell_cli.options import common_of, common_options
from llmspell_cli.tables import print_json
from llmspell_cli.version import VERSION

if TYPE_CHECKING:
    from llmspell_core.config.sources import Loaded

#: Kinds whose extensions are loaded to see whether they can be.
CHECKED = ("engines", "providers", "tools", "globals", "stores", "hooks", "commands")


@click.command(cls=Command, examples=("llmspell doctor", "llmspell doctor --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> int:
    """Say on one page what works here and what does not, with remedies.

    The exit code is 1 when there is a problem.
    """
    loaded = common_of(ctx).load()
    facts = dict(_facts(loaded))
    problems = [*_problems(loaded)]
    if as_json:
        rows = [{"problem": problem, "remedy": remedy} for problem, remedy in problems]
        print_json({"facts": facts, "problems": rows})
        return 1 if problems else 0
    for name, text in facts.items():
        click.echo(clean(f"{name:<14} {text}"))
    click.echo()
    for problem, remedy in problems:
        mark = style("problem", "red", sys.stdout)
        click.echo(f"{mark}        {clean(problem)}", color=None)
        if remedy:
            click.echo(clean(f"{'':<14} {remedy}"))
    if not problems:
        click.echo("no problems found")
    return 1 if problems else 0


def _facts(loaded: Loaded) -> Iterator[tuple[str, str]]:
    from llmspell_bridge.isolation import describe
    from llmspell_core.config.directories import cache_dir, data_dir
    from llmspell_core.extensions import Extensions

    engines = Extensions("engines").values()
    yield "llmspell", VERSION
    yield "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield "engines", ", ".join(f"{one.name} ({one.version})" for one in engines) or "none"
    yield "providers", ", ".join(Extensions("providers")) or "none"
    yield "model", loaded.settings.default.model
    yield "tools", str(len(Extensions("tools")))
    yield "profile", f"{loaded.settings.security.profile}  ({loaded.origin('security.profile')})"
    yield "isolation", ", ".join(describe())
    yield "configuration", ", ".join(map(str, loaded.files)) or "no file (defaults)"
    yield "data", str(data_dir(loaded.settings))
    yield "cache", str(cache_dir(loaded.settings))


def _problems(loaded: Loaded) -> Iterator[tuple[str, str]]:
    from llmspell_cli.commands.engines import engine_rows

    rows = engine_rows()
    if not rows:
        yield "no script engine is installed", "pip install 'llmspell[lua]'"
    for row in rows:
        if row["problem"]:
            yield f"engine {row['name']}: {row['problem']}", ""
    yield from _broken_plugins()
    yield from _model_problem(loaded)
    yield from _directory_problems(loaded)
    for warning in loaded.warnings:
        yield warning, ""


def _broken_plugins() -> Iterator[tuple[str, str]]:
    from llmspell_core.extensions import Extensions

    for kind in CHECKED:
        if kind != "engines":
            _, failures = Extensions(kind).load_all()
            for failure in failures:
                yield failure.error.message, failure.error.hint or ""


def _model_problem(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Whether the default model could be asked; no network is touched."""
    from llmspell_core.errors import ExtensionError, LLMSpellError
    from llmspell_core.extensions import install_hint
    from llmspell_core.runtime import Runtime

    runtime = Runtime(loaded)
    try:
        runtime.providers.resolve(None).provider.check_configured()
    except ExtensionError:
        # Named among the broken plugins.
        return
    except LLMSpellError as error:
        head = loaded.settings.default.model.partition("/")[0]
        remedy = install_hint(head) if error.code == "provider.unknown" else None
        model = loaded.settings.default.model
        yield f"the default model {model}: {error.message}", remedy or error.hint or ""


def _directory_problems(loaded: Loaded) -> Iterator[tuple[str, str]]:
    from llmspell_core.config.directories import cache_dir, data_dir

    found: dict[str, Any] = {"data": data_dir, "cache": cache_dir}
    for name, where in found.items():
        folder: Path = where(loaded.settings)
        if problem := _not_writable(folder):
            yield (
                f"the {name} directory {folder} {problem}",
                f"make it writable, or name another: --set system.{name}_dir=PATH",
            )


def _not_writable(folder: Path) -> str:
    import os

    nearest = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    if not nearest.is_dir():
        return f"cannot be made: {nearest} is a file"
    return "" if os.access(nearest, os.W_OK) else "cannot be written"

"""`llmspell generate tool | agent | engine | provider | command NAME`: a complete project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from llmspell_cli.helptext import Group
from llmspell_cli.options import common_options
from llmspell_cli.scaffold import about, core_requirement, names_of, requirement, told, write

TEMPLATES = (
    "basic", "http_api", "file_processor", "command", "llm", "data_analysis", "integration",
)  # fmt: skip
LANGUAGES = ("python", "lua", "js")
#: What fits into a line of the sources.
MAX_SUMMARY = 72
#: Extras of llmspell-core that what is written needs.
_EXTRAS = {"http_api": "http", "integration": "http", "provider": "http"}
_SUMMARIES = {
    "basic": "Says a text loudly",
    "http_api": "Looks something up in a service",
    "file_processor": "Tidies the lines of a text file",
    "command": "Sorts lines with a program of this machine",
    "llm": "Gives a text a title and tags",
    "data_analysis": "Describes the columns of a table",
    "integration": "Lists, reads and creates the entries of a service",
    "agent": "Answers as the agent it extends, with a focus",
    "engine": "Runs scripts of one step a line",
    "provider": "Asks the models of one service",
    "a command": "Says a word some times",
}


@click.group(
    cls=Group,
    examples=(
        "llmspell generate tool shout",
        "llmspell generate tool weather --template http_api --dir plugins",
        "llmspell generate tool shout --language lua",
        "llmspell generate agent market-research --template research --tools json-processor",
        "llmspell generate provider my-service",
    ),
)
@common_options
def generate() -> None:
    """Write a project to begin with: source, tests, packaging, CI.

    A project in Python is a distribution that builds with hatch, passes its own tests, and is
    found by llmspell once it is installed with pip.
    """


def _shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all kinds."""
    for option in (
        click.option(
            "--dir",
            "folder",
            type=click.Path(file_okay=False, path_type=Path),
            default=Path(),
            metavar="DIR",
            help="Where to make the project's folder.",
        ),
        click.option("--description", metavar="TEXT", help="What it does, in a few words."),
        common_options,
    ):
        function = option(function)
    return function


@generate.command(
    examples=(
        "llmspell generate tool shout && cd llmspell-shout && tox",
        "llmspell generate tool weather --template http_api",
        "llmspell generate tool shout --language js && llmspell test shout",
    )
)
@click.argument("name")
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default="basic",
    show_default=True,
    help="What kind of tool.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="python",
    show_default=True,
    help="Python: a distribution. Lua and JavaScript: a spell module with its test.",
)
@_shared
def tool(name: str, template: str, language: str, folder: Path, description: str | None) -> None:
    """Write a tool."""
    _refuse_taken("tools", name)
    summary = _summary(template, description)
    if language != "python":
        _write_script(name, template, language, folder, summary)
        return
    values = names_of(name)
    _write_distribution(
        values,
        folder,
        kind="tool",
        group="tools",
        target=f"{values['module']}.tool:{values['class']}",
        summary=summary,
        extra=_EXTRAS.get(template, ""),
        folders=[("tool", "common"), ("tool", template)],
    )


@generate.command(
    examples=(
        "llmspell generate agent market-research --template research --tools json-processor",
        "llmspell generate agent helper --language lua && llmspell test helper",
    )
)
@click.argument("name")
@click.option(
    "--template",
    default="chat",
    show_default=True,
    metavar="BASE",
    help="The installed agent that it extends.",
)
@click.option("--tools", default="", metavar="A,B", help="Tools beside those of the template.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="python",
    show_default=True,
    help="Python: a distribution. Lua and JavaScript: a spell module with its test.",
)
@_shared
def agent(
    name: str, *, template: str, tools: str, language: str, folder: Path, description: str | None
) -> None:
    """Write an agent that extends another one."""
    from llmspell_cli.agent_scaffold import (
        agent_values,
        base_info,
        tool_names,
        write_script_agent,
    )

    _refuse_taken("agents", name)
    more = agent_values(base_info(template), tool_names(tools), language)
    summary = _summary("agent", description)
    values = {**names_of(name), **more}
    if language != "python":
        write_script_agent(values, language, folder, summary)
        return
    _write_distribution(
        values,
        folder,
        kind="agent",
        group="agents",
        target=f"{values['module']}.agent:AGENT",
        summary=summary,
        folders=[("agent",)],
        tests_with=("llmspell-agents", "llmspell-tools"),
    )


@generate.command(examples=("llmspell generate engine steps",))
@click.argument("name")
@_shared
def engine(name: str, folder: Path, description: str | None) -> None:
    """Write a script engine: a small language of its own, to be replaced by yours."""
    _refuse_taken("engines", name)
    values = names_of(name)
    _write_distribution(
        values,
        folder,
        kind="engine",
        group="engines",
        target=f"{values['module']}.engine:{values['class']}Engine",
        summary=_summary("engine", description),
        folders=[("engine",)],
    )


@generate.command(examples=("llmspell generate provider my-service",))
@click.argument("name")
@_shared
def provider(name: str, folder: Path, description: str | None) -> None:
    """Write a model provider: one service, asked over HTTP."""
    _refuse_taken("providers", name)
    values = names_of(name)
    _write_distribution(
        values,
        folder,
        kind="provider",
        group="providers",
        target=f"{values['module']}:{values['class']}Provider",
        summary=_summary("provider", description),
        extra=_EXTRAS["provider"],
        folders=[("provider",)],
    )


@generate.command(examples=("llmspell generate command moon",))
@click.argument("name")
@_shared
def command(name: str, folder: Path, description: str | None) -> None:
    """Write a command of llmspell: a typed function that returns data."""
    from llmspell_cli.app import COMMANDS

    if name in COMMANDS:
        raise click.UsageError(f'llmspell has a command "{name}"\nname it otherwise')
    _refuse_taken("commands", name)
    values = names_of(name)
    _write_distribution(
        values,
        folder,
        kind="command",
        group="commands",
        target=f"{values['module']}:{values['function']}",
        summary=_summary("a command", description),
        folders=[("command",)],
    )


def _refuse_taken(kind: str, name: str) -> None:
    """Two distributions of one name: neither would be used."""
    from llmspell_core.extensions import Extensions

    found = Extensions(kind).get(name)
    if found is not None:
        one = kind.removesuffix("s")
        raise click.UsageError(
            f'{found.distribution} has {"an" if one[0] in "aeiou" else "a"} {one} "{name}"'
            "\nname it otherwise: of two with one name none is used"
        )


def _summary(kind: str, description: str | None) -> str:
    """One line without what would end the text it is put into."""
    text = " ".join((description or _SUMMARIES[kind]).split())
    if len(text) > MAX_SUMMARY:
        raise click.UsageError(
            f"--description has {len(text)} characters\nit is one line of at most {MAX_SUMMARY}"
        )
    return text.replace("\\", "/").replace('"', "'").rstrip(".")


def _write_distribution(
    values: dict[str, str],
    folder: Path,
    *,
    kind: str,
    group: str,
    target: str,
    summary: str,
    folders: list[tuple[str, ...]],
    extra: str = "",
    tests_with: tuple[str, ...] = (),
) -> None:
    core = core_requirement(extra)
    needed = ["hypothesis>=6.115"] if not tests_with else [requirement(one) for one in tests_with]
    values = {
        **values,
        "kind": kind,
        "group": group,
        "target": target,
        "summary": summary,
        "core": core,
        "test_requirements": '", "'.join([*needed, "pytest>=8.4"]),
    }
    values["about"] = about(*folders[-1], values=values)
    place = folder / values["distribution"]
    written = write(place, [("distribution",), *folders], values)
    told(written, f"next:  cd {place} && tox && pip install .")


def _write_script(name: str, template: str, language: str, folder: Path, summary: str) -> None:
    values = names_of(name)
    file = f"{name}.{language}"
    use, call = f'local {values["function"]} = require("{name}")', "execute{ --[[ parameters ]] }"
    if language == "js":
        use, call = f'import {values["function"]} from "./{file}";', "execute({ /* parameters */ })"
    values |= {
        "summary": summary,
        "language": language,
        "file": file,
        "test_file": f"{name}_spell_test.{language}",
        "pin": name if language == "lua" else file,
        "use": f"{use}\n{_called(values['function'], language, call)}",
    }
    place = folder / name
    written = write(place, [("script", "common"), ("script", language, template)], values)
    told(written, f"next:  cd {place} && llmspell test")


def _called(function: str, language: str, call: str) -> str:
    if language == "js":
        return f"console.log((await {function}.{call}).text);"
    return f"print({function}:{call}.text)"

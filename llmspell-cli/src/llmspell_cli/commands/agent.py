"""`llmspell agent list | templates | info | run | validate | schema`."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.agent_check import configured_mistakes, mistake_of
from llmspell_cli.agent_page import agent_row, print_template, template_row
from llmspell_cli.helptext import Group
from llmspell_cli.look import clean, say
from llmspell_cli.options import Common, common_of, common_options
from llmspell_cli.script_args import parse_params, typed_params
from llmspell_cli.signals import run_until_signal
from llmspell_cli.tables import print_json, show
from llmspell_cli.usage import usage_rows
from llmspell_core.config.mistakes import Mistake
from llmspell_core.errors import LLMSpellError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmspell_core.context import ExecutionContext

#: What agent files are called, wherever they are looked for.
PATTERN = "*.agent.*"
SUFFIXES = frozenset({".yaml", ".yml", ".toml", ".json", ".md"})


@click.group(
    cls=Group,
    examples=(
        "llmspell agent templates",
        "llmspell agent run chat 'What is 17 % of 1,240?'",
        "llmspell agent run reviewer.agent.toml --param language=Lua < spell.lua",
        "llmspell agent validate",
    ),
)
@common_options
def agent() -> None:
    """List, explain, check and run agents and templates.

    An agent is named by the configuration ([agents.NAME]), by a template, or by its file
    (*.agent.yaml, .toml, .json or .md).
    """


def complete_agent(_: click.Context, __: click.Parameter, incomplete: str) -> list[Any]:
    """The names of the installed agents, and files."""
    from click.shell_completion import CompletionItem

    from llmspell_core.extensions import extension_names

    found: list[Any] = [one for one in extension_names("agents") if one.startswith(incomplete)]
    return found or [CompletionItem(incomplete, type="file")]


def _with_runtime(
    common: Common, work: Callable[[ExecutionContext], Awaitable[Any]], *files: Path, **options: Any
) -> Any:
    """`files` were named on the command line and may be read wherever they are."""
    from llmspell_core.runtime import Runtime

    async def main() -> Any:
        made = Runtime(common.load(), **options)
        common.log_for(made)
        async with made as runtime:
            ctx = runtime.context(overlay=runtime.base.child())
            named = [str(file.absolute()) for file in files]
            return await work(ctx.child(policy=ctx.policy.bound(readable=named)))

    return run_until_signal(main())


def _files(name: str) -> list[Path]:
    """The file that an agent is named by. Raises a usage error for one that is not there."""
    path = Path(name)
    if path.is_file():
        return [path]
    if fnmatchcase(path.name, PATTERN) or path.suffix in SUFFIXES:
        raise click.UsageError(f'no such file or directory: "{name}"')
    return []


@agent.command("list", examples=("llmspell agent list --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the agents that can be run by name."""

    async def work(found: ExecutionContext) -> list[dict[str, Any]]:
        overlay = found.overlay
        return [agent_row(entry, overlay.templates) for entry in overlay.agents.entries()]

    rows = _with_runtime(common_of(ctx), work)
    show(rows, as_json=as_json, columns=["name", "source", "asks for", "description"])


@agent.command(examples=("llmspell agent templates --json",))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def templates(ctx: click.Context, as_json: bool) -> None:
    """List what agents can be made from."""

    async def work(found: ExecutionContext) -> list[dict[str, Any]]:
        from llmspell_core.errors import LLMSpellError

        rows = []
        for entry in found.overlay.templates.entries():
            try:
                rows.append({**entry.load().info(), "source": entry.source})
            except LLMSpellError as error:
                if error.code != "template.not_found":
                    say(clean(f"warning: {entry.name} is left out: {error.message}"))
        return rows

    rows = _with_runtime(common_of(ctx), work)
    shown = rows if as_json else [template_row(one) for one in rows]
    show(shown, as_json=as_json, columns=["name", "category", "asks for", "description"])


@agent.command(examples=("llmspell agent info research", "llmspell agent info my.agent.md"))
@click.argument("name", shell_complete=complete_agent)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def info(ctx: click.Context, name: str, as_json: bool) -> None:
    """Explain a template or an agent file: parameters, tools, capabilities, levels."""

    async def work(found: ExecutionContext) -> Any:
        return await found.create("agent_template", name)

    template = _with_runtime(common_of(ctx), work, *_files(name))
    if as_json:
        print_json(template.info())
    else:
        print_template(template.info(), name)


@agent.command(
    "run",
    examples=(
        "llmspell agent run chat 'What day is in 100 days?'",
        "llmspell agent run customer-service --param company=Acme 'Where is my parcel?'",
        "llmspell agent run reviewer.agent.toml < spell.lua",
        "llmspell agent run clerk.agent.toml 'Pay Ann back.' > paused.json",
        "llmspell agent run clerk.agent.toml --resume paused.json --approve refund",
    ),
)
@click.argument("name", shell_complete=complete_agent)
@click.argument("prompt", required=False)
@click.option("--param", "params", multiple=True, metavar="K=V", help="A parameter or an input.")
@click.option(
    "--params-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parameters and inputs as a JSON object.",
)
@click.option("--model", metavar="NAME", help="Another model.")
@click.option("--approve", multiple=True, metavar="TOOL", help="Approve calls of this tool.")
@click.option("--yes", is_flag=True, help="Approve all calls that would be asked about.")
@click.option(
    "--resume",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Let a run go on that paused: FILE is what it printed.",
)
@click.option("--deny", multiple=True, metavar="TOOL[=WHY]", help="With --resume: refuse these.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@click.option("--stats", is_flag=True, help="Print tokens, cost and time, on stderr.")
@common_options
@click.pass_context
def run_agent(ctx: click.Context, /, name: str, prompt: str | None, **options: Any) -> int:
    """Ask an agent and print its answer. Without a PROMPT, standard input is the prompt.

    A run that pauses for an approval (on_approval = "pause") is printed as JSON, and the exit
    code is 1. With --resume it goes on: --approve, --deny and --yes answer.
    """
    from llmspell_cli.approve import approver
    from llmspell_cli.paused import answers_of, read_paused, tell

    files, given = _files(name), parse_params(options["params"], options["params_file"])
    input_: dict[str, Any] = {}
    if options["resume"] is None:
        input_["text"] = _prompt(prompt)
    else:
        input_["resume"] = read_paused(options["resume"])
        input_["approvals"] = answers_of(options["approve"], options["deny"], yes=options["yes"])

    async def work(found: ExecutionContext) -> Any:
        made, variables = await _made(name, given, found, options["model"])
        return await made.execute({**input_, "variables": variables}, found)

    asker = approver(options["approve"], yes=options["yes"])
    output = _with_runtime(common_of(ctx), work, *files, approver=asker)
    paused = output.status == "paused"
    if options["as_json"] or paused:
        print_json(output.model_dump(mode="json", exclude_none=True))
    else:
        click.echo(output.text)
    if options["stats"]:
        time = f"{output.metadata.execution_time_ms:.0f} ms"
        for label, text in {**usage_rows(output.metadata.usage), "time": time}.items():
            say(f"{label:<7} {text}")
    if paused:
        tell(output.agent, [one.model_dump() for one in output.pending])
        tool = output.pending[0].tool
        say(clean(f"  go on with: llmspell agent run {name} --resume FILE --approve {tool}"))
    return int(paused)


def _prompt(given: str | None) -> str:
    if given is not None:
        return given
    if sys.stdin.isatty():
        raise click.UsageError("a prompt is expected, as an argument or on standard input")
    return sys.stdin.read()


async def _made(
    name: str, given: dict[str, Any], ctx: ExecutionContext, model: str | None
) -> tuple[Any, dict[str, Any]]:
    """The agent, and of what was given the part that each run is given."""
    entry = None if Path(name).is_file() else ctx.overlay.agents.entry(name)
    if entry is not None and not ctx.overlay.templates.has(name):
        return entry.load(), given
    template = await ctx.create("agent_template", name)
    inputs = template.inputs()
    known = template.parameters["properties"]
    variables = {key: one for key, one in given.items() if key in inputs and key not in known}
    values = {key: one for key, one in given.items() if key not in variables}
    spec = {
        "name": template.name,
        "extends": name,
        "parameters": typed_params(values, template.parameters),
        **({"model": model} if model else {}),
    }
    return await ctx.create("agent", spec), typed_params(variables, {"properties": inputs})


@agent.command(examples=("llmspell agent validate", "llmspell agent validate my.agent.yaml"))
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@common_options
@click.pass_context
def validate(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> int:
    """Check agent files, and without FILES those of this folder and the configured agents.

    Nothing of a file is executed. The exit code is 1 when one of them has a mistake.
    """
    chosen = [*files] or sorted(Path().glob(PATTERN))

    async def work(found: ExecutionContext) -> list[dict[str, Any]]:
        rows = [_row(str(one), await mistake_of(str(one), found)) for one in chosen]
        if files:
            return rows
        wrong = await configured_mistakes(found.runtime.loaded, found)
        return [*rows, *(_row(name, wrong.get(name)) for name in found.settings.agents)]

    rows = _with_runtime(common_of(ctx), work, *chosen)
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            click.echo(clean(f"ok  {row['name']}") if row["ok"] else clean(row["error"]["message"]))
        if not rows:
            say("there are no agent files here and no configured agents")
    return 0 if all(row["ok"] for row in rows) else 1


def _row(name: str, wrong: LLMSpellError | Mistake | None) -> dict[str, Any]:
    if wrong is None:
        return {"name": name, "ok": True}
    data = {**wrong.as_dict(), "message": str(wrong)} if isinstance(wrong, Mistake) else None
    return {"name": name, "ok": False, "error": data or _with_name(name, wrong)}


def _with_name(name: str, error: Any) -> dict[str, Any]:
    """The error as data; in a list of many files each mistake says which one it is of."""
    data: dict[str, Any] = error.to_dict()
    if name not in error.message:
        data["message"] = f"{name}: {error.message}"
    return data


@agent.command(examples=("llmspell agent schema > agent.schema.json",))
@common_options
def schema() -> None:
    """Print the JSON schema of agent files, for editors."""
    from llmspell_core.extensions import Extensions

    print_json(Extensions("schemas").load("agent")(), compact=False)

"""Write the generated half of docs/: what the declarations say, in the words they say it.

    hatch run python scripts/reference.py          # write
    hatch run python scripts/reference.py --check  # exit 1 when something is not up to date

One page for each script global, one for each category of tools, the command line, and the
marked parts of pages that people write (``<!-- generated: NAME -->``). `tests/docs` runs the
check: after a change of a declaration, run this and commit what it wrote.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
from globals_reference import cell, codes, global_page, manifests
from tools_reference import built_in, tool_categories, tool_extras, tool_page, tool_table

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
MARKED = re.compile(
    r"(?P<begin>^ *(?P<sign><!--|#) generated: (?P<name>\w+)[^\n]*\n)"
    r".*?(?P<end>^ *(?P=sign) end of generated)",
    re.MULTILINE | re.DOTALL,
)
PROFILES = (
    ("none", "low", "medium", "high"),
    ("development", "testing", "production", "data_analysis"),
)
ROWS = {
    "runs": "a script runs",
    "files": "files",
    "network": "network (tools)",
    "processes": "processes",
    "environment": "environment",
    "modules": "modules",
    "tools": "tools",
    "limits": "limits",
}


# -- the command line -------------------------------------------------------------------------


def cli_page() -> str:
    """The help of every command."""
    from llmspell_cli.app import app

    context = click.Context(app, info_name="llmspell", max_content_width=88, terminal_width=88)
    lines = ["# The command line", "", "What `--help` says, for each command.", ""]
    return "\n".join([*lines, *helped(app, context, 2)]).rstrip() + "\n"


def helped(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    """A command's help and that of the commands below it."""
    if context.parent is not None:
        yield f"{'#' * level} {context.command_path}"
        yield ""
    yield "```text"
    yield click.unstyle(command.get_help(context)).rstrip()
    yield "```"
    yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                below = click.Context(child, info_name=name, parent=context)
                yield from helped(child, below, level + (context.parent is not None))


# -- parts of pages that people write -----------------------------------------------------------


def config_keys() -> Iterator[str]:
    """Every key of the configuration, a table for each section."""
    from llmspell_core.config.schema import keys
    from llmspell_core.config.settings import SECTIONS

    section = ""
    for key in keys():
        if key.path[0] != section:
            section = key.path[0]
            doc = SECTIONS[section].doc if section in SECTIONS else "of this schema"
            yield from ("", f"### {section}", "", f"{doc[:1].upper()}{doc[1:]}.", "")
            yield "| key | type | default | |"
            yield "| --- | --- | --- | --- |"
        default = "" if key.default in (None, "", [], {}, ()) else f"`{plain(key.default)}`"
        notes = [key.doc, f"({key.unit})" if key.unit else ""]
        notes.append("; needs a restart" if key.restart else "")
        path = ".".join("NAME" if part == "*" else part for part in key.path)
        note = cell(" ".join(notes)).replace(" ;", ";")
        yield f"| `{path}` | {cell(key.type)} | {default} | {note} |"


def plain(value: Any) -> str:
    """A default as TOML writes it."""
    return json.dumps(value, default=lambda one: getattr(one, "value", None) or list(one))


def profiles() -> Iterator[str]:
    """What each profile allows, in the words of its own explanation."""
    from llmspell_core.security.policy import Policy
    from llmspell_core.security.profile import SecurityProfile

    for names in PROFILES:
        policies = [
            Policy(SecurityProfile.named(name), project=ROOT, cwd=ROOT, audit=None)
            for name in names
        ]
        summaries = [policy.explain()["summary"] for policy in policies]
        yield f"| | {' | '.join(names)} |"
        yield "| --- |" + " --- |" * len(names)
        for key, label in ROWS.items():
            yield f"| {label} | {' | '.join(cell(one[key]) for one in summaries)} |"
        yield ""


def providers() -> Iterator[str]:
    """The services known by name."""
    from llmspell_agents.providers.presets import PRESETS

    yield "| provider | address | key |"
    yield "| --- | --- | --- |"
    for name, one in PRESETS.items():
        key = f"`{one.key_variable}`" if one.key_variable else f"none; {one.program} must run"
        yield f"| `{name}` | {one.base_url} | {key} |"


def hook_points() -> Iterator[str]:
    """The hook points with their aliases."""
    from llmspell_core.hooks.points import POINT_ALIASES, POINTS

    for point in POINTS:
        also = [alias for alias, name in POINT_ALIASES.items() if name == point]
        yield f"- `{point}`" + (f" (= {codes(also)})" if also else "")


def agent_templates() -> Iterator[str]:
    """The built-in agents, what they ask for, and their tools."""
    from llmspell_agents.plugin import configured_template
    from llmspell_core.extensions import Extensions
    from llmspell_core.registry import Registry

    yield "| agent | | parameters | tools |"
    yield "| --- | --- | --- | --- |"
    for name, extension in Extensions("agents").items():
        if extension.distribution == "llmspell-agents":
            one = configured_template(name, extension.load(), Registry("template")).info()
            asked = [f"**`{key}`**" for key in one["required_parameters"]]
            asked += [f"`{key}`" for key in one["optional_parameters"]]
            tools = codes(one["tools"])
            yield f"| `{name}` | {cell(one['description'])} | {', '.join(asked)} | {tools} |"


def agent_schema() -> str:
    """The JSON schema of agent files."""
    from llmspell_agents.files.schema import agent_schema as made

    return json.dumps(made(), indent=2, ensure_ascii=False) + "\n"


def navigation() -> Iterator[str]:
    """The generated pages in the navigation of mkdocs.yml."""
    for title, folder in (("Globals", "globals"), ("Tools", "tools")):
        yield f"      - {title}:"
        for path, text in sorted(pages().items()):
            if path.parent.name == folder:
                name = text.partition("\n")[0].removeprefix("# ").removeprefix("Tools: ")
                yield f"          - {name}: {path.relative_to(DOCS).as_posix()}"


def decisions() -> Iterator[str]:
    """The decisions in the navigation of mkdocs.yml, by number."""
    for path in sorted((DOCS / "decisions").glob("0*.md")):
        title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        yield f'      - "{title}": {path.relative_to(DOCS).as_posix()}'


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "agent_templates": agent_templates,
    "config_keys": config_keys,
    "decisions": decisions,
    "hook_points": hook_points,
    "navigation": navigation,
    "profiles": profiles,
    "providers": providers,
    "tool_categories": tool_categories,
    "tool_extras": tool_extras,
    "tool_table": tool_table,
}


# -- writing ----------------------------------------------------------------------------------


@cache
def pages() -> dict[Path, str]:
    """Each generated page's path and what it must hold."""
    reference = DOCS / "reference"
    found = {reference / "cli.md": cli_page(), reference / "agent.schema.json": agent_schema()}
    for name, manifest in manifests().items():
        found[reference / "globals" / f"{name.lower()}.md"] = global_page(manifest)
    for category, members in built_in().items():
        found[reference / "tools" / f"{category}.md"] = tool_page(category, members)
    return found


def parts() -> dict[Path, str]:
    """Each page with marked parts, and what it must hold."""
    found = {}
    by_hand = (ROOT / "mkdocs.yml", ROOT / "llmspell-tools/README.md")
    for path in (*by_hand, *sorted(DOCS.rglob("*.md"))):
        text = path.read_text(encoding="utf-8")
        filled = MARKED.sub(_fill, text)
        if filled != text or MARKED.search(text):
            found[path] = filled
    return found


def _fill(match: re.Match[str]) -> str:
    text = "\n".join(PARTS[match["name"]]()).strip("\n")
    blank = "\n" if match["sign"] == "<!--" else ""
    return f"{match['begin']}{blank}{text}\n{blank}{match['end']}"


def main(arguments: list[str]) -> int:
    """Write what is not up to date, or name it."""
    check = "--check" in arguments
    stale = 0
    made = pages()
    folders = {path.parent for path in made} - {DOCS / "reference"}
    left = {path for folder in folders for path in folder.glob("*.md")} - made.keys()
    for path in sorted(left):
        stale += 1
        print(f"nothing makes {path.relative_to(ROOT)} any more", file=sys.stderr)
    for wanted in (made, None):
        for path, text in (wanted or parts()).items():
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            stale += 1
            if check:
                print(f"not up to date: {path.relative_to(ROOT)}", file=sys.stderr)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
    return 1 if stale and (check or left) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

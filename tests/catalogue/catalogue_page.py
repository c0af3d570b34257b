"""docs/tools-catalogue.md: how often each tool was called from where, with the right result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from catalogue_cases import load_cases
from catalogue_rig import WAYS

from llmspell_core.extensions import Extensions
from llmspell_core.tool import Tool

#: How many calls of a tool gave what they should, by tool and way.
Counts = Mapping[tuple[str, str], int]

HEAD = """# Every tool from everywhere

Each tool of the catalogue is called on a real input from a Lua script, from modern JavaScript, from
ES5.1, by `llmspell tool run`, and by an agent whose model chose the call; the results are compared
with what is written in `tests/catalogue/catalogue.toml`. What needs a server gets one on this
machine: web pages, APIs that answer in their documented form, SMTP, PostgreSQL; what asks a model
gets a scripted one. The numbers are of calls with the right result, out of a run by
`scripts/catalogue.py`.
"""


def built_in() -> dict[str, Tool]:
    """The tools of llmspell-tools by name."""
    found = {}
    for name, extension in Extensions("tools").items():
        if extension.distribution == "llmspell-tools":
            found[name] = extension.load()()
    return found


def every_one() -> dict[tuple[str, str], int]:
    """The counts of a run in which everything went well."""
    calls = Counter(case.tool for case in load_cases())
    return {(tool, way): count for tool, count in calls.items() for way in WAYS}


def page(counts: Counts) -> str:
    """The page for these counts."""
    found = sorted((tool.category, name, tool) for name, tool in built_in().items())
    lines = [HEAD, f"| tool | extra | {' | '.join(WAYS.values())} |"]
    lines.append("| --- | --- |" + " ---: |" * len(WAYS))
    for category, name, tool in found:
        link = f"[{name}](reference/tools/{category}.md#{name})"
        cells = " | ".join(str(counts.get((name, way), 0)) for way in WAYS)
        extra = f"`{tool.extra}`" if tool.extra else ""
        lines.append(f"| {link} | {extra} | {cells} |")
    totals = " | ".join(str(sum(n for (_, one), n in counts.items() if one == way)) for way in WAYS)
    lines.append(f"| **all {len(found)}** | | {totals} |")
    return "\n".join(lines) + "\n"

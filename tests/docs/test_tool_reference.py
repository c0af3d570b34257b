"""The examples of the tools' pages run in Lua, in JavaScript and on the command line.

Those of tools that reach the network are left out: their hosts are examples. All others run, with
the files that they name, and a model that answers what is asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from catalogue_files import write_files
from catalogue_page import built_in
from docs_blocks import DOCS, Block, Result, blocks, run

PAGES = sorted((DOCS / "reference/tools").glob("*.md"))
#: What they print is another thing each time, tells of the calls before, or is a drawing in the
#: order of keys.
CHANGING = {
    "data-visualizer",
    "datetime-handler",
    "environment-reader",
    "file-operations",
    "file-watcher",
    "system-monitor",
    "uuid-generator",
}
SETTINGS = {
    "LLMSPELL_DEFAULT__EMBEDDING_MODEL": "openai/text-embedding-3-small",
    "LLMSPELL_SECURITY__TOOLS__ALLOW": '["*", "process-executor"]',
    "LLMSPELL_SECURITY__PROCESSES__ALLOWED": '["cat", "echo", "git"]',
    "LLMSPELL_SECURITY__ENVIRONMENT__ALLOWED": '["GREETING", "LANG"]',
}
#: Signs of the shell stand in quotes here.
COMMAND = re.compile(r"^\$ llmspell ([^\n]*)\n((?:#>[^\n]*\n)*)", re.MULTILINE)
NAME = re.compile(r'(?:Tool\.execute\("|tool run )([\w-]+)')

# One process for all of them.
pytestmark = pytest.mark.xdist_group("tool-reference")


def named(block: Block) -> str:
    """The tool that a block calls."""
    found = NAME.search(block.source)
    assert found is not None
    return found[1]


def offline(block: Block) -> bool:
    """Whether its tool stays on this machine."""
    return not built_in()[named(block)].permissions.network


ALL = [one for page in PAGES for one in blocks(page, "lua", "js", "console", command=COMMAND)]
RUN = [one for one in ALL if offline(one)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """All that can run, run once."""
    folder: Path = tmp_path_factory.mktemp("tool-reference")
    write_files(folder)
    return run(RUN, folder, **SETTINGS)


@pytest.mark.parametrize("index", range(len(RUN)), ids=[f"{one.where} {named(one)}" for one in RUN])
def test_an_example_runs(index: int, results: list[Result]) -> None:
    error = results[index].error
    if error and "[extension.unavailable]" in error:
        pytest.skip(error)
    assert error is None


def test_every_tool_has_examples_in_each_language() -> None:
    found = Counter((named(one), one.language) for one in ALL)
    for name, tool in built_in().items():
        counts = [found[name, language] for language in ("lua", "js", "console")]
        assert counts == [1, 1, len(tool.examples)], name


def test_each_language_prints_the_same(results: list[Result]) -> None:
    printed: dict[str, dict[str, str]] = {}
    for block, result in zip(RUN, results, strict=True):
        if result.error is None and named(block) not in CHANGING:
            by_language = printed.setdefault(named(block), {})
            by_language[block.language] = by_language.get(block.language, "") + result.printed
    assert len(printed) > 10
    # The keys of Lua's tables have no order of their own: what is made of them is sorted.
    differing = {
        name: texts
        for name, texts in printed.items()
        if len({"".join(sorted(text)) for text in texts.values()}) > 1
    }
    assert differing == {}


def test_what_stands_below_a_command_is_mostly_its_very_text(results: list[Result]) -> None:
    exact = 0
    for block, result in zip(RUN, results, strict=True):
        if block.language == "console":
            shown = "".join(f"#> {line}".rstrip() + "\n" for line in result.printed.splitlines())
            exact += block.prints == shown
    assert exact >= 40

"""What docs/ says is so: its code runs, its configuration is valid, its generated pages are new.

Every `lua` and `python` block and every `$ llmspell ...` line is run, unless `<!-- not run -->`
stands before the block. A `text` block right after one is what it prints; in a `console` block
that is what follows the command. What `...` stands for does not matter.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docs_blocks import DOCS, ROOT, Block, Result, blocks, run

from llmspell_core.config.settings import Settings

PAGES = sorted(path for path in DOCS.rglob("*.md") if "reference" not in path.parts)

# One process for all of them, whichever worker of the tests it is.
pytestmark = pytest.mark.xdist_group("docs")

RUN = [one for page in PAGES for one in blocks(page, "lua", "python", "console")]
CONFIGURATION = [one for page in PAGES for one in blocks(page, "toml")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """All blocks, run once."""
    return run(RUN, tmp_path_factory.mktemp("docs"))


@pytest.mark.parametrize("index", range(len(RUN)), ids=[one.where for one in RUN])
def test_the_block_runs_and_prints_what_the_page_says(index: int, results: list[Result]) -> None:
    printed, block = results[index].printed, RUN[index]
    assert results[index].error is None
    if block.prints and "..." in block.prints:
        pattern = re.escape(block.prints).replace(r"\.\.\.", r"(?s:.*)")
        assert re.fullmatch(pattern, printed), printed
    elif block.prints:
        assert printed == block.prints


@pytest.mark.parametrize("block", CONFIGURATION, ids=lambda block: block.where)
def test_the_configuration_is_valid(block: Block) -> None:
    data = tomllib.loads(block.source)
    if "project" not in data:
        Settings.model_validate(data)


def test_the_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts/reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run scripts/reference.py\n{done.stderr}"


def test_every_code_and_event_of_the_pages_is_one_that_exists() -> None:
    kinds = "agent|async|hook|policy|provider|script|state|tool|workflow"
    named = {
        one
        for page in PAGES
        for one in re.findall(rf"`((?:{kinds})\.[a-z_.]+)`", page.read_text(encoding="utf-8"))
    }
    sources = [
        path.read_text(encoding="utf-8")
        for folder in (*ROOT.glob("llmspell-*/src"), *ROOT.glob("packages/*/src"))
        for path in folder.rglob("*")
        if path.suffix in {".py", ".lua"}
    ]
    assert named
    assert [one for one in sorted(named) if not any(one in text for text in sources)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", text):
        assert (page.parent / target).exists(), target

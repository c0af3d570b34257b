"""What docs/ says is so: its code runs, its configuration is valid, its generated pages are new.

Every `lua` and `python` block and every `$ llmspell ...` line is run, unless `<!-- not run -->`
stands before the block. A `text` block right after one is what it prints; in a `console` block
that is what follows the command. What `...` stands for does not matter.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmspell_core.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "reference" not in path.parts)
BLOCK = re.compile(
    r"(<!-- not run -->\n)?^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ llmspell ([^|<>\n]*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page, and what it must print (None: anything)."""

    where: str
    language: str
    source: str
    prints: str | None


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            unused, language, source, output = match.groups()
            if unused or language not in languages:
                continue
            where = f"{page.relative_to(DOCS)}:{text.count(chr(10), 0, match.start()) + 1}"
            if language == "console":
                found += [Block(where, language, *one) for one in COMMAND.findall(source)]
            else:
                found.append(Block(where, language, source, output))
    return found


# One process for all of them, whichever worker of the tests it is.
pytestmark = pytest.mark.xdist_group("docs")

RUN = blocks("lua", "python", "console")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str | None]]:
    """All blocks, run in one process, since each alone would mostly start Python."""
    folder = tmp_path_factory.mktemp("docs")
    keep = {key: value for key, value in os.environ.items() if not key.startswith("LLMSPELL_")}
    own = {
        "LLMSPELL_SYSTEM__DATA_DIR": str(folder / "data"),
        "LLMSPELL_STATE__BACKEND": "memory",
        "OPENAI_API_KEY": "sk-of-the-documentation",
    }
    given = [{"where": one.where, "language": one.language, "source": one.source} for one in RUN]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(Path(__file__).with_name("run_blocks.py"))],
        cwd=folder,
        env={**keep, **own},
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str | None]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("index", range(len(RUN)), ids=[one.where for one in RUN])
def test_the_block_runs_and_prints_what_the_page_says(
    index: int, results: list[dict[str, str | None]]
) -> None:
    result, block = results[index], RUN[index]
    assert result["error"] is None, result["error"]
    printed = str(result["printed"])
    if block.prints and "..." in block.prints:
        pattern = re.escape(block.prints).replace(r"\.\.\.", r"(?s:.*)")
        assert re.fullmatch(pattern, printed), printed
    elif block.prints:
        assert printed == block.prints


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.where)
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

"""Code blocks of pages, and their run in one process: each alone would mostly start Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(
    r"(<!-- not run -->\n)?^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
#: Only what `llmspell` does alone: no pipes, no files of the shell.
COMMAND = re.compile(r"^\$ llmspell ([^|<>\n]*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a page, and what it must print (None: anything)."""

    where: str
    language: str
    source: str
    prints: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a block printed, and its error."""

    printed: str
    error: str | None


def blocks(page: Path, *languages: str, command: re.Pattern[str] = COMMAND) -> Iterator[Block]:
    """The blocks of a page in these languages; of a `console` block each command."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        unused, language, source, output = match.groups()
        if unused or language not in languages:
            continue
        where = f"{page.relative_to(DOCS)}:{text.count(chr(10), 0, match.start()) + 1}"
        if language == "console":
            yield from (Block(where, language, *one) for one in command.findall(source))
        else:
            yield Block(where, language, source, output)


def run(given: list[Block], folder: Path, **env: str) -> list[Result]:
    """How each went, run in this order for each language, in `folder` and with no settings."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith("LLMSPELL_")}
    own = {
        "LLMSPELL_SYSTEM__DATA_DIR": str(folder / "own"),
        "LLMSPELL_STATE__BACKEND": "memory",
        "OPENAI_API_KEY": "sk-of-the-documentation",
    }
    data: list[dict[str, Any]] = [
        {"where": one.where, "language": one.language, "source": one.source} for one in given
    ]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(Path(__file__).with_name("run_blocks.py"))],
        cwd=folder,
        env={**keep, **own, **env},
        input=json.dumps(data),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Result(one["printed"], one["error"]) for one in json.loads(done.stdout)]

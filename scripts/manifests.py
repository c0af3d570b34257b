"""Write what is known of each package's script globals and of our tools, for starts to read.

    hatch run python scripts/manifests.py          # write
    hatch run python scripts/manifests.py --check  # exit 1 when one is not up to date

A start reads these files and imports no component; `tests/repository` runs the check.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from llmspell_bridge.manifests import FILE, FORMAT, NAMES, compile_extension
from llmspell_core.extensions import Extensions
from llmspell_core.script.compact import names_only
from llmspell_core.tool_cards import FILE as CARDS
from llmspell_core.tool_cards import FORMAT as CARDS_FORMAT
from llmspell_core.tool_cards import card_data

ROOT = Path(__file__).resolve().parent.parent


def manifests() -> dict[Path, str]:
    """Path of each package's file -> what it must hold."""
    found: dict[str, dict[str, Any]] = {}
    for extension in Extensions("globals").values():
        package = extension.target.partition(":")[0].partition(".")[0]
        if extension.distribution.startswith("llmspell-"):
            found.setdefault(package, {})[extension.name] = compile_extension(extension)
    places = [*ROOT.glob("llmspell-*/src/llmspell*"), *ROOT.glob("packages/*/src/llmspell*")]
    folders = {path.name: path for path in places if path.is_dir()}
    texts: dict[Path, str] = {}
    for package, globals_ in found.items():
        if package in folders:
            short = {name: names_only(one) for name, one in globals_.items()}
            texts[folders[package] / FILE] = _text(globals_, indent=1)
            texts[folders[package] / NAMES] = _text(short, indent=None)
    texts[folders["llmspell_tools"] / CARDS] = _cards()
    return texts


def _cards() -> str:
    tools = {
        name: card_data(extension.load()())
        for name, extension in Extensions("tools").items()
        if extension.target.startswith("llmspell_tools.")
    }
    content = {"format": CARDS_FORMAT, "tools": tools}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _text(globals_: dict[str, Any], *, indent: int | None) -> str:
    content = {"format": FORMAT, "globals": globals_}
    separators = (",", ":") if indent is None else None
    return json.dumps(content, indent=indent, separators=separators, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files, or compare them."""
    stale = [
        path
        for path, text in manifests().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for path in stale:
            print(f"not up to date: {path.relative_to(ROOT)}", file=sys.stderr)
        return 1 if stale else 0
    for path, text in manifests().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

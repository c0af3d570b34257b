"""Give every package one version, and make our packages ask for that version of each other.

    python scripts/bump.py 0.2.0

Then `towncrier build --version 0.2.0`, commit, tag, `hatch build --all`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: A constant, so that `llmspell --version` need not read any metadata.
CONSTANT = "llmspell-cli/src/llmspell_cli/version.py"


def main(version: str, root: Path = ROOT) -> None:
    """Rewrite each pyproject.toml, and the constant, in place."""
    for path in (*root.glob("llmspell-*/pyproject.toml"), *root.glob("packages/*/pyproject.toml")):
        replace(path, r'^version = ".*"$', f'version = "{version}"', count=1)
        replace(path, r'"(llmspell-[\w-]+(?:\[[\w,-]+\])?)~=[^"]+"', rf'"\1~={version}"')
    replace(root / CONSTANT, r'^VERSION = ".*"$', f'VERSION = "{version}"', count=1)


def replace(path: Path, pattern: str, by: str, *, count: int = 0) -> None:
    """Replace PATTERN in the file at PATH."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(pattern, by, text, count=count, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if not re.fullmatch(r"\d+\.\d+\.\d+", version := sys.argv[1]):
        sys.exit(f"not a release version: {version}")
    main(version)

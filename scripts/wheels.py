"""Build the wheel of every package, in one process: all of them in a quarter of a second.

    python scripts/wheels.py OUT

Needs only hatchling. The wheels are the same bytes that `hatch build --all` makes.
OUT/constraints.txt points every name of ours at its wheel, so that

    uv pip install -c OUT/constraints.txt 'llmspell[lua]'

installs exactly these wheels (and reinstalls the ones that changed), checks the
versions our packages ask of each other, and takes nothing called llmspell-* from an index.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from hatchling.build import build_wheel

ROOT = Path(__file__).resolve().parent.parent


def package_dirs() -> list[Path]:
    """Every published package, found by its pyproject.toml."""
    return sorted(
        path.parent
        for glob in ("llmspell-*", "packages/*")
        for path in ROOT.glob(f"{glob}/pyproject.toml")
    )


def main(out: Path) -> None:
    """Empty OUT and fill it."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    lines = []
    for directory in package_dirs():
        os.chdir(directory)
        wheel = out / build_wheel(str(out))
        lines.append(f"{directory.name} @ {wheel.as_uri()}\n")
    (out / "constraints.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

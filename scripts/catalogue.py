"""Call every tool from everywhere and write what it came to into docs/tools-catalogue.md.

    hatch run full:python scripts/catalogue.py

Nothing is written when a call went wrong, or an engine, an extra or PostgreSQL is missing.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
for folder in (
    "tests/catalogue",
    "llmspell-tools/tests/communication",
    "llmspell-tools/tests/web",
):
    sys.path.insert(0, str(ROOT / folder))

from catalogue_cases import load_cases  # noqa: E402 - they lie among the tests
from catalogue_page import page  # noqa: E402
from catalogue_rig import WAYS, Rig  # noqa: E402

PAGE = ROOT / "docs/tools-catalogue.md"


def main() -> int:
    """Run them all; the exit code."""
    counts: Counter[tuple[str, str]] = Counter()
    failures = []
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        for way in WAYS:
            outcomes = rig.outcomes(way)
            for case in rig.cases:
                wrong = outcomes[case.name].unlike(case.expected)
                failures += [f"{case.name} ({WAYS[way]}): {one}" for one in wrong]
                counts[case.tool, way] += not wrong
        left_out = len(load_cases()) - len(rig.cases)
    if left_out:
        failures.append(f"{left_out} cases need PostgreSQL")
    print(*failures, f"{counts.total()} calls went well, {len(failures)} did not", sep="\n")
    if not failures:
        PAGE.write_text(page(counts), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

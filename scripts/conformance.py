"""Run the conformance suite on every engine and write what it came to into docs/conformance.md.

    hatch run python scripts/conformance.py             # run, write
    hatch run python scripts/conformance.py --dry WORD  # run the cases with WORD in their name

Nothing is written when a case fails or an engine is missing: the failures are printed instead.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/conformance"))

from conformance_cases import load_cases  # noqa: E402 - they lie among the tests
from conformance_page import page  # noqa: E402
from conformance_rig import TARGETS, Rig, Target, missing  # noqa: E402

PAGE = ROOT / "docs/conformance.md"


def run(words: list[str], target: Target) -> tuple[Counter[str], list[str]]:
    """How many cases went well on a target, by topic; and what did not, a text each."""
    logging.disable(logging.CRITICAL)
    passed: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        for case in load_cases():
            if not case.runs_on(target.engine) or not all(word in case.slug for word in words):
                continue
            wrong = rig.run(case, target).unlike(case.expects(target.engine))
            if wrong:
                failures.append("\n    ".join([f"{case.slug} [{target}]", *wrong]))
            else:
                passed[case.topic] += 1
    return passed, failures


def main() -> int:
    """Run them all; the exit code."""
    dry, words = "--dry" in sys.argv, [one for one in sys.argv[1:] if one != "--dry"]
    absent = [why for target in TARGETS if (why := missing(target.engine))]
    targets = [target for target in TARGETS if not missing(target.engine)]
    with ProcessPoolExecutor(2) as pool:
        results = dict(zip(targets, pool.map(partial(run, words), targets), strict=True))
    failures = [one for _, wrong in results.values() for one in wrong]
    print(*absent, *failures, sep="\n")
    print(sum(passed.total() for passed, _ in results.values()), "passed,", len(failures), "failed")
    if failures or absent or dry or words:
        return 1 if failures else 0
    counts = {(case.topic, target): 0 for case in load_cases() for target in targets}
    for target, (passed, _) in results.items():
        counts.update({(topic, target): count for topic, count in passed.items()})
    PAGE.write_text(page(counts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

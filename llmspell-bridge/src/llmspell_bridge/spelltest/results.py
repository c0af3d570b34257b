"""What became of tests written as spells: one result a test, one report a file."""

from __future__ import annotations

from pathlib import Path

from llmspell_core.errors import LLMSpellError
from llmspell_core.records import Record, key

#: A test passed, an expectation failed, it broke otherwise, or something before it ended the file.
PASSED, FAILED, BROKEN, NOT_RUN = "passed", "failed", "error", "not run"


class TestResult(Record):
    """How one test ended; `suite` are the titles of the `describe`s it stands in."""

    __test__ = False

    title: str
    suite: tuple[str, ...] = ()
    outcome: str = PASSED
    error: LLMSpellError | None = None
    duration_ms: float = 0.0

    @property
    def name(self) -> str:
        """All titles: `a greeting > says hello`."""
        return " > ".join((*self.suite, self.title))


class FileReport(Record):
    """How the tests of one file ended.

    `error` is what went wrong outside of a test: the file did not compile, or a limit ended it.
    `printed` is what it wrote to its standard streams, `text` its source.
    """

    path: Path
    engine: str = ""
    text: str = ""
    tests: list[TestResult] = key([], "in the order of the file")
    error: LLMSpellError | None = None
    duration_ms: float = 0.0
    printed: str = ""

    @property
    def ok(self) -> bool:
        """Whether every test passed and nothing else went wrong."""
        return self.error is None and all(one.outcome == PASSED for one in self.tests)

    def count(self, outcome: str) -> int:
        """How many tests ended so."""
        return sum(one.outcome == outcome for one in self.tests)

"""What every test of the repository shares."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from llmspell_core import logging

# A busy machine is not a failure: `timeout` in pyproject.toml finds what really hangs.
settings.register_profile("llmspell", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("llmspell")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of the local model on one worker, since each uses every core."""
    for item in items:
        if item.get_closest_marker("model"):
            item.add_marker(pytest.mark.xdist_group("model"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write halves of characters, which hostile scripts log, in a form that xdist can send."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Take away what a command that ran in this process set up for its own output."""
    yield
    logging.close()

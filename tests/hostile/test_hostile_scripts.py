"""The hostile corpus in every engine: each case once, by turns under `medium` and `high`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile_cases import Case, load_cases, once_each
from hostile_rig import Rig, missing

#: How many cases an engine has at least.
SIZES = {"lua": 60, "js": 45, "duktape": 30}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("hostile")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("case", "profile"),
    [
        pytest.param(*both, id=f"{engine}-{both[0].name}-{both[1]}")
        for engine in SIZES
        for both in once_each(engine)
    ],
)
def test_a_hostile_script_is_contained(case: Case, profile: str, rig: Rig) -> None:
    if (why := missing(case.engine)) is not None:
        pytest.skip(why)
    run = rig.run(case, profile)
    if run.outcome == "security.no_sandbox":
        pytest.skip(run.message)
    assert run.wrong == []


@pytest.mark.parametrize("engine", SIZES)
def test_the_corpus_is_large_enough(engine: str) -> None:
    assert len(load_cases(engine)) >= SIZES[engine]

"""The hostile corpus in modern JavaScript: each case once, by turns under `medium` and `high`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostile_cases import Case, load_cases, once_each
from hostile_rig import Rig, missing

pytestmark = pytest.mark.skipif(missing("js") is not None, reason=str(missing("js")))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("hostile")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("case", "profile"),
    [pytest.param(*both, id=f"{both[0].name}-{both[1]}") for both in once_each("js")],
)
def test_a_hostile_js_script_is_contained(case: Case, profile: str, rig: Rig) -> None:
    run = rig.run(case, profile)
    if run.outcome == "security.no_sandbox":
        pytest.skip(run.message)
    assert run.wrong == []


def test_the_js_corpus_is_large_enough() -> None:
    assert len(load_cases("js")) >= 45

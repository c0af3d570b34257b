"""Imports of strangers' plugins that raise, end and hang; names of built-in ones."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from llmspell_core.entry_points import Distribution, EntryPoint
from llmspell_core.extensions import Extension, _extension
from llmspell_core.loading import load_within

MINE = Distribution("llmspell-tools", "1", "")
THEIRS = Distribution("strange", "1", "")


def point(dist: Distribution, value: str = "strange_module:thing") -> EntryPoint:
    return EntryPoint("llmspell.tools", "thing", value, dist)


def test_what_it_names_or_what_it_raises_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "strange_good.py").write_text("thing = 7")
    (tmp_path / "strange_exit.py").write_text("raise SystemExit(2)")
    assert load_within(point(THEIRS, "strange_good:thing"), 5) == 7
    with pytest.raises(SystemExit):
        load_within(point(THEIRS, "strange_exit:thing"), 5)
    with pytest.raises(ModuleNotFoundError):
        load_within(point(THEIRS, "strange_absent:thing"), 5)


def test_one_that_hangs_is_left_behind_and_not_waited_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "strange_hang.py").write_text("import time\ntime.sleep(1)\nthing = 7")
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError, match="did not end"):
            load_within(point(THEIRS, "strange_hang:thing"), 0.2)
    assert time.monotonic() - started < 0.9
    while "strange_hang" in sys.modules and not hasattr(sys.modules["strange_hang"], "thing"):
        time.sleep(0.02)


def named(*points: EntryPoint) -> Extension:
    found: Extension | None = None
    for one in points:
        found = _extension("tools", one, found)
    assert found is not None
    return found


def test_a_built_in_name_stays_what_it_is_whoever_comes_first() -> None:
    for order in ((point(MINE), point(THEIRS)), (point(THEIRS), point(MINE))):
        found = named(*order)
        assert (found.distribution, found.hidden, found.others) == (
            "llmspell-tools",
            ("strange",),
            (),
        )
    other = point(Distribution("stranger", "1", ""))
    assert named(point(THEIRS), other).others == ("strange",)

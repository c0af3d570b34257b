"""What tells of memory that one function used up and freed again."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak")

SOURCE = """
from llmspell_js.peak import peak, watch
unwatched = peak()
watch()
before = peak()
large = bytearray(b"x") * (50 << 20)
del large
after = peak()
print(unwatched, 5 << 20 < before < 500 << 20, after - before >> 20)
"""


def test_the_peak_is_told_after_the_memory_is_free() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOURCE], capture_output=True, text=True, check=True
    )
    unwatched, plausible, grown = done.stdout.split()
    assert (unwatched, plausible) == ("0", "True")
    assert 40 <= int(grown) <= 60


def test_it_does_not_begin_with_the_peak_of_who_started_it() -> None:
    large = bytearray(b"x") * (300 << 20)
    done = subprocess.run(
        [sys.executable, "-c", "from llmspell_js.peak import *; watch(); print(peak() >> 20)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(large)
    assert int(done.stdout) < 100

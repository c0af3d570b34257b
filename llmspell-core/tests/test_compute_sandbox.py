"""What a function in a compute helper can reach: what it imports, and nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.compute import ComputeError, close_helpers, compute
from llmspell_core.security import linux

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not linux.landlock_abi() or not linux.seccomp_available(),
    reason="there is no sandbox for helpers here",
)


@pytest.fixture(scope="module", autouse=True)
def helpers_end() -> Iterator[None]:
    yield
    close_helpers()


def run(fn: str, *args: Any) -> Any:
    return asyncio.run(compute(fn, *args, timeout_ms=10_000))


def kind_of_failure(fn: str, *args: Any) -> str:
    with pytest.raises(ComputeError) as caught:
        run(fn, *args)
    return str(caught.value.details.get("type"))


def test_files_outside_of_what_it_imports_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("private")
    assert kind_of_failure("os:listdir", str(tmp_path)) == "PermissionError"
    assert kind_of_failure("os:open", str(tmp_path / "notes.txt"), os.O_RDONLY) == "PermissionError"
    assert kind_of_failure("os:listdir", "/") == "PermissionError"
    assert kind_of_failure("os:open", "/proc/self/environ", os.O_RDONLY) == "PermissionError"


def test_what_it_imports_can_be_read_and_not_written() -> None:
    folder = str(Path(os.__file__).parent)
    assert "os.py" in run("os:listdir", folder)
    assert kind_of_failure("os:open", f"{folder}/os.py", os.O_RDWR) == "PermissionError"
    assert kind_of_failure("os:mkdir", f"{folder}/made") == "PermissionError"


@pytest.mark.parametrize(
    ("fn", "args"),
    [
        ("socket:socketpair", ()),
        ("socket:socket", ()),
        ("os:fork", ()),
        ("os:kill", (os.getpid(), 0)),
        ("os:chmod", (str(Path.home()), 0o700)),
        ("os:unlink", (str(Path.home() / "no-such-file"),)),
        ("os:setsid", ()),
    ],
)
def test_nothing_else_can_be_reached(fn: str, args: tuple[Any, ...]) -> None:
    assert kind_of_failure(fn, *args) == "PermissionError"
    assert run("math:gcd", 4, 6) == 2


def test_libraries_may_start_threads_when_they_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "threaded_for_test.py").write_text(
        "import threading\n"
        "seen = []\n"
        "thread = threading.Thread(target=seen.append, args=(1,)); thread.start(); thread.join()\n"
        "def count(): return len(seen)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert run("threaded_for_test:count") == 1


def test_a_function_from_elsewhere_gets_a_helper_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_helpers()
    assert run("math:gcd", 4, 6) == 2  # this helper may not read the folder
    (tmp_path / "late_for_test.py").write_text(
        "def lazily():\n    import late_part_for_test\n    return late_part_for_test.VALUE\n"
    )
    (tmp_path / "late_part_for_test.py").write_text("VALUE = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert run("late_for_test:lazily") == 3
    assert run("math:gcd", 9, 6) == 3


def test_functions_of_our_own_work_with_all_they_import_late() -> None:
    template = "{{ '%s' | format(x) }}{{ 'a' | upper }}"
    assert run("llmspell_core.templating:render", template, {"x": 1}) == "1A"
    assert run("time:ctime", 0).endswith("1970")

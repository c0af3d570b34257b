from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_core.compute import ComputeError, close_helpers, compute
from llmspell_core.errors import LimitError, LLMSpellError, ValidationError


@pytest.fixture(scope="module", autouse=True)
def helpers_end() -> Iterator[None]:
    yield
    close_helpers()


def run(fn: str, *args: Any, timeout_ms: float = 5000, **options: Any) -> Any:
    return asyncio.run(compute(fn, *args, timeout_ms=timeout_ms, **options))


def test_a_function_gets_its_arguments_and_gives_its_result() -> None:
    assert run("math:gcd", 12, 18) == 6
    assert run("builtins:sorted", ["b", "\u00e4", "a", "\ud800"]) == ["a", "b", "\u00e4", "\ud800"]
    assert run("json:loads", '{"a": [1, 2.5, null, true]}') == {"a": [1, 2.5, None, True]}


def test_functions_of_installed_packages_are_found() -> None:
    text = run("llmspell_core.templating:render", "{% for i in range(3) %}{{ i }}{% endfor %}", {})
    assert text == "012"


@pytest.mark.parametrize("call", [("time:sleep", 60), ("re:match", "(a+)+$", "a" * 40 + "b")])
def test_what_takes_too_long_is_stopped_and_the_next_call_works(call: tuple[Any, ...]) -> None:
    run("math:gcd", 1, 1)
    started = time.monotonic()
    with pytest.raises(LimitError) as caught:
        run(*call, timeout_ms=300)
    assert caught.value.code == "limit.compute_timeout"
    assert time.monotonic() - started < 10
    assert run("math:gcd", 4, 6) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_a_memory_bomb_ends_in_an_error() -> None:
    with pytest.raises(LimitError) as caught:
        run("operator:mul", "a" * 1000, 10**7)
    assert caught.value.code == "limit.compute_memory"
    assert run("operator:mul", "ab", 2) == "abab"


def test_a_crash_costs_one_call() -> None:
    with pytest.raises(ComputeError) as caught:
        run("os:abort")
    assert caught.value.code == "compute.crashed"
    assert run("math:gcd", 4, 6) == 2


def test_what_a_function_raises_comes_back_in_words() -> None:
    with pytest.raises(ComputeError, match="division") as caught:
        run("operator:truediv", 1, 0)
    assert caught.value.details == {"type": "ZeroDivisionError"}
    with pytest.raises(ValidationError) as wrong:
        run("llmspell_core.templating:render", "{{ a", {})
    assert wrong.value.code == "template.syntax"
    with pytest.raises(ComputeError, match="nope"):
        run("math:nope")
    with pytest.raises(LLMSpellError):
        run("no_such_package_here:f")


def test_a_result_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ComputeError, match="JSON"):
        run("builtins:set", [1])


def test_printing_does_not_disturb_the_answer() -> None:
    assert run("builtins:print", "noise") is None
    assert run("math:gcd", 4, 6) == 2


def test_a_helper_has_no_secrets_and_not_our_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    close_helpers()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-host")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "colorsys.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert run("os:getenv", "OPENAI_API_KEY") is None
    assert run("colorsys:rgb_to_hsv", 0, 0, 0) == [0.0, 0.0, 0]


def test_calls_overlap_and_all_are_answered() -> None:
    async def main() -> list[int]:
        calls = (compute("math:gcd", 2 * n, 3 * n, timeout_ms=20_000) for n in range(1, 40))
        return list(await asyncio.gather(*calls))

    assert asyncio.run(main()) == list(range(1, 40))


def test_cancelling_ends_the_work() -> None:
    async def main() -> None:
        task = asyncio.create_task(compute("time:sleep", 60, timeout_ms=60_000))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = time.monotonic()
    asyncio.run(main())
    assert run("math:gcd", 4, 6) == 2
    assert time.monotonic() - started < 20


@pytest.mark.skipif(os.name != "posix", reason="looks at processes of POSIX")
def test_a_program_that_ends_leaves_no_helper() -> None:
    code = (
        "import asyncio\n"
        "from llmspell_core.compute import compute\n"
        "print(asyncio.run(compute('os:getpid', timeout_ms=9000)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)

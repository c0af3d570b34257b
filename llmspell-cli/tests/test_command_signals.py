"""SIGINT and SIGTERM: once lets the script clean up, twice ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmspell_cli.signals import PATIENCE_S
from llmspell_cli.testing import CommandLine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def interrupted(
    llmspell: CommandLine, *args: str, signals: list[int], **options: object
) -> tuple[int, str, str, float]:
    """(exit code, stdout, stderr, seconds) of a run that got signals once it had said "ready"."""
    with llmspell.start(*args, **options) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        started = time.monotonic()
        for number in signals:
            os.kill(process.pid, number)
            time.sleep(0.1)
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    took = time.monotonic() - started
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode(), took


CLEANUP = """
io.write("ready\\n") io.stdout:flush()
local ok, err = pcall(Async.sleep, 60000)
print("cleaned up after " .. err.code)
"""
LOOP = "print('ready') Async.sleep(1) while true do end"
STUBBORN = "print('ready') while true do pcall(Async.sleep, 60000) end"
READ = "print('ready') Async.sleep(1) return stdin.text()"


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_unwinds_the_script(number: int, code: int, word: str, tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    llmspell.write("c.lua", CLEANUP)
    ended, out, err, _ = interrupted(llmspell, "c.lua", signals=[number])
    assert (ended, out) == (code, "cleaned up after cancelled\n")
    assert err == f"error: {word}  [cancelled]\n"


@pytest.mark.parametrize("profile", ["medium", "low"])
def test_the_second_one_ends_what_does_not_want_to(profile: str, tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    code, _, _, took = interrupted(
        llmspell, "--profile", profile, "eval", STUBBORN, signals=[signal.SIGINT, signal.SIGINT]
    )
    assert code == 130
    assert took < 5


def test_one_is_enough_while_nobody_types(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    silent, writer = os.pipe()
    try:
        for profile in ("medium", "low"):
            code, _, err, took = interrupted(
                llmspell,
                "--profile",
                profile,
                "eval",
                READ,
                signals=[signal.SIGINT],
                stdin=silent,
            )
            assert (code, err) == (130, "error: interrupted  [cancelled]\n")
            assert took < 5
    finally:
        os.close(silent)
        os.close(writer)


@pytest.mark.parametrize("profile", ["medium", "low"])
def test_one_is_enough_for_an_endless_loop(profile: str, tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    code, _, err, took = interrupted(
        llmspell, "--profile", profile, "eval", LOOP, signals=[signal.SIGINT]
    )
    if took > PATIENCE_S:
        # A machine that is slow enough tells what else can be done, while it is being done.
        err = err.removeprefix("the script computes and does not listen; once more ends it\n")
    assert (code, err) == (130, "error: interrupted  [cancelled]\n")
    assert took < 5


def test_state_is_kept(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    llmspell.write("s.lua", f"State.set('n', 1)\n{CLEANUP}")
    interrupted(llmspell, "s.lua", signals=[signal.SIGTERM])
    llmspell.write("s.lua", "return State.get('n') == 1")
    assert llmspell("s.lua").code == 0

"""The end of the process: `run` returns to its caller, `leave` waits for nobody."""

from __future__ import annotations

import subprocess
import sys
import threading

from llmspell_cli.app import run

WAITS = """
import atexit, sys, threading
from llmspell_cli.ending import leave
atexit.register(print, "left as usual")
threading.Thread(target=threading.Event().wait, daemon={daemon}).start()
sys.exit(leave(3))
"""
COMPUTES = """
import asyncio, atexit, sys
from llmspell_cli.ending import leave
from llmspell_core.compute import compute
atexit.register(print, "left as usual")
print(asyncio.run(compute("json:loads", "[1]")))
sys.exit(leave(0))
"""


def test_who_calls_the_command_line_in_process_lives_on_though_a_thread_waits() -> None:
    end = threading.Event()
    waiting = threading.Thread(target=end.wait)
    waiting.start()
    try:
        assert run(["--version"]) == 0
    finally:
        end.set()
        waiting.join()


def test_a_thread_that_never_ends_does_not_keep_the_process() -> None:
    for daemon, printed in ((False, ""), (True, "left as usual\n")):
        code = WAITS.format(daemon=daemon)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False
        )
        assert (done.returncode, done.stdout) == (3, printed)


def test_idle_threads_of_compute_are_not_waited_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPUTES], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "[1]\nleft as usual\n", done.stderr

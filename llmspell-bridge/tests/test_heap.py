"""What runs have freed goes back to the system."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.heap import Heap, resident
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams

pytestmark = pytest.mark.skipif(resident() is None, reason="only glibc keeps what is freed")

#: Frees 100 MB between blocks that stay.
FRAGMENTED = """
from llmspell_bridge.heap import Heap, resident
heap = Heap()
heap.give_back()
before = resident()
blocks = [bytes(1000 + n % 5000) for n in range(40_000)]
kept = blocks[::50]
del blocks
after = resident()
heap.give_back()
print((after - before) >> 20, (resident() - before) >> 20)
"""


def test_what_was_freed_between_blocks_in_use_goes_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FRAGMENTED], capture_output=True, text=True, check=True
    )
    grown, left = map(int, done.stdout.split())
    assert grown > 90
    assert left < 20


def test_what_is_held_in_cycles_goes_back_when_there_is_time_to_look_for_it() -> None:
    held = FRAGMENTED.replace("del blocks", "loop = [blocks]; loop.append(loop); del blocks, loop")
    for collects, least, most in (("", 90, 200), ("collect=True", 0, 20)):
        text = "import gc; gc.disable()" + held.replace(
            "heap.give_back()\nprint", f"heap.give_back({collects})\nprint"
        )
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=True
        )
        assert least <= int(done.stdout.split()[1]) < most


def test_many_requests_are_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr("llmspell_bridge.heap.SOON_S", 0.01)
    heap = Heap()
    monkeypatch.setattr(heap, "give_back", lambda: looks.append(1))

    async def ask() -> None:
        for _ in range(5):
            heap.soon(asyncio.get_running_loop())
        await asyncio.sleep(0.05)

    asyncio.run(ask())
    assert looks == [1]
    # Another loop does not wait for a timer of the one that is gone.
    asyncio.run(ask())
    assert looks == [1, 1]


def test_a_loop_that_ends_before_its_look_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr("llmspell_bridge.heap.SOON_S", 0.01)
    heap = Heap()
    monkeypatch.setattr(heap, "give_back", lambda: looks.append(1))

    async def leave() -> None:
        heap.soon(asyncio.get_running_loop())

    async def stay() -> None:
        heap.soon(asyncio.get_running_loop())
        await asyncio.sleep(0.05)

    asyncio.run(leave())
    asyncio.run(stay())
    assert looks == [1]


def test_the_end_of_a_run_asks_for_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[asyncio.AbstractEventLoop] = []
    monkeypatch.setattr("llmspell_bridge.runtime.HEAP.soon", asked.append)

    async def go() -> None:
        async with ScriptRuntime({}, engine="lua") as runtime:
            await runtime.run(ScriptSource("return 1", "one.lua"), streams=CapturedStreams())

    asyncio.run(go())
    assert len(asked) == 1

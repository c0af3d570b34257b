"""What the host keeps, counts and does for a script that asks for too much of it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest

from llmspell_bridge.limits import SHORT_S, HeldSize, WallClock
from llmspell_bridge.script_log import emit
from llmspell_bridge.streams import CapturedStreams
from llmspell_bridge.testing import CARRIERS, run_source, script_runtime
from llmspell_bridge.turns import Turns
from llmspell_core.context import context_for
from llmspell_core.errors import LimitError, LLMSpellError

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def end_of(source: str, carrier: str = "worker", **limits: Any) -> Any:
    async def main() -> Any:
        settings = {"security": {"limits": {"memory_mb": 16, **limits}}}
        async with script_runtime(isolation=carrier, settings=settings) as runtime:
            try:
                return (await run_source(runtime, source, streams=CapturedStreams())).value
            except LLMSpellError as error:
                return error.code

    return asyncio.run(asyncio.wait_for(main(), 60))


@each_carrier
def test_what_a_script_makes_on_the_host_is_no_larger_than_its_own_memory(carrier: str) -> None:
    source = """
      local big, made = ("x"):rep(1000000), 0
      for i = 1, 50 do
        local ok, e = pcall(Agent.new, { name = "a" .. i, system_prompt = big .. i })
        if not ok then return { made, e.code, e.hint ~= nil } end
        made = i
      end
    """
    made, code, hinted = end_of(source, carrier)
    assert code == "limit.held_size"
    assert 10 <= made <= 16
    assert hinted


def test_many_small_things_on_the_host_are_counted_as_what_they_take() -> None:
    source = "for i = 1, 1e9 do Agent.new{ name = 'a' .. i } end"
    assert end_of(source, "process") == "limit.held_size"


@each_carrier
def test_what_is_not_kept_may_be_any_amount(carrier: str) -> None:
    source = """
      local big = ("x"):rep(1000000)
      for i = 1, 30 do
        Tool.execute("hash-calculator", { operation = "hash", input = big })
        State.set("k", big)
        Event.publish("e", big)
      end
      return "all"
    """
    assert end_of(source, carrier) == "all"


@each_carrier
def test_a_call_that_its_rate_delays_waits_in_the_scripts_own_time(carrier: str) -> None:
    source = "while true do Tool.list() end"
    started = time.monotonic()
    assert end_of(source, carrier, wall_s=0.5, host_calls_per_s=20) == "script.wall_limit"
    assert time.monotonic() - started < 5


@each_carrier
def test_calls_in_a_row_do_not_stop_the_clock(carrier: str) -> None:
    source = "while true do io.read('l') end"
    started = time.monotonic()
    assert end_of(source, carrier, wall_s=0.5) == "script.wall_limit"
    assert time.monotonic() - started < 5


@each_carrier
def test_what_helpers_compute_for_a_script_is_its_own_time(carrier: str) -> None:
    source = """
      local endless = { operation = "query", input = "1", query = "def f: f; f" }
      while true do pcall(Tool.execute, "json-processor", endless) end
    """
    started = time.monotonic()
    assert end_of(source, carrier, wall_s=1.5) == "script.wall_limit"
    assert time.monotonic() - started < 10


def test_a_clock_counts_short_waits_and_not_long_ones() -> None:
    async def main() -> tuple[float, float]:
        clock = WallClock(60)
        clock.start()
        for _ in range(5):
            clock.calls(1)
            await asyncio.sleep(SHORT_S / 5)
            clock.calls(-1)
        short = clock.used
        clock.calls(1)
        await asyncio.sleep(SHORT_S * 4)
        clock.calls(-1)
        clock.stop()
        return short, clock.used - short

    short, long = asyncio.run(main())
    assert short >= SHORT_S
    assert long < SHORT_S


def test_a_clock_counts_while_calls_follow_each_other_beside_one_that_waits() -> None:
    async def main() -> float:
        clock = WallClock(60)
        clock.start()
        clock.calls(1)
        for _ in range(10):
            await asyncio.sleep(SHORT_S / 5)
            clock.calls(0)
        clock.stop()
        return clock.used

    assert asyncio.run(main()) >= SHORT_S


def test_one_value_alone_is_never_too_much_to_hold() -> None:
    held = HeldSize(10, lambda: LimitError("full"))
    held.take(100)
    with pytest.raises(LimitError):
        held.take(1)
    held.give_back(100)
    held.take(5)
    held.take(5)
    HeldSize(0, lambda: LimitError("full")).take(1 << 40)


def test_turns_let_others_run_between_pieces_of_work() -> None:
    async def main() -> tuple[float, int]:
        turns, longest, done = Turns(), 0.0, 0

        async def work() -> None:
            nonlocal done
            if turns.over:
                await turns.next()
            started = time.monotonic()
            while time.monotonic() - started < 0.004:
                pass
            turns.spend(time.monotonic() - started)
            done += 1

        working = [asyncio.ensure_future(work()) for _ in range(60)]
        while done < 60:
            started = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - started)
        await asyncio.gather(*working)
        return longest, done

    longest, done = asyncio.run(main())
    assert done == 60
    assert longest < 0.15


def log(text: str) -> None:
    async def main() -> None:
        async with context_for(None) as ctx:
            emit(text, ctx)

    asyncio.run(main())


def test_too_many_log_records_at_once_are_none() -> None:
    log(json.dumps([{"message": "x"}] * 100))
    for text in (json.dumps([{}] * 5000), '"x"', "[", "{}"):
        with pytest.raises(LLMSpellError) as caught:
            log(text)
        assert caught.value.code == "script.protocol"


def test_long_log_records_are_cut(caplog: pytest.LogCaptureFixture) -> None:
    record = {"level": "error", "message": "x" * 2_000_000, "fields": {"a": "y"}}
    with caplog.at_level(logging.INFO, "llmspell"):
        log(json.dumps([record]))
    (line,) = caplog.records
    assert len(line.getMessage()) < 100_000
    assert "more characters" in line.getMessage()
    assert line.fields == {"fields": "left out"}  # type: ignore[attr-defined]

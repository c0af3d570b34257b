"""A time limit that is set only when something waits."""

from __future__ import annotations

import asyncio
import time

import pytest

from llmspell_core.within import TimeLimitError, within


def test_what_never_waits_sets_no_timer() -> None:
    async def work() -> int:
        return 7

    async def main() -> int:
        loop = asyncio.get_running_loop()
        before = len(loop._scheduled)  # type: ignore[attr-defined]
        found: int = await within(60, work())
        assert len(loop._scheduled) == before  # type: ignore[attr-defined]
        return found

    assert asyncio.run(main()) == 7


def test_what_waits_gives_its_value() -> None:
    async def work() -> list[int]:
        found = [1]
        for number in (2, 3):
            await asyncio.sleep(0)
            found.append(number)
        await asyncio.sleep(0.01)
        return found

    assert asyncio.run(within(5, work())) == [1, 2, 3]


@pytest.mark.parametrize("nested", [False, True])
def test_what_waits_too_long_is_ended(nested: bool) -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            seen.append("cleaned up")

    async def main() -> None:
        await within(0.05, within(20, work()) if nested else work())

    began = time.monotonic()
    with pytest.raises(TimeLimitError, match="longer than 50 ms"):
        asyncio.run(main())
    assert time.monotonic() - began < 5
    assert seen == ["cleaned up"]


def test_a_timeout_of_the_works_own_is_passed_on() -> None:
    async def work() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(30)

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(within(20, work()))
    assert not isinstance(caught.value, TimeLimitError)


@pytest.mark.parametrize("waits", [False, True])
def test_errors_come_through(waits: bool) -> None:
    async def work() -> None:
        if waits:
            await asyncio.sleep(0)
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        asyncio.run(within(5, work()))


def test_work_may_refuse_a_first_cancellation() -> None:
    async def work() -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "saved"
        return "slept"

    async def main() -> str:
        task = asyncio.ensure_future(within(20, work()))
        await asyncio.sleep(0.01)
        task.cancel()
        return str(await task)

    assert asyncio.run(main()) == "saved"


def test_futures_and_tasks_are_limited_too() -> None:
    async def main() -> None:
        await within(0.02, asyncio.ensure_future(asyncio.sleep(30)))

    with pytest.raises(TimeLimitError):
        asyncio.run(main())

"""Standard streams of scripts: the process's own and captured ones, text and bytes."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_bridge.reading import Pushback, read_from, read_raw
from llmspell_bridge.streams import CapturedStreams, EmptyInput
from llmspell_bridge.testing import CARRIERS, run_source, script_runtime

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def captured(source: str, carrier: str, stdin: str = "") -> tuple[Any, CapturedStreams]:
    async def main() -> tuple[Any, CapturedStreams]:
        streams = CapturedStreams(stdin)
        async with script_runtime(isolation=carrier) as runtime:
            return (await run_source(runtime, source, streams=streams)).value, streams

    return asyncio.run(main())


@each_carrier
def test_output_and_input_of_a_script(carrier: str) -> None:
    source = """
      print("a", 1, nil, true)
      io.stderr:write("warn\\n")
      io.write("é", 2, "\\n")
      return {io.read("l"), io.read("L"), io.read("n"), io.read(3), io.read("a"), io.read("l")}
    """
    value, streams = captured(source, carrier, "one\ntwo\n 42.5 yz rest\nmore")
    assert streams.stdout == "a\t1\tnil\ttrue\né2\n"
    assert streams.stderr == "warn\n"
    assert value[:3] == ["one", "two\n", 42.5]
    assert value[4].endswith("rest\nmore")


@each_carrier
def test_big_outputs_and_inputs(carrier: str) -> None:
    size = 3_000_000
    value, streams = captured(
        f"io.write(('x'):rep({size})) return #stdin.text()", carrier, "y" * size
    )
    assert (value, len(streams.stdout)) == (size, size)


def test_empty_input() -> None:
    async def main() -> list[Any]:
        return [await EmptyInput().read(how) for how in ("l", "L", "n", 5, "a")]

    assert asyncio.run(main()) == [None, None, None, None, ""]


@given(st.text(alphabet="ab \n1", max_size=40), st.lists(st.sampled_from(["l", "L", "n", 0, 3])))
def test_what_is_given_back_is_read_again(text: str, reads: list[str | int]) -> None:
    plain, pushed = io.StringIO(text, newline="\n"), Pushback(io.StringIO(text, newline="\n"))
    for how in reads:
        if how != "n":
            taken = read_raw(pushed, how)
            if taken:
                pushed.unread(taken)
            assert read_from(pushed, how) == read_from(plain, how)
    assert pushed.read() == plain.read()


@pytest.mark.parametrize(
    ("text", "number", "rest"),
    [
        (" -1.5e3,rest", "-1.5e3", ",rest"),
        ("42.5x", "42.5", "x"),
        ("0x1Fg", "0x1F", "g"),
        ("\n7", "7", ""),
        ("one", None, "one"),
        ("", None, ""),
    ],
)
def test_a_number_leaves_what_follows_it(text: str, number: str | None, rest: str) -> None:
    data = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")
    for source in (Pushback(io.StringIO(text)), io.StringIO(text), data):
        assert read_from(source, "n") == number
        assert read_from(source, "a") == rest


# -- the process's own streams, in a process of its own --------------------------------------------

PROGRAM = """
import asyncio, sys
from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime

async def main():
    async with ScriptRuntime({"state": {"backend": "memory"}}, isolation="process") as runtime:
        result = await runtime.run(ScriptSource(sys.argv[1], "x.lua"))
        return result.exit_code or 0

sys.exit(asyncio.run(main()))
"""


def program(source: str, stdin: bytes | None = None, **how: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **how,
    )


def test_bytes_pass_through_a_filter_unchanged() -> None:
    raw = b"text \xc3\xa9\n\xff\xfe\x80 bytes\r\n last"
    with program("for line in io.lines('L' and nil, 'L') do io.write(line) end") as process:
        out, err = process.communicate(raw, timeout=60)
    if process.returncode:
        pytest.fail(err.decode())
    assert out == raw


def test_a_script_can_end_while_a_read_still_waits() -> None:
    source = "Async.spawn(io.read) Async.sleep(50) print('done') os.exit(4)"
    with program(source) as process:
        # Nothing is written, and the pipe stays open: a read would wait for ever.
        assert process.wait(60) == 4
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == b"done\n"
        assert process.stderr.read() == b""


def test_a_read_that_was_given_up_loses_nothing() -> None:
    source = """
      local ok, e = pcall(Async.timeout, 100, io.read)
      print(e.code)
      stdout.flush()
      print(io.read(), io.read())
    """
    with program(source) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"timeout\n"
        process.stdin.write(b"first\nsecond\n")
        process.stdin.close()
        assert process.stdout.read() == b"first\tsecond\n"
        assert process.wait(60) == 0

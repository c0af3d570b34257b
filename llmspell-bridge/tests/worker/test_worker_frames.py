"""Frames, and what a host does with those that are none."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_bridge.worker.frames import (
    FrameError,
    Reader,
    check_guest,
    encode,
    encode_answer,
    encode_call,
)
from llmspell_bridge.worker.proxy import WorkerSession
from llmspell_bridge.worker.testing import EngineHost
from llmspell_core.errors import ScriptError
from llmspell_core.script.jsontext import dumps, loads

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


# -- codec ---------------------------------------------------------------------------------------


@given(JSON)
def test_json_text_is_what_the_standard_library_reads_and_writes(value: Any) -> None:
    assert json.loads(dumps(value)) == value
    assert loads(f" {json.dumps(value)}\n") == value


@pytest.mark.parametrize("text", ["", "{", "1 2", "[1,]", "nope", '"a\nb"', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        loads(text)


def test_values_that_are_no_json_are_refused() -> None:
    for value in (object(), {1, 2}, float("nan")):
        with pytest.raises((TypeError, ValueError)):
            dumps(value)


@given(st.lists(st.tuples(st.text(), JSON), max_size=4), st.integers(1, 50))
def test_frames_arrive_however_they_are_cut(frames: list[tuple[str, Any]], size: int) -> None:
    stream = b"".join(encode(kind, value) for kind, value in frames)
    reader = Reader(1 << 20)
    got: list[Any] = []
    for start in range(0, len(stream), size):
        got.extend(reader.feed(stream[start : start + size]))
    assert got == [[kind, value] for kind, value in frames]
    assert reader.rest == 0


@given(st.integers(0, 2**53), st.text() | st.integers(0, 2**31), st.text(), st.text())
def test_frames_written_by_hand_are_frames(
    call_id: int, target: str | int, method: str, args: str
) -> None:
    reader = Reader(1 << 20)
    frames = [*reader.feed(encode_call(call_id, target, method, args, 3))]
    assert frames == [["call", call_id, target, method, args, 3]]
    assert [*reader.feed(encode_answer(call_id, True, args))] == [["answer", call_id, True, args]]


def test_a_frame_that_is_too_long_is_refused_by_its_length() -> None:
    with pytest.raises(FrameError):
        next(Reader(10).feed((11).to_bytes(4, "little")))


@pytest.mark.parametrize(
    "frame",
    [
        ["nonsense"],
        ["call", 1, "Tool", "add", "[]"],
        ["call", "1", "Tool", "add", "[]", 0],
        ["call", True, "Tool", "add", "[]", 0],
        ["call", 1, None, "add", "[]", 0],
        ["call", 1, ["Tool"], "add", "[]", 0],
        ["call", 1, "Tool", 2, "[]", 0],
        ["call", 1, "Tool", "add", [], 0],
        ["done", 1, 1, "null"],
        ["ready"],
        ["ready", 1],
        ["drop", 1],
        ["idle"],
        ["__class__"],
    ],
)
def test_frames_of_the_wrong_form_are_refused(frame: list[Any]) -> None:
    with pytest.raises(FrameError):
        check_guest(frame)


# -- a hostile worker ----------------------------------------------------------------------------


class Impostor:
    """A worker made of a socket: says what it is told to, and ends when it is killed."""

    pid = 0
    layers: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.socket, self.theirs = socket.socketpair()
        self.killed = False

    def kill(self) -> None:
        self.killed = True
        self.socket.close()
        self.theirs.close()

    def limit_memory(self, _memory_mb: float) -> None: ...

    def ended(self, _wait_s: float) -> bool:
        return True

    def left_by_itself(self) -> bool:
        return True

    def why(self) -> tuple[str, str]:
        return "script.crashed", "gone"


def outcome(data: bytes, *, close: bool = False) -> ScriptError | None:
    """What a run ends with when the worker answers this; None while the host still waits."""

    async def main() -> ScriptError | None:
        impostor, host = Impostor(), EngineHost()
        host.methods["Tool.add"] = lambda *_: 3
        host.session = WorkerSession(impostor, host, {"limits": {"value_mb": 1}})  # type: ignore[arg-type]
        _, end = host.start("return 1")
        await asyncio.sleep(0)
        impostor.theirs.sendall(data)
        if close:
            impostor.theirs.close()
        error = None
        try:
            await asyncio.wait_for(asyncio.shield(end), 0.05)
        except ScriptError as found:
            error = found
            assert impostor.killed
        except TimeoutError:
            pass
        host.session.close()
        return error

    return asyncio.run(main())


def framed(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else text.encode()
    return len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize(
    "data",
    [
        framed("garbage"),
        framed(b"\xff\xfe"),
        framed("{}"),
        framed("[]"),
        framed("[1]"),
        framed('["unknown"]'),
        framed("[" * 100_000),
        (2**31).to_bytes(4, "little"),
        encode("done", 77, True, "null"),
        encode("write", "stdnull", "x"),
        encode("drop", ["x"]),
        encode("drop", [True]),
        encode("call", 1, "Async", "sleep", "[1000]", 0) * 2,
        encode("idle", "x"),
    ],
)
def test_a_worker_that_breaks_the_protocol_is_killed(data: bytes) -> None:
    error = outcome(data)
    assert error is not None
    assert error.code == "script.protocol"


def test_a_worker_that_breaks_off_in_a_frame_is_reported_as_that() -> None:
    error = outcome(encode("done", 1, True, "null")[:-3], close=True)
    assert error is not None
    assert error.code == "script.protocol"
    error = outcome(b"", close=True)
    assert error is not None
    assert error.code == "script.crashed"


def test_arguments_that_are_no_json_do_not_reach_past_the_host() -> None:
    assert outcome(encode("call", 1, "Tool", "add", "[1,", 0)) is None


@given(
    st.binary(max_size=200)
    | st.lists(JSON, min_size=1, max_size=6).map(lambda f: framed(json.dumps(f)))
)
def test_whatever_a_worker_sends_the_host_lives(data: bytes) -> None:
    error = outcome(data, close=True)
    assert error is None or error.code in ("script.protocol", "script.crashed")

"""`llmspell chat` and `llmspell session`: pipes, a terminal, sessions over processes."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmspell_cli.chat.display import Display
from llmspell_cli.testing import CommandLine, serving
from llmspell_core.messages import StreamChunk, ToolCall
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

terminal_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
CTRL_C, CTRL_D = "\x03", "\x04"


class Service:
    """A model service that repeats what it is told, and writes down what it was sent."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, Any]]] = []
        #: An answer waits for it.
        self.may_answer = threading.Event()
        self.may_answer.set()

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        messages = body["messages"]
        self.asked.append(messages)
        self.may_answer.wait(40)
        last = messages[-1]
        text = last["content"] if isinstance(last["content"], str) else "parts"
        if last["role"] == "user" and text.startswith("delete"):
            arguments = json.dumps({"operation": "delete", "path": text.split()[1]})
            function = {"name": "file-operations", "arguments": arguments}
            return completion(tool_calls=[{"id": "c1", "type": "function", "function": function}])
        return completion(f"heard: {text}")

    def texts(self) -> list[str]:
        """What the last request was made of, its system text aside."""
        return [one["content"] for one in self.asked[-1] if one["role"] != "system"]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def llmspell(tmp_path: Path, service: Service) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    with serving(FakeOpenAI(service.reply)) as server:
        made.env["LLMSPELL_PROVIDERS__FAKE__BASE_URL"] = server.base_url
        made.env["LLMSPELL_DEFAULT__MODEL"] = "fake/m"
        made.env["LLMSPELL_SECURITY__TOOLS__REQUIRE_APPROVAL"] = '["destructive"]'
        made.env["TERM"] = "dumb"
        yield made


class Screen:
    """A chat on a pseudo-terminal: what is typed, and all that was shown."""

    def __init__(self, llmspell: CommandLine, *args: str) -> None:
        import pty

        self._terminal, theirs = pty.openpty()
        self.process = llmspell.start(
            "chat", *args, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def wait_for(self, text: str, times: int = 1) -> None:
        """Read until the text was shown so many times."""
        end = time.monotonic() + 40
        while self.shown.count(text) < times:
            assert time.monotonic() < end, f"{text!r} is not in {self.shown!r}"
            self._read(1)

    def wait_for_prompt(self) -> None:
        """Read until a line may be typed."""
        end = time.monotonic() + 40
        while not self.shown.endswith("> "):
            assert time.monotonic() < end, f"no prompt at the end of {self.shown!r}"
            self._read(1)

    def type(self, text: str) -> None:
        """Type, once what was typed before is dealt with."""
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """Wait for the end; the exit code."""
        end = time.monotonic() + 30
        while time.monotonic() < end and self._read(0.2):
            pass
        os.close(self._terminal)
        return self.process.wait(10)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self._terminal, 4096)
        except OSError:
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + 40
    while not happened() and time.monotonic() < end:
        time.sleep(0.02)


def _own_terminal() -> None:
    """Make standard input the terminal of the process, so that Ctrl-C is a signal there.

    Whoever runs the tests may ignore the signal, as what is started in the background does.
    """
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_pipe_gets_one_answer_and_nothing_else(llmspell: CommandLine) -> None:
    done = llmspell("chat", stdin="hello\nthere\n")
    assert (done.code, done.out, done.err) == (0, "heard: hello\nthere\n", "")


def test_data_from_a_pipe_follows_the_prompt(llmspell: CommandLine, service: Service) -> None:
    assert llmspell("chat", "Review this:", stdin="a = 1\n").code == 0
    assert service.texts() == ["Review this:\n\na = 1"]


def test_nothing_to_say_is_a_usage_error(llmspell: CommandLine) -> None:
    done = llmspell("chat", stdin=" \n")
    assert done.code == 2
    assert "a prompt is expected" in done.err


def test_the_next_process_goes_on(llmspell: CommandLine, service: Service) -> None:
    refused = llmspell("chat", "--continue", "x")
    assert refused.code == 1
    assert "there is no chat to continue" in refused.err
    llmspell("chat", "one")
    llmspell("chat", "--session", "mine", "two")
    llmspell("chat", "--continue", "three")
    assert service.texts() == ["two", "heard: two", "three"]
    llmspell("chat", "--session", "mine", "four")
    assert service.texts()[-3:] == ["three", "heard: three", "four"]
    both = llmspell("chat", "--continue", "--session", "mine", "x")
    assert both.code == 2


def test_sessions_are_listed_shown_and_deleted(llmspell: CommandLine) -> None:
    llmspell("chat", "--session", "mine", "what a title")
    llmspell.write("s.lua", 'Session.create{ id = "of-script", name = "Of a script" }')
    llmspell("s.lua")
    rows = json.loads(llmspell("session", "list", "--json").out)
    assert [(one["id"], one["owner"], one["turns"], one["title"]) for one in rows] == [
        ("of-script", "script:s.lua", 0, "Of a script"),
        ("mine", "chat", 1, "what a title"),
    ]
    assert "what a title" in llmspell("session", "list").out
    shown = llmspell("session", "show", "mine")
    assert shown.out == "user: what a title\nassistant: heard: what a title\n"
    records = json.loads(llmspell("session", "show", "mine", "--json").out)["records"]
    assert [one["kind"] for one in records] == ["step", "end"]
    assert llmspell("session", "delete", "mine", "of-script").code == 0
    assert llmspell("session", "delete", "mine").code == 1
    assert llmspell("session", "show", "mine").code == 1


def test_a_script_does_not_read_chats(llmspell: CommandLine) -> None:
    llmspell("chat", "--session", "mine", "secret")
    llmspell.write("s.lua", 'print(#Session.list())\nprint(Session.load("mine").id)')
    done = llmspell("s.lua")
    assert done.out == "0\n"
    assert "policy.session" in done.err


def test_files_are_put_into_the_message(llmspell: CommandLine, service: Service) -> None:
    llmspell.write("note.txt", "to Oslo")
    llmspell.write("a note.txt", "by ship")
    llmspell.write("picture.png", b"\x89PNG\r\n")
    llmspell.write("blob.bin", b"\xff\xfe\x00")
    llmspell.write(".env", "KEY=1")
    llmspell("chat", 'Read @note.txt, @"a note.txt" and mail me@example.com or @nobody')
    (text,) = service.texts()
    assert text.startswith('Read @note.txt, @"a note.txt" and mail')
    assert '<file name="note.txt">\nto Oslo\n</file>' in text
    assert "by ship" in text
    llmspell("chat", "Look: @picture.png")
    parts: Any = service.texts()[-1]
    assert [part["type"] for part in parts] == ["text", "image_url"]
    asked = len(service.asked)
    refused = llmspell("chat", "Read @.env")
    assert (refused.code, "policy." in refused.err) == (1, True)
    assert "is no text, image or sound" in llmspell("chat", "Read @blob.bin").err
    assert len(service.asked) == asked


def test_what_is_no_file_is_said_to_be_none(llmspell: CommandLine, service: Service) -> None:
    llmspell.write("data.bin", b"\x00\x01bin".decode())
    done = llmspell("chat", "ask @bob about @nothere.txt")
    assert (done.code, done.err) == (0, "  @nothere.txt is no file: it is sent as it stands\n")
    assert service.texts()[-1] == "ask @bob about @nothere.txt"
    done = llmspell("chat", "what is @data.bin")
    assert (done.code, "is no text, image or sound" in done.err) == (2, True)


def test_what_is_piped_in_names_no_files(llmspell: CommandLine, service: Service) -> None:
    llmspell.write("private.txt", "the password is xyzzy")
    for args in (("chat", "Review this."), ("chat",)):
        assert llmspell(*args, stdin="a line with @private.txt in it").code == 0
        assert "xyzzy" not in json.dumps(service.asked[-1])
        assert service.texts()[-1].endswith("a line with @private.txt in it")


def test_the_session_of_a_script_is_no_chat(llmspell: CommandLine, service: Service) -> None:
    script = 'Agent.new{ name = "a" }:execute{ text = "hi", session = "trip" }'
    llmspell.write("s.lua", script)
    assert llmspell("s.lua").code == 0
    done = llmspell("chat", "--session", "trip", "private")
    assert (done.code, "belongs to a script, which would see the chat" in done.err) == (1, True)
    assert "private" not in json.dumps(service.asked)


def test_agents_and_models_are_chosen_and_kept(llmspell: CommandLine, service: Service) -> None:
    agent = 'name = "pirate"\nsystem_prompt = "You are a pirate."\n'
    llmspell.write("pirate.agent.toml", agent)
    llmspell("chat", "--agent", "pirate.agent.toml", "--session", "s", "hi")
    assert service.asked[-1][0]["content"] == "You are a pirate."
    llmspell("chat", "--session", "s", "again")
    assert service.asked[-1][0]["content"] == "You are a pirate."
    assert service.texts() == ["hi", "heard: hi", "again"]
    unknown = llmspell("chat", "--agent", "pirat", "hi")
    assert unknown.code == 1
    assert "Traceback" not in unknown.err


@terminal_only
def test_a_conversation_on_a_terminal(llmspell: CommandLine, service: Service) -> None:
    screen = Screen(llmspell)
    screen.wait_for("> ")
    assert "chat on fake/m" in screen.shown
    screen.type("one\\\n")
    screen.wait_for("... ")
    screen.type("two\n")
    screen.wait_for("heard: one")
    assert service.texts() == ["one\ntwo"]
    screen.type("/sesions\n")
    screen.wait_for('did you mean "/sessions"')
    screen.type("/sessions\n")
    screen.wait_for("1 turn  one two")
    screen.type("/stats\n")
    screen.wait_for("tokens  ")
    screen.type("/new\n")
    screen.wait_for("  session 2")
    screen.type("fresh\n")
    screen.wait_for("heard: fresh")
    assert service.texts() == ["fresh"]
    screen.wait_for_prompt()
    screen.type(CTRL_D)
    screen.wait_for("goes on here")
    assert screen.end() == 0
    history = llmspell.home / "data" / "chat_history"
    assert "fresh" in history.read_text(encoding="utf-8")
    assert history.stat().st_mode & 0o077 == 0


@terminal_only
def test_tools_and_approvals_are_inline(llmspell: CommandLine) -> None:
    llmspell.write("output/a.txt", "")
    agent = 'name = "cleaner"\nsystem_prompt = "x"\ntools = ["file-operations"]\n'
    llmspell.write("cleaner.agent.toml", agent)
    screen = Screen(llmspell, "--agent", "cleaner.agent.toml")
    screen.wait_for("> ")
    screen.type("delete output/a.txt\n")
    screen.wait_for("cleaner wants to run")
    screen.wait_for("from now on: ")
    screen.type("y\n")
    screen.wait_for("heard: ")
    assert "▸ file-operations  operation=delete path=output/a.txt" in screen.shown
    assert "✓ file-operations" in screen.shown
    assert not (llmspell.cwd / "output/a.txt").exists()
    llmspell.write("output/b.txt", "")
    screen.type("delete output/b.txt\n")
    screen.wait_for("from now on: ", 2)
    screen.type("n\n")
    screen.wait_for("✗ file-operations")
    screen.wait_for("heard: ", 2)
    assert (llmspell.cwd / "output/b.txt").exists()
    screen.type("/exit\n")
    assert screen.end() == 0


@pytest.mark.parametrize("columns", [60, 200])
def test_a_tool_takes_one_line(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    call = ToolCall(
        id="c1", name="file-operations", arguments={"input": "word " * 90}, duration_ms=12
    )
    Display().show(StreamChunk(type="tool_call", tool_call=call))
    Display().show(StreamChunk(type="tool_result", tool_call=call, text="word\n" * 90))
    begun, ended = capsys.readouterr().err.splitlines()
    assert begun.startswith("  ▸ file-operations  input=word")
    assert ended.endswith("...  12 ms")
    assert max(len(begun), len(ended)) < min(columns, 140)


@terminal_only
def test_ctrl_c_stops_the_answer_and_not_the_chat(llmspell: CommandLine, service: Service) -> None:
    service.may_answer.clear()
    screen = Screen(llmspell)
    screen.wait_for("> ")
    screen.type("slow\n")
    until(lambda: bool(service.asked))
    screen.type(CTRL_C)
    screen.wait_for("stopped")
    service.may_answer.set()
    screen.wait_for_prompt()
    screen.type("next\n")
    screen.wait_for("heard: next")
    assert service.texts()[-1] == "next"
    screen.wait_for_prompt()
    screen.type(CTRL_D)
    screen.wait_for("goes on here")
    assert screen.end() == 0
    assert "Traceback" not in screen.shown


def test_a_second_process_waits_or_is_told(llmspell: CommandLine, service: Service) -> None:
    service.may_answer.clear()
    first = llmspell.start("chat", "--session", "s", "first", stdin=subprocess.DEVNULL)
    until(lambda: bool(service.asked))
    told = llmspell("chat", "--set", "sessions.wait_ms=100", "--session", "s", "second")
    assert told.code == 1
    assert "session.busy" in told.err
    third = llmspell.start("chat", "--session", "s", "third", stdin=subprocess.DEVNULL)
    time.sleep(0.5)
    service.may_answer.set()
    assert first.communicate(timeout=40)[0] == b"heard: first\n"
    assert third.communicate(timeout=40)[0] == b"heard: third\n"
    assert service.texts() == ["first", "heard: first", "third"]


@pytest.mark.model
def test_the_local_model_goes_on_in_a_second_process(tmp_path: Path) -> None:
    llmspell = CommandLine(tmp_path)
    del llmspell.env["LLMSPELL_SYSTEM__CACHE_DIR"]
    llmspell.write(
        "s.lua",
        """
local a = Agent.new{ name = "a", system_prompt = "Answer in three words.", max_tokens = 12,
  temperature = 0 }
local out = a:execute{ text = "The parcel goes to Oslo.", session = "s" }
print(out.metadata.usage.input_tokens, #a:history("s"), #out.text)
""",
    )
    first, second = llmspell("s.lua"), llmspell("s.lua")
    assert (first.code, second.code) == (0, 0), first.err + second.err
    tokens, messages, answer = map(int, first.out.split())
    assert (messages, answer > 0) == (2, True)
    more_tokens, more_messages, _ = map(int, second.out.split())
    assert more_messages == 4
    # The model was shown what was said in the first process.
    assert more_tokens > tokens + 10
    said = llmspell("chat", "--session", "talk", "Say hello.")
    assert said.out.strip(), said.err
    assert llmspell("chat", "--continue", "Once more.").out.strip()
    assert llmspell("session", "show", "talk").out.count("assistant:") == 2

"""What the logs look like, where they go, and what never stands in them."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core import logging as logs
from llmspell_core.config.settings import Settings
from llmspell_core.errors import ConfigError
from llmspell_core.security.redact import Redactor


@pytest.fixture(autouse=True)
def leave_no_logging_behind() -> Iterator[None]:
    yield
    logs.close()


def settings(**system: Any) -> Settings:
    return Settings.model_validate({"system": system})


def test_a_line_for_people_has_time_level_name_message_and_fields() -> None:
    stream = io.StringIO()
    logs.setup(settings(log_level="info"), stream)
    log = logs.get("runtime")
    logs.write(log, "info", "started", {"count": 3, "what": "a b", "list": [1, None]})
    log.debug("not shown")
    (line,) = stream.getvalue().splitlines()
    clock, _, rest = line.partition(" ")
    assert len(clock) == 8
    assert rest == "info  llmspell.runtime: started  count=3  what=a b  list=[1, null]"


def test_a_json_line_is_one_object() -> None:
    stream = io.StringIO()
    logs.setup(settings(log_level="trace", log_format="json"), stream)
    logs.write(
        logs.get("x"), "trace", "a\nb", {"n": float("nan"), "o": object, "deep": {"a": (1,)}}
    )
    logs.write(logs.get(), "error", "plain")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["level"] == "trace"
    assert first["logger"] == "llmspell.x"
    assert first["message"] == "a\nb"
    assert first["fields"] == {"n": "nan", "o": "<class 'object'>", "deep": {"a": [1]}}
    assert first["time"].endswith("Z")
    assert "fields" not in second


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("trace", 5), ("debug", 4), ("info", 3), ("warn", 2), ("error", 1),
    ],
)  # fmt: skip
def test_each_level_shows_itself_and_what_is_graver(level: str, shown: int) -> None:
    stream = io.StringIO()
    logs.setup(settings(log_level=level), stream)
    for name in ("trace", "debug", "info", "warn", "error"):
        logs.write(logs.get("a.b"), name, name)
    assert len(stream.getvalue().splitlines()) == shown


def test_scripts_have_a_level_of_their_own() -> None:
    stream = io.StringIO()
    logs.setup(Settings.model_validate({"scripts": {"log_level": "debug"}}), stream)
    logs.write(logs.get("script"), "debug", "of a script")
    logs.write(logs.get("script.db"), "debug", "of its logger")
    logs.write(logs.get("runtime"), "debug", "not shown")
    assert len(stream.getvalue().splitlines()) == 2


@pytest.mark.parametrize("format", ["pretty", "json"])
def test_secrets_are_removed_everywhere(format: str) -> None:
    stream = io.StringIO()
    logs.setup(settings(log_format=format), stream, redactor=Redactor(["very-secret-value"]))
    log = logs.get("x")
    logs.write(log, "error", "a very-secret-value", {"k": ["very-secret-value"]})
    log.error("with %s", "very-secret-value")
    try:
        raise ValueError("very-secret-value")
    except ValueError:
        log.exception("failed")
    assert "secret-value" not in stream.getvalue()
    assert stream.getvalue().count("***") == 4


@given(st.text(max_size=40), st.text(max_size=10), st.sampled_from(["pretty", "json"]))
def test_no_text_can_fake_a_line_or_colours(message: str, field: str, format: str) -> None:
    stream = io.StringIO()
    logs.setup(settings(log_format=format), stream)
    logs.write(logs.get("x"), "error", message, {field: message})
    text = stream.getvalue()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    if format == "json":
        assert json.loads(text)["message"] == message


def test_an_error_is_its_text_and_its_stack_only_at_debug() -> None:
    for level, has_stack in (("warn", False), ("debug", True)):
        stream = io.StringIO()
        logs.setup(settings(log_level=level), stream)
        try:
            raise KeyError("missing")
        except KeyError:
            logs.get("x").exception("lost")
        (line,) = stream.getvalue().splitlines()
        assert "lost: KeyError: 'missing'" in line
        assert ("Traceback" in line) is has_stack


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for stream, colour, expected in (
        (Terminal(), None, True),
        (io.StringIO(), None, False),
        (Terminal(), False, False),
        (io.StringIO(), True, True),
    ):
        logs.setup(None, stream, colour=colour)
        logs.get("x").error("a")
        assert ("\x1b[" in stream.getvalue()) is expected
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    logs.setup(None, stream)
    logs.get("x").error("a")
    assert "\x1b[" not in stream.getvalue()


def test_stderr_is_looked_up_for_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup()
    replaced = io.StringIO()
    original, sys.stderr = sys.stderr, replaced
    try:
        logs.get("x").error("one")
    finally:
        sys.stderr = original
    logs.get("x").error("two")
    assert "one" in replaced.getvalue()
    captured = capsys.readouterr()
    assert "two" in captured.err
    assert captured.out == ""


def test_a_log_file_is_private_and_appended_to(tmp_path: Path) -> None:
    file = tmp_path / "own.log"
    for word in ("one", "two"):
        logs.setup(settings(log_file=str(file)))
        logs.get("x").error("%s \ud800", word)
        logs.close()
    assert [line.split()[-2] for line in file.read_text().splitlines()] == ["one", "two"]
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(ConfigError) as caught:
        logs.setup(settings(log_file=str(tmp_path / "no" / "folder.log")))
    assert caught.value.code == "config.log_file"


def test_a_reader_that_is_gone_ends_the_logs_and_not_the_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "gone")

    logs.setup(None, Gone())
    logs.get("x").error("nobody reads this")
    assert capsys.readouterr() == ("", "")


def test_setting_up_again_replaces_and_closing_gives_the_logs_back() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.setup(None, first)
    logs.setup(None, second)
    logs.get("x").error("once")
    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
    root = logging.getLogger("llmspell")
    assert root.propagate is False
    logs.close()
    assert root.propagate is True
    assert root.level == logging.NOTSET


def test_levels_have_names() -> None:
    assert logs.level_number("TRACE") == 5
    assert [logs.level_name(n) for n in (1, 5, 7, 10, 25, 30, 50)] == [
        "trace", "trace", "trace", "debug", "info", "warn", "error",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match='unknown log level "loud"'):
        logs.level_number("loud")

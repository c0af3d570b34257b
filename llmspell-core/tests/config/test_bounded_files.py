"""What a configuration file may hold, and references that are looked for in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from llmspell_core.config import files
from llmspell_core.config.bounded import OutOfBoundsError, line_of_long_key, plain
from llmspell_core.config.interpolate import has_reference, interpolate, names_in
from llmspell_core.config.mistakes import ConfigMistakes, Mistake, dotted


def test_values_are_bounded_in_number_depth_and_kind() -> None:
    assert plain({1: [True, 1.5, "x", None]}) == {"1": [True, 1.5, "x", None]}
    for wrong, said in [
        ({"a": [0] * 10_001}, "more than 10,000 values"),
        ({"a": 2**64}, "beyond 64 bits"),
        ({"a": float("inf")}, "is no number"),
        ({"a": "\0"}, "NUL"),
        ({"a": {"\ud800": 1}}, "a key that holds half"),
    ]:
        with pytest.raises(OutOfBoundsError, match=said):
            plain(wrong)
    deep: list[object] = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(OutOfBoundsError, match="deeper than 64"):
        plain({"a": deep})


def test_dots_are_counted_in_keys_only() -> None:
    assert line_of_long_key("a = 1\n" + "b . " * 70 + "c = 1") == 2
    assert line_of_long_key('"a".' * 70 + "b = 1") == 1
    assert line_of_long_key("[" + "'a'." * 70 + "b]") == 1
    assert line_of_long_key("x = { " + "a." * 70 + "b = 1 }") == 1
    assert line_of_long_key(f'a = "{"a. " * 70}"') is None
    assert line_of_long_key("a = [" + "1.5, " * 70 + "]") is None
    assert line_of_long_key("# " + "... " * 70) is None


def test_a_million_dots_are_counted_soon() -> None:
    begun = time.monotonic()
    for text in ("a." * 500_000, '"\\' * 500_000 + "." * 100, "a" * 1_000_000 + "." * 100):
        line_of_long_key(text)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("sign", ["${", "${A:-", "${secret:a", "$${", "${A"])
def test_references_without_an_end_are_looked_for_once(sign: str) -> None:
    text = sign * 100_000
    begun = time.monotonic()
    assert not has_reference(text)
    assert interpolate(text, {}, lambda _: None) == text.replace("$${", "${")
    assert time.monotonic() - begun < 5


def test_what_follows_the_last_reference_stays() -> None:
    assert names_in("${A} ${secret:b} $${C} ${D") == ["A", "secret:b"]
    text = interpolate("${A}-$${x}-${B:-}-${ $${", {"A": "1"}, lambda _: None)
    assert text == "1-${x}--${ ${"


def test_a_file_is_read_as_far_as_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "llmspell.toml"
    path.write_text("[prompts]\na = 1\nb = nan\n")
    with pytest.raises(ConfigMistakes, match=r"x\.toml:3   prompts\.b: nan is no number"):
        files.read(path, "x.toml")
    with pytest.raises(ConfigMistakes, match="it is no file"):
        files.read(Path(os.devnull), "x.toml")


def test_messages_are_of_one_line_whatever_a_key_is() -> None:
    assert dotted(("a", 'b"c', "d\n\x1b", "é", "")) == 'a."b\\"c"."d\\n\\u001b"."é".""'
    assert len(str(Mistake(("k" * 1000,), "unknown key"))) < 200
    many = ConfigMistakes([Mistake((), f"n{number}") for number in range(250)])
    assert many.message == "250 mistakes in the configuration"
    assert len(many.mistakes) == 101
    assert str(many).endswith("and 150 more")

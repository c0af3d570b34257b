"""Globs over paths: what they match, and that no pattern takes long."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.config.overrides import matches
from llmspell_core.security.globs import fits, reached
from llmspell_core.security.patterns import DenyList


@pytest.mark.parametrize(
    ("pattern", "path", "whether"),
    [
        ("*.lua", "a.lua", True),
        ("*.lua", "b/a.lua", False),
        ("./*.lua", "a.lua", True),
        ("**/*.lua", "a.lua", True),
        ("**/*.lua", "x/y/a.lua", True),
        ("x/**", "x/y/a.lua", True),
        ("x/**", "x", False),
        ("x/**/a.lua", "x/a.lua", True),
        ("x/**/a.lua", "x/y/z/a.lua", True),
        ("?.lua", "ab.lua", False),
        ("a.lua", "A.lua", False),
        ("[a].lua", "a.lua", False),
    ],
)
def test_patterns_name_scripts(pattern: str, path: str, whether: bool) -> None:
    project = Path("/p")
    assert matches(pattern, project / path, project) is whether
    assert not matches(pattern, Path("/elsewhere") / path, project)


def test_an_absolute_pattern_is_compared_with_the_whole_path() -> None:
    assert matches("/q/*.lua", Path("/q/a.lua"), Path("/p"))
    assert not matches("/q/*.lua", Path("/p/q/a.lua"), Path("/p"))


NAME = st.text("ab.", min_size=1, max_size=8)
PART = st.text("ab.*?", min_size=1, max_size=8)


@given(PART, NAME)
def test_a_part_fits_what_its_expression_matches(part: str, name: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(sign) or re.escape(sign) for sign in part)
    assert fits(part, name) == bool(re.fullmatch(expression, name))


@given(st.lists(PART | st.just("**"), min_size=1, max_size=5), st.lists(NAME, max_size=5))
def test_folders_are_matched_as_an_expression_would(pattern: list[str], names: list[str]) -> None:
    found = reached(pattern, names)
    assert len(found) == len(names) + 1
    text = "".join(f"{name}/" for name in names)
    parts = []
    for number, part in enumerate(pattern):
        if part == "**":
            parts.append("(?:[^/]+/)+" if number == len(pattern) - 1 else "(?:[^/]+/)*")
        else:
            signs = {"*": "[^/]*", "?": "[^/]"}
            parts.append("".join(signs.get(sign) or re.escape(sign) for sign in part) + "/")
    assert found[-1] == bool(re.fullmatch("".join(parts), text))


@pytest.mark.parametrize(
    ("pattern", "path", "whether"),
    [
        ("a/**/b/**/c", "/x/a/b/c", True),
        ("a/**/b/**/c", "/x/A/1/b/2/3/C/below", True),
        ("a/**/b/**/c", "/x/a/c/b", False),
        ("/r/*/s/*/*/t", "/r/1/s/2/3/t/below", True),
        ("/r/*/s/*/*/t", "/o/r/1/s/2/3/t", False),
        ("*a*b*c*", "/x/1a2b3c4", True),
    ],
)
def test_denials_with_many_stars_match_anywhere_and_below(
    pattern: str, path: str, whether: bool
) -> None:
    assert DenyList([pattern]).matches(path) is whether


def test_no_pattern_takes_long() -> None:
    begun = time.monotonic()
    deep = "/" + "a/" * 60 + "b"
    for pattern in ("**/" * 300 + "x", "*a" * 100 + "x", "**/*a*/" * 40 + "x"):
        assert not DenyList([pattern]).matches(deep)
        assert not DenyList([pattern]).matches("/" + "a" * 250)
        assert not matches(pattern, Path(deep), Path("/"))
    assert time.monotonic() - begun < 5

"""The hostile corpus: scripts that attack the sandbox, each with the outcomes that are right.

A case is a file `scripts/{lua,js,es5}/<topic>-<what>.{lua,js}`. The comment lines it begins with
(`--` in Lua, `//` in JavaScript) say:

    expect: script.cpu_limit | script.wall_limit   the codes of the run's error, or `ok`
    output: 12 lines                               of `ok`: the standard output, if not this:
    profile: high                                  if not under both `medium` and `high`
    limits: tasks = 20, host_calls = 100           if others than those of every run

A script that ends by itself (`ok`) has verified that it reached nothing, and returns the text
"contained". Other comment lines are free.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("scripts")
#: Engine -> the folder of its cases.
ENGINES = {"lua": "lua", "js": "js", "duktape": "es5"}
PROFILES = ("medium", "high")
#: What a script returns that has verified that nothing was reached.
CONTAINED = "contained"
#: Outcomes a case may name at most: who accepts everything tests nothing.
MOST_OUTCOMES = 3

_HEADER = re.compile(r"(?:--|//) *(expect|output|profile|limits): *(.*)")


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile script."""

    engine: str
    name: str
    source: str
    expect: tuple[str, ...]
    profiles: tuple[str, ...]
    limits: dict[str, Any]
    output: str | None

    def __str__(self) -> str:
        return f"{ENGINES[self.engine]}/{self.name}"


@cache
def load_cases(engine: str) -> tuple[Case, ...]:
    """All cases of an engine by name; a mistake in a header names the file."""
    folder = FOLDER / ENGINES[engine]
    return tuple(_case(engine, path) for path in sorted(folder.glob("*.*")))


def once_each(engine: str) -> list[tuple[Case, str]]:
    """Every case with one profile of its own, by turns: for CI."""
    return [
        (case, case.profiles[number % len(case.profiles)])
        for number, case in enumerate(load_cases(engine))
    ]


def _case(engine: str, path: Path) -> Case:
    source = path.read_text(encoding="utf-8", errors="surrogateescape")
    header: dict[str, str] = {}
    for line in source.splitlines():
        if not line.startswith(("--", "//")):
            break
        if found := _HEADER.match(line):
            header[found[1]] = found[2].strip()
    try:
        return _stated(engine, path.stem, source, header)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path.name}: wrong header: {error}") from error


def _stated(engine: str, name: str, source: str, header: dict[str, str]) -> Case:
    expect = tuple(word.strip() for word in header["expect"].split("|"))
    if len(expect) > MOST_OUTCOMES:
        raise ValueError(f"{len(expect)} outcomes, at most {MOST_OUTCOMES} can be right")
    profiles = (header["profile"],) if "profile" in header else PROFILES
    if not set(profiles) <= {*PROFILES}:
        raise ValueError(f"profile {profiles[0]}")
    limits = tomllib.loads(f"limits = {{{header.get('limits', '')}}}")["limits"]
    return Case(engine, name, source, expect, profiles, limits, header.get("output"))

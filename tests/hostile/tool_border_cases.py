"""The hostile corpus of the tool border, as data: `tools/<topic>.toml`, one table `case` each.

A case says what is called, on what, and what is right:

    name = "what it tries"
    tool = "file-operations"     or  gate = "files.read_text", a method of the policy's gates
    params = { ... }                 the tool's parameters, or the method's named arguments
    args = [ ... ]                   the method's arguments by position
    expect = "policy.file"           the error's code, a list of at most three, or "ok"

Around it: `profile` (medium), `security` and `settings` (tables), `secrets`, `environment`;
`chosen_by_model`, `before` (calls made first, of the same form).
Its place: `files` (text by name), `folders`, `links` and `hard_links` (target by name), `fifos`,
`made` (name = {kind = ..., ...}, see `tool_border_files`), `swap` = {name, target}: a file that
is a link and a file by turns during a hundred calls.
Its network: `answers` (url, status, headers, body), `addresses` (name = addresses), `rebinding`
(name = one list for each time it is asked), `server` (path = {kind, ...}) on 127.0.0.1.
What else is right: `output` (exactly), `shows` and `hides` (parts of the result or error),
`exists` and `missing` (files of the project), `reached` (URLs in order; none when left out),
`sent` and `not_sent` (headers of the last request), `within_s` (5), `stalls_s` (2: for how long
the host may be kept from anything else), `needs` (a module).

In all texts: `@PROJECT@`, `@OUTSIDE@`, `@HOME@`, `@CANARY@`, `@SERVER@`, `@PORT@`, and
`@REP(text|times)@` for long ones. The canary lies in files outside and in the environment: no
result and no error may ever show it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("tools")
CANARY = "canary-7d41f0b2c9"
#: Outcomes a case may name at most: who accepts everything tests nothing.
MOST_OUTCOMES = 3
#: Of a race, where the moment decides which of them it is.
MOST_OF_A_RACE = 4

_REPEATED = re.compile(r"@REP\((.*?)\|(\d+)\)@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    """One attack."""

    topic: str
    name: str
    expect: tuple[str, ...]
    tool: str = ""
    gate: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    args: list[Any] = field(default_factory=list)
    profile: str = "medium"
    security: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    chosen_by_model: bool = False
    before: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    hard_links: dict[str, str] = field(default_factory=dict)
    fifos: list[str] = field(default_factory=list)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    swap: dict[str, str] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    rebinding: dict[str, list[list[str]]] = field(default_factory=dict)
    server: dict[str, dict[str, Any]] = field(default_factory=dict)
    output: Any = None
    shows: list[str] = field(default_factory=list)
    hides: list[str] = field(default_factory=list)
    exists: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    not_sent: list[str] = field(default_factory=list)
    within_s: float = 5
    stalls_s: float = 2
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases by topic; a mistake names the file and the case."""
    return tuple(case for path in sorted(FOLDER.glob("*.toml")) for case in _topic(path))


def _topic(path: Path) -> list[Case]:
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    usual = given.pop("defaults", {})
    made = [_case(path.stem, {**usual, **one}) for one in given.pop("case")]
    assert not given, f"{path.name}: {[*given]}"
    names = [case.name for case in made]
    assert len(names) == len(set(names)), f"{path.name}: one name twice"
    return made


def _case(topic: str, table: dict[str, Any]) -> Case:
    where = f"{topic}.toml, {table.get('name')!r}"
    unknown = set(table) - {one.name for one in fields(Case)}
    assert not unknown, f"{where}: {unknown}"
    expect = table.pop("expect")
    codes = (expect,) if isinstance(expect, str) else tuple(expect)
    most = MOST_OF_A_RACE if table.get("swap") else MOST_OUTCOMES
    assert 0 < len(codes) <= most, f"{where}: {codes}"
    assert bool(table.get("tool")) != bool(table.get("gate")), f"{where}: a tool or a gate"
    return Case(topic, expect=codes, **table)


def filled(value: Any, words: dict[str, str]) -> Any:
    """A value of a case with its `@WORDS@` replaced, keys included."""
    if isinstance(value, dict):
        return {filled(key, words): filled(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, words) for one in value]
    if not isinstance(value, str) or "@" not in value:
        return value
    for word, text in words.items():
        value = value.replace(f"@{word}@", text)
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), value)

"""The cases of the conformance suite, as `cases/*.toml` states them.

    topic = "Values"

    [[case]]
    name = "an integer goes to the host and back"
    lua = "return Echo.value(1)"
    js = "return await Echo.value(1)"          # es5 is made of it unless it is given
    gives = "1"                                # the script's value, as JSON

What a case expects: `gives` (JSON), `prints` and `stderr` (text), `throws` (fields of the error
that ends the script; `...` stands for anything), `exit`, `unhandled` (messages). A script that
prints nothing, throws nothing and leaves no unhandled error need not say so. Scripts are called
`spell`, whatever their ending.

What it is given: `args`, `params`, `stdin`, `replies` of the only model, `profile`, `settings`,
`files` beside the script, `mode` ("eval"), `timeout_ms`.

`differs.ENGINE` (`lua`, `js`, `duktape`, or `javascript` for both) has the `reason` of a
difference and what is expected there instead. `only` names the engines that a case is for, with
a `reason`.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from conformance_es5 import es5

FOLDER = Path(__file__).with_name("cases")
ENGINES = ("lua", "js", "duktape")
LANGUAGES = {"lua": "lua", "js": "javascript", "duktape": "javascript"}
EXPECTED = ("gives", "prints", "stderr", "throws", "exit", "unhandled")
GIVEN = ("args", "params", "stdin", "replies", "profile", "settings", "files", "mode", "timeout_ms")
SOURCES = ("lua", "js", "es5")


@dataclass(frozen=True, slots=True)
class Difference:
    """An engine where a case ends otherwise, and why that is right."""

    engine: str
    reason: str
    #: What is expected there instead; None: the case has no meaning there.
    expected: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is the same on every engine."""

    topic: str
    name: str
    sources: dict[str, str]
    expected: dict[str, Any]
    given: dict[str, Any] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The name as a part of a file's name."""
        return re.sub(r"\W+", "-", f"{self.topic} {self.name}".lower()).strip("-")

    def expects(self, engine: str) -> dict[str, Any]:
        """What this engine should come to."""
        other = self.differences.get(engine)
        return {**self.expected, **(other.expected or {} if other else {})}

    def runs_on(self, engine: str) -> bool:
        """Whether the case has a meaning there."""
        other = self.differences.get(engine)
        return other is None or other.expected is not None


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases, by file; a mistake in one names the case.

    Raises:
        ValueError: an unknown field, a missing one, or a name that is given twice
    """
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for table in data["case"]:
            try:
                found.append(_case(data["topic"], table))
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path.name}: {table.get('name')}: {error}") from error
    slugs = [case.slug for case in found]
    if twice := {slug for slug in slugs if slugs.count(slug) > 1}:
        raise ValueError(f"cases of one name: {', '.join(sorted(twice))}")
    return tuple(found)


def topics() -> dict[str, list[Case]]:
    """The cases by topic."""
    found: dict[str, list[Case]] = {}
    for case in load_cases():
        found.setdefault(case.topic, []).append(case)
    return found


def _case(topic: str, table: dict[str, Any]) -> Case:
    known = {"name", "differs", "only", "reason", *SOURCES, *EXPECTED, *GIVEN}
    if unknown := table.keys() - known:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    differences = _differences(table)
    sources = _sources(table)
    needed = {engine for engine in ENGINES if engine not in table.get("only", ENGINES)}
    if missing := {*ENGINES} - needed - sources.keys():
        raise ValueError(f"no source for {', '.join(sorted(missing))}")
    given = {key: table[key] for key in GIVEN if key in table}
    return Case(topic, table["name"], sources, _expected(table), given, differences)


def _sources(table: dict[str, Any]) -> dict[str, str]:
    found = {}
    if "lua" in table:
        found["lua"] = table["lua"]
    if "js" in table:
        found["js"] = table["js"]
    if "js" in table or "es5" in table:
        found["duktape"] = table.get("es5") or es5(table["js"])
    return found


def _expected(table: dict[str, Any]) -> dict[str, Any]:
    found = {key: table[key] for key in EXPECTED if key in table}
    if "gives" in found:
        found["gives"] = json.loads(found["gives"])
    return found


def _differences(table: dict[str, Any]) -> dict[str, Difference]:
    found = {
        engine: Difference(engine, table["reason"], None)
        for engine in ENGINES
        if engine not in table.get("only", ENGINES)
    }
    for name, entry in table.get("differs", {}).items():
        fields = {key: value for key, value in entry.items() if key != "reason"}
        if not fields or fields.keys() - {*EXPECTED}:
            raise ValueError(f"differs.{name} says what is expected instead")
        for engine in ENGINES:
            if name in (engine, LANGUAGES[engine]):
                found[engine] = Difference(engine, entry["reason"], _expected(entry))
    return found

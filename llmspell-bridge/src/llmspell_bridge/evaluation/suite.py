"""A suite of cases as data, and its file: YAML, TOML or JSON; reading it executes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from llmspell_bridge.evaluation.kinds import KINDS, OPTIONS, TARGETS
from llmspell_core.config.files import SUFFIXES, read
from llmspell_core.config.locate import line_of
from llmspell_core.config.mistakes import ConfigMistakes, Mistake
from llmspell_core.errors import ConfigError, did_you_mean
from llmspell_core.json_text import read_json
from llmspell_core.records import Record, key
from llmspell_core.schema import describe

_MOST_BYTES = 16 << 20
_OF = "the suite"


class Check(Record):
    """One thing that an answer is looked at for; `options` stand beside it in the file."""

    kind: str
    wanted: Any
    options: dict[str, Any] = key({}, "not, name, ignore_case, match, threshold, ...")

    @property
    def negated(self) -> bool:
        """Whether it must not be so."""
        return bool(self.options.get("not"))

    @property
    def label(self) -> str:
        """How reports name it: `contains "437"`."""
        if self.options.get("name"):
            return str(self.options["name"])
        text = json.dumps(self.wanted, ensure_ascii=False, default=str)
        short = text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line's rest
        return f"{'not ' if self.negated else ''}{self.kind} {short}"


class Case(Record):
    """One question, and what its answer is checked for."""

    name: str
    input: Any = None
    expected: Any = key(None, "given to judges and script functions")
    checks: list[Check] = key([], "all must hold")
    repeat: int | None = None
    tags: list[str] = key([], "for --tag")


class Suite(Record):
    """What `llmspell evaluate` runs. Times are ms."""

    name: str
    path: Path
    target: str = key("agent", "agent, workflow, tool or script")
    subject: Any = key("", "its name, file or table")
    model: str = ""
    repeat: int = 1
    pass_at: list[int] = key([], "the k of pass@k")
    threshold: float = key(1.0, "the pass rate that is enough")
    concurrency: int = 4
    timeout_ms: float = 120_000
    judge: dict[str, Any] = key({}, "the agent that judges: model, system_prompt, ...")
    cases: list[Case] = key([], "in the order of the file")


_NUMBERS: dict[str, tuple[Any, float, float]] = {
    "repeat": (int, 1, 1000),
    "threshold": ((int, float), 0, 1),
    "concurrency": (int, 1, 256),
    "timeout_ms": ((int, float), 1, 86_400_000),
}
_SUITE = {"name", "description", "model", "pass_at", "judge", "checks", "cases", *_NUMBERS}
_CASE = {"name", "input", "expected", "checks", "repeat", "tags"}


def read_suite(path: Path) -> Suite:
    """The suite of a file; `config.invalid` lists everything that is wrong in it, with lines."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path} is no suite", hint=f"a suite ends in {', '.join(SUFFIXES)}")
    if not path.exists():
        raise ConfigError(f"no such suite: {path}")
    try:
        data, text = read(path, str(path))
    except ConfigMistakes as error:
        raise ConfigMistakes(error.mistakes, _OF) from None
    return _Reader(path, data, text).suite()


class _Reader:
    """Reads one file; collects mistakes and goes on."""

    def __init__(self, path: Path, data: dict[str, Any], text: str) -> None:
        self._path = path
        self._data = data
        self._text = text
        self._mistakes: list[Mistake] = []
        #: Where a case stands in the list, by what mistakes call it.
        self._places: dict[str, int] = {}

    def suite(self) -> Suite:
        """The suite, or the error that lists all mistakes."""
        data = self._data
        self._unknown(data, {*_SUITE, *TARGETS}, ())
        target, subject = self._target(data)
        values = {name: self._number(data, name, ()) for name in _NUMBERS}
        common = self._checks(data.get("checks"), ("checks",))
        cases = self._cases(data.get("cases"), common)
        made = Suite(
            name=str(data.get("name") or self._path.name.partition(".")[0]),
            path=self._path,
            target=target,
            subject=subject,
            model=str(data.get("model") or ""),
            pass_at=self._pass_at(data.get("pass_at", [])),
            judge=self._judge(data.get("judge")),
            cases=cases,
            **{name: value for name, value in values.items() if value is not None},
        )
        if self._mistakes:
            raise ConfigMistakes(self._mistakes, _OF)
        return made

    def _target(self, data: dict[str, Any]) -> tuple[str, Any]:
        given = [name for name in TARGETS if name in data]
        if len(given) != 1:
            many = f"it names {' and '.join(given)}" if given else "nothing to evaluate is named"
            self._wrong((), many, f"exactly one of {', '.join(TARGETS)}")
            return "agent", ""
        name, value = given[0], data[given[0]]
        if not isinstance(value, (str, dict)) or (isinstance(value, dict) and name in _NAMED):
            self._wrong((name,), f"{describe(value)} is no {name}")
        elif isinstance(value, str) and Path(value).suffix in _FILES[name]:
            self._is_there((name,), value)
        return name, value

    def _cases(self, given: Any, common: list[Check]) -> list[Case]:
        if isinstance(given, str):
            given = self._case_file(given)
            if given is None:
                return []
        if not isinstance(given, list) or not given:
            self._wrong(("cases",), "a suite has a list of cases, or the name of a .jsonl file")
            return []
        made = [self._case(one, number, common) for number, one in enumerate(given, 1)]
        names = [one.name for one in made]
        for twice in sorted({name for name in names if names.count(name) > 1}):
            self._wrong(("cases",), f'two cases are named "{twice}"', "results are kept by name")
        return made

    def _is_there(self, at: tuple[str, ...], file: str) -> None:
        path = self._path.parent / file
        if not path.is_file():
            self._wrong(at, f"there is no file {path}")

    def _case_file(self, name: str) -> list[Any] | None:
        path = self._path.parent / name
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ConfigError(f"{path} is over 16 MiB")
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self._wrong(("cases",), f"the cases of {path} cannot be read: {why}")
            return None
        found = []
        for number, line in enumerate(lines, 1):
            try:
                found += [read_json(line)] if line.strip() else []
            except ValueError as error:
                raise ConfigError(f"{path}:{number}   is no JSON: {error}") from None
        return found

    def _case(self, given: Any, number: int, common: list[Check]) -> Case:
        where = ("cases", str(number))
        if not isinstance(given, dict):
            self._wrong(where, f"{describe(given)} is no case")
            return Case(name=str(number))
        name = str(given.get("name") or number)
        at = ("cases", name)
        self._places[name] = number - 1
        self._unknown(given, _CASE, at)
        own = self._checks(given.get("checks"), (*at, "checks"))
        if not given.get("checks") and not common:
            self._wrong(at, "nothing is checked", f"checks: one of {', '.join(KINDS)}")
        tags = given.get("tags", [])
        if not isinstance(tags, list):
            self._wrong((*at, "tags"), f"{describe(tags)} is not a list")
            tags = []
        return Case(
            name=name,
            input=given.get("input"),
            expected=given.get("expected"),
            checks=[*common, *own],
            repeat=self._number(given, "repeat", at),
            tags=[str(one) for one in tags],
        )

    def _checks(self, given: Any, at: tuple[str, ...]) -> list[Check]:
        """A list of tables, or one table in which each key is a check."""
        if given is None:
            return []
        if isinstance(given, dict) and len([one for one in given if one in KINDS]) > 1:
            options = {name: one for name, one in given.items() if name not in KINDS}
            given = [{name: one, **options} for name, one in given.items() if name in KINDS]
        made = []
        for number, one in enumerate(given if isinstance(given, list) else [given]):
            found = self._check(one, at, str(number))
            if found is not None:
                made.append(found)
        return made

    def _check(self, given: Any, at: tuple[str, ...], number: str) -> Check | None:
        kinds = [name for name in KINDS if isinstance(given, dict) and name in given]
        if len(kinds) != 1 or not isinstance(given, dict):
            first = next(iter(given), "") if isinstance(given, dict) else ""
            near = did_you_mean(str(first), list(KINDS))
            what = f'"{first}"' if first else describe(given)
            inside = (*at, number) if first == "" else (*at, number, str(first))
            hint = near or f"one of {', '.join(KINDS)}"
            self._wrong(at, f"{what} is no check", hint, self._line(inside))
            return None
        kind, options = kinds[0], dict(given)
        wanted = options.pop(kind)
        self._unknown(options, OPTIONS[kind] | OPTIONS[""], (*at, kind))
        if wrong := KINDS[kind](wanted, options):
            self._wrong((*at, kind), wrong)
        if kind == "script" and isinstance(wanted, str):
            self._is_there((*at, kind), wanted.partition("#")[0])
        return Check(kind, wanted, options)

    def _judge(self, given: Any) -> dict[str, Any]:
        if given is None or isinstance(given, dict):
            return given or {}
        self._wrong(("judge",), f"{describe(given)} is not a table", "model, system_prompt, ...")
        return {}

    def _pass_at(self, given: Any) -> list[int]:
        numbers = given if isinstance(given, list) else [given]
        if all(type(one) is int and one >= 1 for one in numbers):
            return numbers
        self._wrong(("pass_at",), f"{describe(given)} is no whole number of 1 or more")
        return []

    def _number(self, data: dict[str, Any], name: str, at: tuple[str, ...]) -> Any:
        value = data.get(name)
        if value is None:
            return None
        kind, least, most = _NUMBERS[name]
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            self._wrong((*at, name), f"{describe(value)} is not {what} from {least} to {most}")
            return None
        return value

    def _unknown(self, data: dict[str, Any], known: set[str], at: tuple[str, ...]) -> None:
        for name in data:
            if name not in known:
                near = did_you_mean(str(name), sorted(known))
                self._wrong((*at, str(name)), "unknown key", near or ", ".join(sorted(known)))

    def _wrong(
        self, at: tuple[str, ...], message: str, hint: str | None = None, line: int | None = None
    ) -> None:
        line = line or self._line(at)
        where = f"{self._path}:{line}" if line else str(self._path)
        self._mistakes.append(Mistake(at, message, hint, where))

    def _line(self, at: tuple[str, ...]) -> int | None:
        """In TOML and JSON items of lists are not told apart: a case is found by its name."""
        if at[:1] == ("cases",) and len(at) > 1:
            place = self._places.get(at[1])
            if place is not None and self._path.suffix.lower() in {".yaml", ".yml"}:
                return line_of(self._text, ("cases", str(place), *at[2:]), ".yaml")
            name = re.escape(at[1])
            found = re.search(
                rf"\bname[\"']?\s*[:=]\s*[\"']?{name}[\"']?\s*(,|$)", self._text, re.MULTILINE
            )
            if found:
                return self._text.count("\n", 0, found.start()) + 1
        return line_of(self._text, at[:1], self._path.suffix) if at else None


#: The files that a target may stand in.
_DATA = frozenset({".yaml", ".yml", ".toml", ".json"})
_FILES = {"agent": _DATA | {".md"}, "workflow": _DATA, "script": frozenset({".lua", ".js"}),
          "tool": frozenset[str]()}  # fmt: skip
#: Of these only the name or the file is given.
_NAMED = {"tool", "script"}

"""The cases of catalogue.toml: a tool, what it is called with, and what must come out.

`{http}`, `{host}` and `{postgres}` in texts are the addresses of the services. `output`, `result`
and `text` are what is expected of a result: an object has at least the fields named, `...` in a
text stands for anything. `reply` is what the model answers when the tool asks it. `needs` is
"postgres" where there is no case without the server.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("catalogue.toml")
FIELDS = ("output", "result", "text")


@dataclass(frozen=True, slots=True)
class Case:
    """A call and its outcome."""

    tool: str
    name: str
    params: dict[str, Any]
    expected: dict[str, Any]
    reply: Any = None
    needs: str = ""

    def at(self, places: dict[str, str]) -> Case:
        """With the addresses of the services in its texts."""
        params, expected = _filled(self.params, places), _filled(self.expected, places)
        return Case(self.tool, self.name, params, expected, self.reply, self.needs)


@dataclass(slots=True)
class Outcome:
    """How a call ended: fields of its result, or the code and message of its error."""

    found: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    message: str = ""

    def unlike(self, expected: dict[str, Any]) -> list[str]:
        """What is not as expected, a line each. A way that gives no `result` is not asked."""
        if self.error:
            return [f"{self.error}: {self.message}"]
        return [
            f"{name}: expected {wanted!r}, got {self.found[name]!r}"
            for name, wanted in expected.items()
            if name in self.found and not has(self.found[name], wanted)
        ]


@cache
def load_cases() -> tuple[Case, ...]:
    """All cases, in the order of the file."""
    found: list[Case] = []
    for row in tomllib.loads(FILE.read_text(encoding="utf-8"))["case"]:
        expected = {name: row[name] for name in FIELDS if name in row}
        count = sum(one.tool == row["tool"] for one in found)
        name = f"{row['tool']} {count + 1}"
        found.append(
            Case(
                row["tool"], name, row.get("params", {}), expected, row.get("reply"),
                row.get("needs", ""),
            )
        )  # fmt: skip
    return tuple(found)


def has(got: Any, wanted: Any) -> bool:
    """Equal by value; objects may have more fields, `...` in a text stands for anything."""
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(wanted, dict):
        fields = got if isinstance(got, dict) else {}
        return all(name in fields and has(fields[name], one) for name, one in wanted.items())
    if isinstance(wanted, list) and isinstance(got, list):
        return len(got) == len(wanted) and all(map(has, got, wanted))
    if isinstance(wanted, str) and isinstance(got, str) and "..." in wanted:
        return re.fullmatch(re.escape(wanted).replace(r"\.\.\.", "(?s:.*)"), got) is not None
    return bool(got == wanted)


def _filled(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace(f"{{{name}}}", place)
        return value
    if isinstance(value, list):
        return [_filled(one, places) for one in value]
    if isinstance(value, dict):
        return {key: _filled(one, places) for key, one in value.items()}
    return value

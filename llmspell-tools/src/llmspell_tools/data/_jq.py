"""jq, run in a helper process: without environment, further inputs, modules and files."""

from __future__ import annotations

import json
import re
from typing import Any

_MOST_RESULTS = 100_000
_EXACT = 2**53

# Definitions before the program hide the ones of jq for everything in it.
_REFUSED = ("env", "input", "inputs", "get_search_list", "modulemeta", "halt", "halt_error")
_PRELUDE = (
    "null as $ENV | "
    + " ".join(f'def {name}: error("{name} is not available");' for name in _REFUSED)
    + ' def halt_error(code): error("halt_error is not available");'
    + " def debug: .; def debug(message): .; def stderr: .;\n"
)
_WHERE = re.compile(
    r"jq: error: (.*?) at <top-level>(?:, line (\d+))?(?:, column (\d+))?", re.DOTALL
)


def run(query: str, document: str) -> str:
    """The results of a query on a JSON text: `{"results"}` or `{"error"}`, as JSON.

    jq counts in doubles; integers that it only passes on come back exact all the same.
    """
    import jq

    value = json.loads(document)
    if re.search(r"\$ENV\b", query):
        return json.dumps({"error": "$ENV is not available"})
    try:
        program = jq.compile(_PRELUDE + query)
        results = []
        for result in iter(program.input_value(value)):
            results.append(result)
            if len(results) > _MOST_RESULTS:
                return json.dumps({"error": f"more than {_MOST_RESULTS} results"})
    except (ValueError, StopIteration) as error:
        return json.dumps({"error": _words(str(error))})
    large = _large_integers(value)
    if large:
        results = [_restored(result, large) for result in results]
    return json.dumps({"results": results})


def _words(message: str) -> str:
    found = _WHERE.search(message)
    if found is None:
        return message.removeprefix("jq: error: ").strip() or "failed"
    where = ""
    if found[2]:
        # The prelude is one line.
        where = f" at line {max(1, int(found[2]) - 1)}"
        where += f", column {found[3]}" if found[3] else ""
    return found[1].strip() + where


def _large_integers(value: Any) -> dict[float, int]:
    """Integers that a double cannot hold, by their double; those that share one are left out."""
    found: dict[float, int] = {}
    shared: set[float] = set()
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
        elif isinstance(one, int) and not -_EXACT <= one <= _EXACT:
            try:
                double = float(one)
            except OverflowError:
                continue
            if found.setdefault(double, one) != one:
                shared.add(double)
    return {double: one for double, one in found.items() if double not in shared}


def _restored(value: Any, large: dict[float, int]) -> Any:
    if isinstance(value, dict):
        return {key: _restored(item, large) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, large) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value in large:
        return large[value]
    return value

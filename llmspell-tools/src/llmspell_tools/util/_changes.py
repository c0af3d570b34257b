"""What changed from one text, or one JSON value, to another. Plain data in and out."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from llmspell_core.errors import LimitError

_DEEPEST = 200
_NO_NEWLINE = "\n\\ No newline at end of file\n"


def texts(
    old: str, new: str, style: str, names: list[str] | None = None, around: int = 3
) -> dict[str, Any]:
    """The difference of two texts.

    Args:
        old: the text before
        new: the text after
        style: unified, context, simple or changes
        names: what the texts are called, for the head of the difference
        around: how many unchanged lines to show around each change

    Returns:
        `{diff, added, removed, changed}`: lines that are new, gone, or replaced by another.
    """
    before, after = lines_of(old), lines_of(new)
    blocks = [
        (tag, before[i1:i2], after[j1:j2], i1, j1)
        for tag, i1, i2, j1, j2 in _matcher(before, after).get_opcodes()
        if tag != "equal"
    ]
    counts = {"added": 0, "removed": 0, "changed": 0}
    for _, gone, come, _, _ in blocks:
        both = min(len(gone), len(come))
        counts["changed"] += both
        counts["removed"] += len(gone) - both
        counts["added"] += len(come) - both
    if style == "changes":
        return {"diff": [_block(*one) for one in blocks], **counts}
    if style == "simple":
        shown = [
            mark + line
            for _, gone, come, _, _ in blocks
            for mark, lines in (("- ", gone), ("+ ", come))
            for line in lines
        ]
        return {"diff": _joined(shown), **counts}
    made = difflib.unified_diff if style == "unified" else difflib.context_diff
    old_name, new_name = names or ["old", "new"]
    return {"diff": _joined(made(before, after, old_name, new_name, n=around)), **counts}


def lines_of(text: str) -> list[str]:
    """The lines with their ends. Only a line feed ends one: what else may does not count here."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _joined(lines: Iterable[str]) -> str:
    whole = "".join(line if line.endswith("\n") else line + _NO_NEWLINE for line in lines)
    return whole.removesuffix("\n")


def _matcher(old: list[str], new: list[str]) -> difflib.SequenceMatcher[str]:
    return difflib.SequenceMatcher(None, old, new)


def _block(tag: str, gone: list[str], come: list[str], at_old: int, at_new: int) -> dict[str, Any]:
    return {
        "op": {"insert": "add", "delete": "remove"}.get(tag, "replace"),
        "old_line": at_old + 1,
        "new_line": at_new + 1,
        "old": "".join(gone),
        "new": "".join(come),
    }


def values(old: str, new: str, style: str, around: int = 3) -> dict[str, Any]:
    """The difference of two JSON texts: as `texts`, with members and elements for lines.

    In `changes` each is `{op, path, old, new}`; `path` is a JSON pointer into the old value, of
    what is added into the new one.
    """
    before, after = json.loads(old), json.loads(new)
    changes = _diff(before, after, "", 0)
    counts = {
        name: sum(one["op"] == op for one in changes)
        for name, op in (("added", "add"), ("removed", "remove"), ("changed", "replace"))
    }
    if style == "changes":
        return {"diff": changes, **counts}
    if style == "simple":
        return {"diff": "\n".join(map(change_text, changes)), **counts}
    pretty = [
        json.dumps(one, indent=2, sort_keys=True, ensure_ascii=False) for one in (before, after)
    ]
    return {"diff": texts(pretty[0], pretty[1], style, None, around)["diff"], **counts}


def change_text(one: dict[str, Any]) -> str:
    """One change of a value in one line."""
    where = one["path"] or "/"
    old, new = (json.dumps(one.get(name), ensure_ascii=False) for name in ("old", "new"))
    if one["op"] == "replace":
        return f"~ {where}: {old} -> {new}"
    return f"+ {where}: {new}" if one["op"] == "add" else f"- {where}: {old}"


def _diff(old: Any, new: Any, path: str, depth: int) -> list[dict[str, Any]]:
    if depth > _DEEPEST:
        raise LimitError("diff-calculator: a value is nested too deep", code="limit.value_depth")
    if isinstance(old, dict) and isinstance(new, dict):
        return _diff_objects(old, new, path, depth)
    if isinstance(old, list) and isinstance(new, list):
        return _diff_lists(old, new, path, depth)
    # In JSON true is not 1; 1 and 1.0 are the same number.
    if isinstance(old, bool) == isinstance(new, bool) and old == new:
        return []
    return [{"op": "replace", "path": path, "old": old, "new": new}]


def _diff_objects(
    old: dict[str, Any], new: dict[str, Any], path: str, depth: int
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key in [*old, *(key for key in new if key not in old)]:
        where = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in old:
            found.append({"op": "add", "path": where, "new": new[key]})
        elif key not in new:
            found.append({"op": "remove", "path": where, "old": old[key]})
        else:
            found += _diff(old[key], new[key], where, depth + 1)
    return found


def _diff_lists(old: list[Any], new: list[Any], path: str, depth: int) -> list[dict[str, Any]]:
    """By what the elements are, not where: one inserted at the front is one change."""
    found: list[dict[str, Any]] = []
    matcher = _matcher([_key(one) for one in old], [_key(one) for one in new])
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        for k in range(both):
            found += _diff(old[i1 + k], new[j1 + k], f"{path}/{i1 + k}", depth + 1)
        for i in range(i1 + both, i2):
            found.append({"op": "remove", "path": f"{path}/{i}", "old": old[i]})
        for j in range(j1 + both, j2):
            found.append({"op": "add", "path": f"{path}/{j}", "new": new[j]})
    return found


def _key(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

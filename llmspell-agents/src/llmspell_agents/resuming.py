"""The answers to the pending calls of a paused run, as they are given and as they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmspell_agents.journaled import plain
from llmspell_core.approval import FORMS, ApprovalAnswer
from llmspell_core.errors import ValidationError, did_you_mean
from llmspell_core.journal.recording import Decision

if TYPE_CHECKING:
    from llmspell_core.journal import JournalRecord


def answers_of(given: Any, pending: list[dict[str, Any]]) -> dict[str, Any]:
    """The answers by place, as they are journaled.

    `given` is one answer for all calls, or a table of answers by the ids of calls or the names
    of tools. Calls without an answer go on waiting. Raises `input.invalid`.
    """
    chosen: dict[str, Any] = {}
    if isinstance(given, dict) and ApprovalAnswer.read(given) is None:
        ids = {one["id"]: one for one in pending}
        for name, answer in given.items():
            found = [ids[name]] if name in ids else [one for one in pending if one["tool"] == name]
            if not found:
                known = [*ids, *{one["tool"] for one in pending}]
                hint = did_you_mean(str(name), known) or f"pending: {', '.join(ids)}"
                raise ValidationError(f'approvals: no call "{name}" is pending', hint=hint)
            for one in found:
                # An id is more exact than a tool's name.
                if one["place"] not in chosen or name in ids:
                    chosen[one["place"]] = _read(answer, f"approvals.{name}")
    elif given is not None:
        chosen = {one["place"]: _read(given, "approvals") for one in pending}
    if not chosen:
        ids_text = ", ".join(one["id"] for one in pending)
        raise ValidationError(
            "approvals: answers are required", hint=f"one for each pending call: {ids_text}"
        )
    return chosen


def decisions_of(records: list[JournalRecord]) -> dict[str, Decision]:
    """What was answered to all pauses of a run, by place; the last answer holds."""
    asked: dict[tuple[str, str], dict[str, Any]] = {}
    made: dict[str, Decision] = {}
    for record in records:
        if record.kind == "paused":
            for one in record.data["pending"]:
                asked[record.key, one["place"]] = one
        elif record.kind == "resumed":
            by_script = record.data["by"] != "host"
            for place, answer in record.data["answers"].items():
                one = asked[record.key, place]
                made[place] = Decision(
                    ApprovalAnswer.model_validate(answer),
                    one["digest"],
                    by_script,
                    one["asked_by"],
                    one["tool"],
                )
    return made


def _read(value: Any, where: str) -> dict[str, Any]:
    answer = ApprovalAnswer.read(value)
    if answer is None:
        raise ValidationError(f"{where}: an answer is {FORMS}")
    found: dict[str, Any] = plain(answer.model_dump())
    return found

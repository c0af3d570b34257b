"""What functions and judges answer, read as verdicts."""

from __future__ import annotations

from typing import Any

from llmspell_core.errors import ValidationError
from llmspell_core.guardrail import Verdict
from llmspell_core.schema import describe

_EXPECTED = "nil, true, a text, false, or one of {rewrite}, {block}, {retry}"
_KINDS = ("rewrite", "block", "retry")


def verdict_of(answer: Any) -> Verdict:
    """The verdict that a function's answer means.

    Nothing and `true` let pass, a text or `{rewrite = value}` replaces, `false` or
    `{block = reason}` blocks, `{retry = message}` sends back to the model.

    Raises:
        ValidationError: `input.invalid` for anything else: what is no verdict must not pass.
    """
    if isinstance(answer, Verdict):
        return answer
    if answer is None or isinstance(answer, bool):
        return Verdict.block("") if answer is False else Verdict.passed()
    return Verdict.rewrite(answer) if isinstance(answer, str) else _of_table(answer)


def _of_table(answer: Any) -> Verdict:
    kinds = [key for key in _KINDS if key in answer] if isinstance(answer, dict) else []
    if len(kinds) != 1 or len(answer) > 1:
        raise ValidationError(f"a guardrail answers {_EXPECTED}, not {describe(answer)}")
    value = answer[kinds[0]]
    if kinds[0] == "rewrite":
        return Verdict.rewrite(value)
    if kinds[0] == "block":
        # `{block = false}` lets pass nobody knows what: it is no verdict.
        if value is True or isinstance(value, str):
            return Verdict.block(value if isinstance(value, str) else "")
    elif isinstance(value, str) and value:
        return Verdict.retry(value)
    raise ValidationError(
        f"{kinds[0]} of a guardrail's answer must be a text, not {describe(value)}"
    )


#: What a judge is asked to answer.
JUDGEMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["pass", "rewrite", "block", "retry"]},
        "reason": {"type": "string", "description": "why, in one sentence"},
        "text": {"type": "string", "description": "of rewrite: what stands in its place"},
    },
    "required": ["verdict", "reason"],
    "additionalProperties": False,
}


def judgement_of(data: Any) -> Verdict:
    """The verdict of a judge: a `JUDGEMENT`, or what a function may answer but a text.

    Raises:
        ValidationError: `input.invalid` where there is none.
    """
    if not isinstance(data, dict) or "verdict" not in data:
        if isinstance(data, str) or data is None:
            raise ValidationError("the judge gave no verdict")
        return verdict_of(data)
    kind, reason = data["verdict"], data.get("reason") or ""
    if kind == "pass":
        return Verdict.passed()
    if kind == "block":
        return Verdict.block(str(reason))
    if kind == "retry" and reason:
        return Verdict.retry(str(reason))
    if kind == "rewrite" and "text" in data:
        return Verdict.rewrite(data["text"], str(reason))
    raise ValidationError(f"the judge gave no verdict but {describe(kind)}")

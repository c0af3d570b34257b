"""`max_length`: a bound on how long a text, or data as JSON, may be."""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from llmspell_core.guardrail import GuardContext, Guardrail, Verdict
from llmspell_core.script.model import ScriptModel

#: Characters a token: measured on English prose and on scripts without an alphabet of ours.
_PLAIN, _OTHER = 4.0, 1.5
DEFAULT_CHARS = 32_000


class LengthOptions(ScriptModel):
    """The options of `max_length`."""

    chars: int | None = Field(None, ge=1, description=f"most characters, {DEFAULT_CHARS}")
    tokens: int | None = Field(None, ge=1, description="most tokens, estimated from the letters")
    action: Literal["block", "truncate", "retry"] = Field(
        "block", description="end the run, cut the text, or tell the model to be shorter"
    )

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.chars is None and self.tokens is None:
            self.chars = DEFAULT_CHARS
        return self


class MaxLength(Guardrail):
    """Bounds a value; data counts as the JSON it is written as, and is never cut."""

    name: ClassVar[str] = "max_length"
    Options: ClassVar[type[ScriptModel]] = LengthOptions

    async def check(self, value: Any, ctx: GuardContext) -> Verdict:
        is_text = isinstance(value, str)
        text = value if is_text else json.dumps(value, ensure_ascii=False, default=str)
        why = self._excess(text)
        if not why:
            return Verdict.passed()
        if self.options.action == "retry":
            return Verdict.retry(f"{why}; make it shorter")
        if self.options.action == "truncate" and is_text:
            return Verdict.rewrite(self._cut(text), f"cut, since {why}")
        return Verdict.block(why)

    def _excess(self, text: str) -> str:
        chars, tokens = self.options.chars, self.options.tokens
        if chars is not None and len(text) > chars:
            return f"it has {len(text)} characters, and {chars} are allowed"
        if tokens is not None and (found := estimated_tokens(text)) > tokens:
            return f"it has about {found} tokens, and {tokens} are allowed"
        return ""

    def _cut(self, text: str) -> str:
        made = text[: self.options.chars]
        most = self.options.tokens
        if most is None or estimated_tokens(made) <= most:
            return made
        low, high = 0, len(made)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if estimated_tokens(made[:middle]) <= most else (low, middle - 1)
            )
        return made[:low]


def estimated_tokens(text: str) -> int:
    """About how many tokens models make of a text: each has an alphabet of its own."""
    plain = len(text.encode("ascii", "ignore"))
    return math.ceil(plain / _PLAIN + (len(text) - plain) / _OTHER)

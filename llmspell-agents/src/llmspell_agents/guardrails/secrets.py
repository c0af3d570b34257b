"""`secrets`: keys, tokens and passwords: those this process knows, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from llmspell_agents.guardrails.masking import Finding, Masking
from llmspell_core.guardrail import GuardContext, Verdict
from llmspell_core.security.redact import MASK, SHORTEST

#: (what must be in the text for the pattern to be worth trying, pattern), beside the shapes that
#: the redactor removes everywhere. The services say themselves how their tokens begin.
_SHAPES: tuple[tuple[str, str], ...] = (
    ("_live_", r"\b[srp]k_live_[0-9A-Za-z]{16,255}"),
    ("_test_", r"\b[sr]k_test_[0-9A-Za-z]{16,255}"),
    ("whsec_", r"\bwhsec_[0-9A-Za-z+/=]{24,255}"),
    ("glpat-", r"\bglpat-[0-9A-Za-z_-]{20,255}"),
    ("hf_", r"\bhf_[A-Za-z]{34}\b"),
    ("npm_", r"\bnpm_[0-9A-Za-z]{36}\b"),
    ("pypi-", r"\bpypi-AgE[0-9A-Za-z_-]{50,512}"),
    ("SG.", r"\bSG\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{16,64}"),
    ("ya29.", r"\bya29\.[0-9A-Za-z_-]{20,512}"),
    ("hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,255}"),
    ("dop_v1_", r"\bdop_v1_[0-9a-f]{64}\b"),
    ("shpat_", r"\bshpat_[0-9a-fA-F]{32}\b"),
    ("AGE-SECRET-KEY-", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
    ("gsk_", r"\bgsk_[0-9A-Za-z]{40,64}\b"),
    ("xai-", r"\bxai-[0-9A-Za-z]{60,100}\b"),
)
#: A name that says so, and what is assigned to it.
_ASSIGNED = re.compile(
    r"(?i)(?<![A-Za-z0-9])(?:[A-Za-z0-9]{0,32}[_-])?"
    r"(?:passw(?:or)?d|passphrase|pwd|secret|secret[_-]?key|api[_-]?key|apikey|access[_-]?key|"
    r"access[_-]?token|auth[_-]?token|refresh[_-]?token|client[_-]?secret|private[_-]?key)"
    r"[\"']?(?:[ \t]{0,3}(?::=|=>|[:=])[ \t]{0,3}|[ \t]{1,3}is[ \t]{0,2}:?[ \t]{0,2})"
    r"(?:\"([^\"\n]{6,256})\"|'([^'\n]{6,256})'|([^\s\"',;<>{}()\[\]]{6,256}))"
)
#: The group of a value without quotes.
_UNQUOTED = 3
_PLACEHOLDER = re.compile(
    r"(?i)[.*x•_-]+|(?:your|my|the|an?|some|example|changeme|change_me|placeholder|required|"
    r"secret|password|optional|none|null|undefined|true|false|string|redacted|hidden|todo|"
    r"process\.env|os\.environ|getenv|env)\b.*|.*(?:your|example|placeholder).*|\$.*|%.*%|\[.*\]"
)
_WORD = re.compile(r"[A-Za-z]+[.!?]?")


class Secrets(Masking):
    """Hides secrets: `***` stands for what the redactor knows, `[SECRET]` for the rest."""

    name: ClassVar[str] = "secrets"

    def find(self, text: str) -> Iterator[Finding]:
        for sign, pattern in _SHAPES:
            if sign in text:
                for match in re.finditer(pattern, text):
                    yield Finding(*match.span(), "secret")
        for match in _ASSIGNED.finditer(text):
            group = match.lastindex or 0
            quoted, value = group < _UNQUOTED, match[group]
            # What ends a sentence is no part of it.
            value = value if quoted else value.rstrip(".,:!?")
            if len(value) >= SHORTEST and _likely(value, quoted=quoted):
                start = match.start(group)
                yield Finding(start, start + len(value), "secret")

    async def check(self, value: Any, ctx: GuardContext) -> Verdict:
        found: set[str] = set()
        redactor = ctx.run.runtime.redactor

        def change(text: str) -> str:
            known = redactor.text(text)
            if known != text:
                found.add("secret")
            return self.masked(known, found)

        return self._verdict(value, await self.mapped(value, change), found)

    def _verdict(self, value: Any, made: Any, found: set[str]) -> Verdict:
        if not found:
            return Verdict.passed() if made is value else Verdict.block("the value is too deep")
        if self.options.action == "block":
            return Verdict.block("it has a secret")
        return Verdict.rewrite(made, "hid a secret")


def _likely(value: str, *, quoted: bool) -> bool:
    """Whether what is assigned is a secret, and no word of a sentence or a stand-in."""
    if MASK in value or _PLACEHOLDER.fullmatch(value):
        return False
    return (quoted and " " not in value) or (not _WORD.fullmatch(value) and " " not in value)

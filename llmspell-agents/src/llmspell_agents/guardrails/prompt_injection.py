"""`prompt_injection`: texts that try to give a model orders, found by their words.

A heuristic: it knows the usual ways of saying it, in a few languages, and sees through invisible
characters, wide letters and base64. A new way of saying it gets through; what must never happen
belongs into `security` and approvals.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import unicodedata
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from llmspell_core.guardrail import GuardContext, Guardrail, Verdict
from llmspell_core.script.model import ScriptModel

WITHHELD = "[withheld: the text tried to give instructions]"
#: From how much on a text counts as an attempt.
THRESHOLD = 0.7

_EARLIER = r"(?:previous|prior|earlier|above|preceding|foregoing|former|existing|original|initial)"
_ORDERS = (
    r"(?:instructions?|prompts?|directives?|commands?|rules?|guidelines?|guardrails?|"
    r"programming|system (?:message|prompt)|context|training|constraints?|restrictions?)"
)
_IGNORE = (
    r"(?:ignore|disregard|forget|override|bypass|dismiss|skip|drop|do not (?:follow|obey)|"
    r"don'?t (?:follow|obey)|stop (?:following|obeying)|pay no attention to|neglect)"
)
_HIDDEN = (
    r"(?:(?:system|initial|original|hidden|secret|internal|developer|confidential|full|exact) "
    r"(?:system )?(?:prompt|instructions?|message|rules?|guidelines?|configuration))"
)
_REVEAL = (
    r"(?:reveal|print|show|display|output|repeat|tell me|give me|leak|expose|dump|recite|"
    r"what (?:is|are|were)|write (?:out|down)|copy|summari[sz]e|translate|disclose)"
)


class _Sign(NamedTuple):
    name: str
    weight: float
    pattern: str


# Weights add up as independent chances do: 1 - (1 - a)(1 - b). Each gap is bounded.
_SIGNS = (
    _Sign(
        "override",
        0.9,
        rf"\b{_IGNORE} (?:\w+ ){{0,3}}?(?:(?:your|my|its|the|these|those|all|any|every) )?"
        rf"(?:of )?(?:(?:your|the) )?(?:{_EARLIER}|system|safety|developer|your|all)"
        rf"(?: \w+){{0,2}}? {_ORDERS}\b",
    ),
    _Sign("override", 0.8, rf"\b{_IGNORE} (?:everything|anything|all|what) (?:\w+ ){{0,4}}?"
          r"(?:above|before|previously|so far|earlier|told|been told|instructed|you know)\b"),
    _Sign(
        "override",
        0.9,
        r"\b(?:ignorier\w*|vergiss|missachte\w*) (?:\w+ ){0,3}?"
        r"(?:anweisung\w*|befehl\w*|regeln|vorgaben|instruktion\w*)\b|"
        r"\b(?:ignore[zr]?|oublie[zr]?) (?:\w+ ){0,3}?(?:instructions|consignes|regles|règles)"
        r"(?: precedentes| précédentes| anterieures| antérieures| ci-dessus)|"
        r"\b(?:ignora\w*|olvida\w*|dimentica\w*) (?:\w+ ){0,3}?(?:instrucciones|istruzioni|"
        r"instruções|reglas|regole|regras)\b|\b(?:ignor\w*|esqueça) (?:\w+ ){0,3}?instruções\b",
    ),
    _Sign(
        "reveal",
        0.75,
        rf"\b{_REVEAL}(?: \w+){{0,4}}? (?:your|you were given|given to you)(?: \w+){{0,2}}? "
        rf"(?:{_HIDDEN}|prompt|instructions?)\b|"
        rf"\b{_REVEAL}(?: \w+){{0,2}}? (?:the|this|its) (?:\w+ )?(?:system|developer|hidden) "
        r"(?:prompt|message|instructions?)\b",
    ),
    _Sign("reveal", 0.75, r"\b(?:repeat|print|output|say|copy|write)\b(?: \w+){0,3}? "
          r"(?:everything|all|the (?:words|text|lines?|message)) (?:\w+ ){0,2}?"
          r"(?:above|before this|preceding)\b"),
    _Sign(
        "persona",
        0.8,
        r"\b(?:you are|you're|act as|pretend (?:to be|you are)|behave as|become|roleplay as|"
        r"simulate|enter|enable|activate|switch to) (?:now |going to be |an? |the )*"
        r"(?:dan\b|stan\b|(?:\w+ ){0,2}?(?:jailbroken|unrestricted|unfiltered|uncensored|"
        r"amoral|evil)\b|(?:developer|god|jailbreak|debug|sudo|admin|root|dan) mode\b)",
    ),
    _Sign("persona", 0.7, r"\bdo anything now\b|\bjailbreak(?:ed)? mode\b|\bunrestricted ai\b"),
    _Sign(
        "persona",
        0.5,
        r"\b(?:without|no|free of|free from|not bound by|not subject to) (?:any )?"
        r"(?:moral |ethical |safety |content )+(?:restrictions?|limits?|limitations?|filters?|"
        r"guidelines?|constraints?|polic(?:y|ies))",
    ),
    _Sign("persona", 0.55, r"\b(?:you are now|from now on,? you (?:are|will|must|shall))\b"),
    _Sign(
        "role",
        0.75,
        r"<\|(?:im_start|im_end|system|assistant|user|endoftext|start_header_id|eot_id)\|?>?|"
        r"\[/?inst\]|<</?sys>>|</?(?:system|assistant|system_prompt|instructions)>|"
        r"(?:^|\n)[ #*>-]{0,6}(?:system|assistant|developer)(?: (?:message|prompt|override))?"
        r"\**[ ]?:[ ]?\**[ ]?(?:you|ignore|new|override|forget|from now|the user|do not|always|"
        r"disregard|execute|all)\b",
    ),
    _Sign(
        "authority",
        0.6,
        r"\b(?:new|updated|revised|important|urgent|real|actual|secret|special|override) "
        r"(?:system )?(?:instructions?|directives?|orders|system prompt)(?: \w+){0,5}? ?"
        r"(?::|follow|supersede|replace|override|begin)|"
        r"\b(?:begin|start|end) (?:of )?(?:new |system |hidden |admin )+(?:instructions?|prompt)\b|"
        r"\bsystem override\b|\badmin(?:istrator)? override\b",
    ),
    _Sign(
        "machine",
        0.6,
        r"\b(?:attention|note|message|instructions?|dear|hello|hey|important|notice)"
        r"(?: \w+){0,2}? (?:to|for|any|all)?[ ]?(?:the |an? |any |all )?(?:ai|llm|language model|"
        r"ai assistant|ai model|ai agent|chatbot|gpt|chatgpt|claude)s?\b|"
        r"\bif you are an? (?:\w+ )?(?:ai|llm|language model|ai assistant|ai agent|bot)\b",
    ),
    _Sign(
        "secrecy",
        0.55,
        r"\b(?:do not|don'?t|never|without) (?:tell|inform|mention|reveal|alert|notify|"
        r"warn|telling|informing|mentioning|alerting|notifying)(?: \w+){0,3}? (?:the )?"
        r"(?:users?|humans?|person|owner|anyone)\b",
    ),
    _Sign(
        "carry off",
        0.75,
        r"\b(?:send|post|forward|upload|exfiltrate|email|transmit|leak|append|include|encode)\b"
        r"(?: [\w'-]+){0,8}? (?:api keys?|passwords?|credentials?|secrets?|tokens?|"
        r"(?:chat|conversation|message) (?:history|log)|conversation|system prompt|"
        r"private data|environment variables|cookies|user'?s? data)\b"
        r"(?: [\w'-]+){0,6}? (?:to|at|in|into|via|as) (?:\w+ ){0,3}?(?:https?:|www\.|[\w.]{1,64}@)",
    ),
    _Sign("carry off", 0.75, r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{0,200}[?&=][^)\s]{0,100}"
          r"(?:\{|<|\[|data|secret|history|prompt)"),
    _Sign(
        "tools",
        0.55,
        r"\b(?:you must|you should|you need to|please|immediately|now) (?:\w+ ){0,2}?"
        r"(?:call|invoke|use|execute|run) (?:\w+ ){0,2}?(?:the )?[\w-]{2,40} "
        r"(?:tool|function|command|plugin)\b(?: \w+){0,4}? (?:with|to|and|before)\b",
    ),
)  # fmt: skip
_COMPILED = tuple((one.name, one.weight, re.compile(one.pattern)) for one in _SIGNS)
_BASE64 = re.compile(r"(?<![\w+/=])[A-Za-z0-9+/_-]{24,4096}={0,2}")
_SPACED = re.compile(r"(?<!\w)(?:\w[ .*_-]){5,400}\w(?!\w)")
_BLANKS = re.compile(r"[ \t\f\v\r]+")
#: Longer texts are looked at in pieces, in a thread.
LONG = 20_000
_OVERLAP = 500
#: How many encoded runs are looked into.
_MOST_DECODED = 50


class InjectionOptions(ScriptModel):
    """The options of `prompt_injection`."""

    threshold: float = Field(THRESHOLD, gt=0, le=1, description="from which score on it counts")
    action: Literal["block", "withhold", "retry"] = Field(
        "block", description="end the run, put a note in its place, or tell the model"
    )


class PromptInjection(Guardrail):
    """Holds back texts that speak to the model instead of about the matter."""

    name: ClassVar[str] = "prompt_injection"
    Options: ClassVar[type[ScriptModel]] = InjectionOptions

    async def check(self, value: Any, ctx: GuardContext) -> Verdict:
        text = _whole_text(value)
        if len(text) <= LONG:
            found, signs = score(text)
        else:
            found, signs = await asyncio.to_thread(score_of_long, text)
        if found < self.options.threshold:
            return Verdict.passed()
        why = f"it looks like a prompt injection ({', '.join(signs)}; score {found:.2f})"
        if self.options.action == "withhold":
            return Verdict.rewrite(WITHHELD, why)
        if self.options.action == "retry":
            return Verdict.retry(why)
        return Verdict.block(why)


def score_of_long(text: str) -> tuple[float, list[str]]:
    """The highest score of the pieces of a text, which overlap: each is soon looked through."""
    best: tuple[float, list[str]] = (0.0, [])
    for start in range(0, len(text), LONG - _OVERLAP):
        best = max(best, score(text[start : start + LONG]))
    return best


def score(text: str) -> tuple[float, list[str]]:
    """How much a text looks like an injection, 0 to 1, and which signs of one it has."""
    plain = normalized(text)
    weights: dict[str, float] = {}
    for shown, factor in ((plain, 1.0), (_unspaced(plain), 1.0), (_decoded(text), 1.1)):
        if not shown:
            continue
        for name, weight, pattern in _COMPILED:
            if pattern.search(shown):
                weights[name] = max(weights.get(name, 0.0), min(1.0, weight * factor))
    left = 1.0
    for weight in weights.values():
        left *= 1 - weight
    return round(1 - left, 4), sorted(weights)


def normalized(text: str) -> str:
    """In small letters, one form of each letter, without what cannot be seen."""
    plain = unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKE)
    seen = "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Mn", "Co"))
    return _BLANKS.sub(" ", seen.casefold())


#: Letters of other scripts that look like ours, and curly quotes.
_LOOK_ALIKE = str.maketrans(
    "аеорсухіѕјԁɡһԛԝʏАВЕКМНОРСТХІЅЈ‘’“”",  # noqa: RUF001 - meant
    "aeopcyxisjdghqwyABEKMHOPCTXISJ''\"\"",
)


def _unspaced(plain: str) -> str:
    """Words written with a blank after each letter, put together; "" when there are none."""
    found = [re.sub(r"[ .*_-]", "", match[0]) for match in _SPACED.finditer(plain)]
    joined = " ".join(found)
    # Where words were is lost: the usual order of words is looked for without blanks.
    if re.search(r"ignore(?:all)?(?:previous|prior|above|your)instructions", joined):
        return "ignore all previous instructions"
    return joined


def _decoded(text: str) -> str:
    found = []
    for match in list(_BASE64.finditer(text))[:_MOST_DECODED]:
        run = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            data = base64.b64decode(run + "=" * (-len(run) % 4))
            found.append(normalized(data.decode()))
        except (binascii.Error, ValueError):
            continue
    return "\n".join(found)


def _whole_text(value: Any) -> str:
    """All texts in a value, one a line."""
    if isinstance(value, str):
        return value
    found: list[str] = []
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            todo += [*one.values(), *one]
        elif isinstance(one, (list, tuple)):
            todo += one
    return "\n".join(reversed(found))

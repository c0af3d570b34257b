"""Asking the guardrails of a place one after the other, and what it means when one fails."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llmspell_agents.guardrails.answers import verdict_of
from llmspell_agents.guardrails.judge import judged
from llmspell_core.callables import arity
from llmspell_core.errors import AgentError, LLMSpellError, error_data
from llmspell_core.guardrail import GuardContext, Guardrail, Verdict
from llmspell_core.script.api import ScriptFunction

if TYPE_CHECKING:
    from llmspell_agents.guardrails.entry import Guard

#: What a block is called in a text for people.
_WHAT = {
    "input": "the input",
    "output": "the answer",
    "tool_input": "the arguments of {tool}",
    "tool_output": "the result of {tool}",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What came out: the value to go on with, or the verdict that stopped, and whose it is."""

    value: Any
    stopped: Verdict | None = None
    guard: str = ""
    rewritten: bool = False


async def ask_guards(
    guards: Sequence[Guard], value: Any, about: GuardContext, timeout_ms: float
) -> Asked:
    """Ask each guardrail in turn; each sees what those before it have made of the value.

    Args:
        guards: those of one place
        value: a text, or data
        about: the moment; `guardrail` is filled in
        timeout_ms: how long one may take that sets no time of its own
    """
    rewritten = False
    for guard in guards:
        if about.tool and not guard.concerns(about.tool):
            continue
        seen = replace(about, guardrail=guard.name)
        verdict = await _verdict(guard, value, seen, guard.timeout_ms or timeout_ms)
        if verdict.kind == "pass":
            continue
        _tell(verdict, seen)
        if verdict.kind != "rewrite":
            return Asked(value, verdict, guard.name, rewritten)
        value, rewritten = verdict.value, True
    return Asked(value, rewritten=rewritten)


async def _verdict(guard: Guard, value: Any, about: GuardContext, timeout_ms: float) -> Verdict:
    """What one guardrail says; one that fails or takes too long blocks."""
    limit = asyncio.timeout(timeout_ms / 1000)
    try:
        async with limit:
            return await _ask(guard, value, about)
    except Exception as error:  # noqa: BLE001 - whatever it raises, nothing passes unchecked
        if limit.expired():
            return Verdict.block(f"it took longer than {timeout_ms:g} ms")
        text = error.message if isinstance(error, LLMSpellError) else error_data(error)["message"]
        return Verdict.block(f"it failed: {about.run.runtime.redactor.text(str(text))}")


async def _ask(guard: Guard, value: Any, about: GuardContext) -> Verdict:
    if guard.agent is not None:
        return await judged(guard.agent, value, about)
    check = guard.check
    if isinstance(check, Guardrail):
        return await check.check(value, about)
    if check is None:
        return Verdict.block("it has no check")
    if isinstance(check, ScriptFunction):
        return verdict_of(await check(value, about.to_script()))
    answer = check(*(value, about)[: arity(check)])
    return verdict_of(await answer if inspect.isawaitable(answer) else answer)


def as_answer_text(value: Any) -> str:
    """What a guardrail has put in the place of a text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def blocked(about: GuardContext, guard: str, reason: str) -> AgentError:
    """The error of a block: `agent.guardrail_blocked`. It never holds what was blocked."""
    what = _WHAT[about.place].format(tool=about.tool)
    details = {
        "guardrail": guard,
        "place": about.place,
        "agent": about.agent,
        "reason": reason,
        **({"tool": about.tool} if about.tool else {}),
    }
    return AgentError(
        f"{about.agent}: the guardrail {guard} blocked {what}" + (f": {reason}" if reason else ""),
        code="agent.guardrail_blocked",
        hint=f"guardrails.{about.place} of {about.agent} decides this",
        details=details,
    )


def _tell(verdict: Verdict, about: GuardContext) -> None:
    data = {
        "name": about.agent,
        "guardrail": about.guardrail,
        "place": about.place,
        "verdict": verdict.kind,
        "reason": about.run.runtime.redactor.text(verdict.message),
        "run_id": about.run.run_id,
        **({"tool": about.tool} if about.tool else {}),
    }
    run = about.run
    run.events.emit(
        "agent.guardrail", data, correlation_id=run.correlation_id, language=run.language
    )

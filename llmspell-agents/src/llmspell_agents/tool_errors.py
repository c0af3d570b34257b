"""`ToolErrors`: what an agent's `on_tool_error` makes of a call that went wrong.

The function gets the error and the call, `{id, name, arguments}`. It answers with nothing (all goes
on as without it), with a text that the model gets as the call's result, or with a table of one of

    result     the call's result, of any kind
    retry      what the model is told to do better; it counts as a wrong call
    failed     what the model is told of the failure

What it throws ends the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from llmspell_agents.functions import call as call_function
from llmspell_core.errors import AgentError, did_you_mean
from llmspell_core.schema import describe
from llmspell_core.script.api import Result

if TYPE_CHECKING:
    from llmspell_core.errors import LLMSpellError
    from llmspell_core.messages import ToolCall

Kind = Literal["result", "retry", "failed"]
_KINDS: tuple[Kind, ...] = ("result", "retry", "failed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of the call."""

    kind: Kind
    value: Any


async def ask(function: Any, error: LLMSpellError, call: ToolCall, agent: str) -> Verdict | None:
    """What the function makes of it; None where it says nothing.

    Raises what the function throws, and `agent.failed` for an answer that is none of those.
    """
    shown = Result({"id": call.id, "name": call.name, "arguments": call.arguments})
    answer = await call_function(function, error, shown)
    if answer is None:
        return None
    if isinstance(answer, str):
        return Verdict("result", answer)
    if not isinstance(answer, dict):
        raise _wrong(agent, f"not {describe(answer)}")
    given = {key: value for key, value in answer.items() if value is not None}
    if len(given) != 1:
        raise _wrong(agent, "with exactly one of these fields")
    key, value = next(iter(given.items()))
    kind = next((one for one in _KINDS if one == key), None)
    if kind is None:
        near = did_you_mean(str(key), list(_KINDS))
        raise _wrong(agent, f'not "{key}"' + (f", {near}" if near else ""))
    if kind != "result" and not isinstance(value, str):
        raise _wrong(agent, f"and {kind} must be a text, not {describe(value)}")
    return Verdict(kind, value)


def _wrong(agent: str, what: str) -> AgentError:
    return AgentError(
        f"on_tool_error of {agent} answers with nothing, a text, or {{result | retry | failed}}, "
        f"{what}"
    )

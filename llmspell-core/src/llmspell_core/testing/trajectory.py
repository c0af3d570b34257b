"""What an agent did on its way: the tools it called and whom it handed over to.

assert_tool_calls(output, "stock", ("price", {"item": "kettle"}))
assert_handoffs(output, "billing", "refunds")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from llmspell_core.names import canonical

if TYPE_CHECKING:
    from llmspell_core.messages import AgentOutput

#: exact: these calls and no others; in_order, any_order: others may stand between them.
Match = Literal["exact", "in_order", "any_order"]
MATCHES: tuple[Match, ...] = ("exact", "in_order", "any_order")
Step = str | tuple[str, dict[str, Any]]
#: A call as it was made: its name and arguments.
Made = tuple[str, dict[str, Any]]


def assert_tool_calls(output: AgentOutput, *wanted: Step, match: Match = "exact") -> None:
    """Fail when an agent called other tools.

    Args:
        output: what the run gave
        wanted: names, or pairs of a name and arguments that the call had among its own
        match: `exact`, or `in_order` or `any_order` with other calls between them
    """
    made = [(call.name, call.arguments) for call in output.tool_calls]
    if wrong := mismatch(made, list(wanted), match):
        raise AssertionError(wrong)


def assert_handoffs(output: AgentOutput, *names: str) -> None:
    """Fail when control did not go to these agents, in this order; none: to nobody."""
    if output.handoff != list(names):
        raise AssertionError(f"handed over to {_list(output.handoff)}, not to {_list(names)}")


def mismatch(made: Sequence[Made], wanted: Sequence[Step], match: Match = "exact") -> str | None:
    """In which way the calls differ from the wanted ones, or None."""
    steps = [(one, {}) if isinstance(one, str) else one for one in wanted]
    called = f"called {_calls(made)}"
    if match == "exact":
        same = len(made) == len(steps) and all(map(_fits, made, steps))
        return None if same else f"{called}, not {_calls(steps)}"
    left = [*made]
    for step in steps:
        at = next((n for n, one in enumerate(left) if _fits(one, step)), None)
        if at is None:
            after = " after that" if match == "in_order" and len(left) < len(made) else ""
            return f"{called}: no {_calls([step])}{after}"
        left = left[at + 1 :] if match == "in_order" else left[:at] + left[at + 1 :]
    return None


def _fits(made: Made, wanted: Made) -> bool:
    return canonical(made[0]) == canonical(wanted[0]) and _within(wanted[1], made[1])


def _within(wanted: Any, value: Any) -> bool:
    """Whether a value has all that is wanted; of tables, what else is in them does not matter."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        return all(key in value and _within(one, value[key]) for key, one in wanted.items())
    return bool(wanted == value)


def _calls(calls: Sequence[Made]) -> str:
    import json

    texts = []
    for name, arguments in calls:
        inner = ", ".join(
            f"{key}={json.dumps(value, ensure_ascii=False, default=str)}"
            for key, value in arguments.items()
        )
        texts.append(f"{name}({inner})" if inner else name)
    return _list(texts)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"

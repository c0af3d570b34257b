"""Tool calls as litellm can translate them."""

from __future__ import annotations

from llmspell_core.messages import Message, ToolCall

#: Services of Gemini's API: litellm sends one of several calls that are alike in a message.
GEMINI = ("gemini", "vertex_ai")


def told_apart(messages: list[Message]) -> list[Message]:
    """The history with calls that are alike in messages of their own, each with its result.

    Gemini refuses a message with fewer calls than the next one has results.
    """
    made: list[Message] = []
    index = 0
    while index < len(messages):
        message = messages[index]
        index += 1
        groups = _groups(message.tool_calls)
        if len(groups) <= 1:
            made.append(message)
            continue
        results: dict[str | None, Message] = {}
        while index < len(messages) and messages[index].role == "tool":
            results[messages[index].tool_call_id] = messages[index]
            index += 1
        for number, calls in enumerate(groups):
            changes = {"tool_calls": calls} | ({"content": ""} if number else {})
            made.append(message.model_copy(update=changes))
            made += [results[call.id] for call in calls if call.id in results]
    return made


def _groups(calls: list[ToolCall]) -> list[list[ToolCall]]:
    """The calls in groups without two alike; one group where all differ."""
    groups: list[list[ToolCall]] = []
    for call in calls:
        alike = (call.name, call.arguments)
        for group in groups:
            if all((one.name, one.arguments) != alike for one in group):
                group.append(call)
                break
        else:
            groups.append([call])
    return groups

"""The conversation as the model is shown it: system prompt, tools, demonstrations, results."""

from __future__ import annotations

import json
from typing import Any

from llmspell_core.messages import Message, ToolCall
from llmspell_core.provider import ToolDefinition
from llmspell_local.choices import Choice, Form

DEFAULT_SYSTEM = "Answer in one short sentence."
_DESCRIPTION = 160
#: What a call looks like. A small model learns more from these than from any instruction: parts
#: of the question become arguments. More than one answer among them, and it calls no tool.
_CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("What is 8 * (12 - 5)?", {"tool": "calculator", "arguments": {"input": "8 * (12 - 5)"}}),
    ("How warm is it in Lima?", {"tool": "weather", "arguments": {"city": "Lima"}}),
    ("Say hello.", {"answer": "Hello!"}),
    ("Please add 31 and 64.", {"tool": "calculator", "arguments": {"input": "31 + 64"}}),
    ("Find news about solar energy.", {"tool": "search", "arguments": {"query": "solar energy"}}),
)
_RESULTS = (
    (
        "Where is my parcel?\nResult: place Bonn, arrives Friday",
        "Your parcel is in Bonn and arrives on Friday.",
    ),
    (
        "How warm is it in Lima?\nResult: celsius 19, sky cloudy",
        "It is 19 degrees and cloudy in Lima.",
    ),
    ("Please add 31 and 64.\nResult: 95", "The sum of 31 and 64 is 95."),
    ("What is 8 * 12?\nResult: 96", "8 * 12 is 96."),
)
#: JSON in the words of a text.
_EXTRACTS = (
    (
        "Maria must repair the heater on Monday.",
        {"day": "Monday", "person": "Maria", "task": "repair the heater"},
    ),
    (
        "please bring the lamp to Lima before 6 pm",
        {"place": "Lima", "thing": "lamp", "time": "6 pm"},
    ),
)

ChatMessage = dict[str, str]


def chat_messages(messages: list[Message], choice: Choice, *, small: bool) -> list[ChatMessage]:
    """The messages of a chat completion, the system prompt first."""
    system = "\n\n".join(one.text for one in messages if one.role == "system" and one.text)
    rest = [one for one in messages if one.role != "system"]
    shown: list[ChatMessage] = []
    if small and rest and rest[-1].role == "tool" and choice.form is not Form.CHOICE:
        rest = _with_results(rest)
        system = _joined(system or DEFAULT_SYSTEM, "Use only the given result.")
        shown = _demonstrated(_RESULTS) if choice.form is Form.TEXT else []
    elif choice.form is Form.CHOICE:
        system = _joined(system or DEFAULT_SYSTEM, _offer(choice, small=small))
        if small:
            shown = _demonstrated((ask, _compact(call)) for ask, call in _CALLS)
    turns = _turns(rest)
    if choice.form is Form.JSON and choice.schema is not None:
        sketch = _sketch(choice.schema)
        system = _joined(system, "Reply with JSON only.")
        if small and turns and turns[-1]["role"] == "user":
            turns[-1]["content"] = _joined(turns[-1]["content"], sketch)
            shown = _demonstrated(
                (_joined(ask, _compact(_blank(reply))), _compact(reply)) for ask, reply in _EXTRACTS
            )
        else:
            system = _joined(system, f"It looks like this: {sketch}")
    first = {"role": "system", "content": system or DEFAULT_SYSTEM}
    return [first, *shown, *turns]


def _blank(value: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(value, "...")


def _demonstrated(pairs: Any) -> list[ChatMessage]:
    made: list[ChatMessage] = []
    for ask, reply in pairs:
        made += [{"role": "user", "content": ask}, {"role": "assistant", "content": reply}]
    return made


def _offer(choice: Choice, *, small: bool) -> str:
    head = "Reply with one JSON object: a call of a tool"
    head += ", or an answer." if choice.answer else "."
    listed = "\n".join(_listed(tool, small=small) for tool in choice.tools)
    if small:
        return f"{head}\nTools:\n{listed}"
    forms = ['{"tool":NAME,"arguments":{...}} calls a tool']
    forms += ['{"answer":"..."} answers'] if choice.answer else []
    return f"{head}\n{'; '.join(forms)}.\nTools:\n{listed}"


def _listed(tool: ToolDefinition, *, small: bool) -> str:
    if not small:
        return f"- {tool.name}: {tool.description} Arguments: {_compact(tool.parameters)}"
    what = tool.description.split(". ")[0][:_DESCRIPTION]
    return f"- {tool.name}({', '.join(tool.parameters['properties'])}): {what}"


def _turns(messages: list[Message]) -> list[ChatMessage]:
    """User and assistant in turn, as the chat templates of most models demand."""
    made: list[ChatMessage] = []
    names: dict[str, str] = {}
    for message in messages:
        names.update((call.id, call.name) for call in message.tool_calls)
        role = "assistant" if message.role == "assistant" else "user"
        text = message.text
        if message.role == "tool":
            text = f"Result of {names.get(message.tool_call_id or '', 'the tool')}: {text}"
        elif message.tool_calls:
            text = _joined(text, *map(_call, message.tool_calls))
        if made and made[-1]["role"] == role:
            made[-1]["content"] = _joined(made[-1]["content"], text)
        else:
            made.append({"role": role, "content": text})
    return made


def _with_results(messages: list[Message]) -> list[Message]:
    """Question and results in one message; earlier calls are left out, they only confuse."""
    last = max((i for i, one in enumerate(messages) if one.role == "user"), default=-1)
    question = messages[last].text if last >= 0 else ""
    results = [readable(one.text) for one in messages[last + 1 :] if one.role == "tool"]
    asked = _joined(question, *(f"Result: {text}" for text in results))
    before = [one for one in messages[: max(last, 0)] if one.role != "tool" and not one.tool_calls]
    return [*before, Message(role="user", content=asked)]


def readable(text: str) -> str:
    """A result for a small model: a JSON object as `celsius 19, sky cloudy`, all else as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if not isinstance(value, dict) or any(isinstance(one, (dict, list)) for one in value.values()):
        return text
    return ", ".join(f"{key} {_word(one)}" for key, one in value.items())


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _sketch(schema: dict[str, Any]) -> str:
    """A schema by example, which is shorter and clearer to a model than the schema."""
    return json.dumps(_example(schema), ensure_ascii=False, separators=(",", ":"))


def _example(schema: dict[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return "|".join(map(str, schema["enum"]))
    if schema.get("anyOf"):
        return _example(schema["anyOf"][0])
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _example(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema.get("items", {}))]
    return "..."


def _call(call: ToolCall) -> str:
    return _compact({"tool": call.name, "arguments": call.arguments})


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)

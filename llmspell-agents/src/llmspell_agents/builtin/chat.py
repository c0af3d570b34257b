"""`chat`: a conversation partner who can look things up, calculate, and tell dates."""

from __future__ import annotations

from typing import Any

CHAT: dict[str, Any] = {
    "description": "Talks about anything; looks things up, calculates, knows dates.",
    "category": "conversation",
    "complexity": "simple",
    "capabilities": ["conversation", "question-answering"],
    "parameters": {
        "persona": {
            "type": "string",
            "description": "who it is",
            "default": "a helpful assistant",
        },
        "tone": {
            "type": "string",
            "description": "how it speaks",
            "default": "friendly and brief",
        },
        "language": {"type": "string", "description": "the language of its answers"},
    },
    "system_prompt": """\
You are {{ persona }}. Your tone is {{ tone }}.
{%- if language %} Answer in {{ language }}.{% endif %}

Answer what was asked, without repeating the question. Use a tool when the answer depends on
current facts, on arithmetic or on a date; otherwise answer at once. When you do not know, say
so.""",
    "tools": ["web-searcher", "calculator", "datetime-handler"],
    "memory": {"max_messages": 40},
    "temperature": 0.7,
    "example": "What is 17 % of 1,240?",
}

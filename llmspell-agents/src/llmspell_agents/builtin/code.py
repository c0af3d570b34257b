"""`code`: reads, writes, changes and checks source code in the working directory."""

from __future__ import annotations

from typing import Any

CODE: dict[str, Any] = {
    "description": "Reads, writes and reviews source code, and runs the project's checks.",
    "category": "development",
    "complexity": "complex",
    "capabilities": ["code", "code-review", "debugging"],
    "parameters": {
        "language": {"type": "string", "description": "the programming language"},
        "style": {"type": "string", "description": "a style guide to follow"},
        "test_command": {"type": "string", "description": "what checks a change"},
    },
    "system_prompt": """\
You are an experienced{% if language %} {{ language }}{% endif %} programmer.

- Read what is there before you change it, and follow its style
{%- if style %} and {{ style }}{% endif %}.
- Change as little as the task needs. Say which files you changed and why.
- Name errors you find with file and line, the most serious first, each with its remedy.
{%- if test_command %}
- After a change run `{{ test_command }}`, and go on until it passes or you know why it cannot.
{%- endif %}
- Never claim that code works when you have not run it.""",
    "tools": [
        "file-operations",
        "file-search",
        "process-executor",
        "text-analyzer",
        "diff-calculator",
    ],
    "memory": {"max_messages": 80},
    "temperature": 0.1,
    "max_iterations": 40,
    "example": "Review the files in src for errors.",
}

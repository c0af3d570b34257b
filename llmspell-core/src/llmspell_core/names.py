"""How names are spelled: scripts may write them in snake_case, camelCase or kebab-case."""

from __future__ import annotations

#: No name is longer. What a script gives for one may be megabytes, which stay as they are.
LONGEST = 1000


def to_snake(name: str) -> str:
    """`systemPrompt` -> `system_prompt`; what is snake_case already stays."""
    if len(name) > LONGEST or name == name.lower():
        return name
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def canonical(name: str) -> str:
    """Tool names are kebab-case; `_` and `-` are the same, camelCase is read as well."""
    if len(name) > LONGEST:
        return name
    return to_snake(name).strip("_").replace("_", "-") if name else name

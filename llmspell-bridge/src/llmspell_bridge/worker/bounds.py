"""How large what passes between a worker and its host may be, by the limits of the session."""

from __future__ import annotations

import json
from typing import Any

#: Where the options set no size, in bytes.
MOST = 256 << 20

#: What a worker gets in the place of an answer, while it does not read those it was sent.
UNREAD = json.dumps(
    {
        "code": "limit.pending_size",
        "message": "the answers that the script has not taken yet are larger than its memory",
        "hint": "make fewer calls at once",
        "retryable": True,
    }
)


def largest_frame(options: dict[str, Any]) -> int:
    """Of a worker's frames. Text in one may be escaped: it is larger than the value in it."""
    size = _limit(options, "value_mb")
    return int(size * 4 + 4) << 20 if size else MOST


def most_unread(options: dict[str, Any]) -> int:
    """Bytes that wait for a worker to read them; it could not hold more."""
    return int(_limit(options, "memory_mb") * (1 << 20)) or MOST


def _limit(options: dict[str, Any], name: str) -> float:
    return float((options.get("limits") or {}).get(name) or 0)

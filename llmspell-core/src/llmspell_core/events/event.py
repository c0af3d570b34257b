"""`Event`: something that happened, as subscribers and the history see it."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from llmspell_core.script.api import Result

#: Ids are unique across processes: a random part of this process, and the sequence.
_PREFIX = os.urandom(6).hex()


class Event:
    """One event. `timestamp` is in seconds since 1970; `sequence` grows over all events.

    `data` is kept as it was given: whoever emits must not change it afterwards.
    """

    #: The type that editors and the reference show of `to_script`.
    script_type: ClassVar[dict[str, Any]] = {
        "doc": "Something that happened.",
        "fields": [
            {"name": name, "type": kind, "required": needed, "doc": doc, "aliases": aliases}
            for name, kind, needed, doc, aliases in (
                ("id", "string", True, "a name no other event has", []),
                ("type", "string", True, "such as tool.completed", ["event_type"]),
                ("data", "any", False, "what came with it", []),
                ("timestamp", "string", True, "ISO 8601, UTC", []),
                ("sequence", "integer", True, "grows with every event", []),
                ("source", "string", True, "who sent it; llmspell for its own", []),
                ("correlation_id", "string", False, "what it belongs to", []),
                ("language", "string", True, "of the sender", []),
                ("metadata", "Record<string, any>", True, "priority, target, expires", []),
            )
        ],
    }

    __slots__ = (
        "correlation_id",
        "data",
        "expires",
        "language",
        "priority",
        "sequence",
        "size",
        "source",
        "target",
        "timestamp",
        "type",
    )

    def __init__(  # noqa: PLR0917 - made at every emit: keywords cost a third more
        self,
        type: str,
        data: Any,
        sequence: int,
        timestamp: float,
        source: str,
        correlation_id: str | None,
        language: str,
        priority: float,
        target: str | None,
        expires: float | None,
        size: int = 0,
    ) -> None:
        self.type = type
        self.data = data
        self.sequence = sequence
        self.timestamp = timestamp
        self.source = source
        self.correlation_id = correlation_id
        self.language = language
        self.priority = priority
        self.target = target
        #: Seconds since 1970 after which nobody gets it any more, or None.
        self.expires = expires
        #: About how many bytes the data takes, where a script made it; else 0.
        self.size = size

    @property
    def id(self) -> str:
        """A name no other event has."""
        return f"{_PREFIX}-{self.sequence:x}"

    @property
    def metadata(self) -> dict[str, Any]:
        """What the sender said besides: `priority`, `target`, `expires` (ISO 8601)."""
        found: dict[str, Any] = {}
        if self.priority:
            found["priority"] = self.priority
        if self.target is not None:
            found["target"] = self.target
        if self.expires is not None:
            found["expires"] = iso(self.expires)
        return found

    def to_script(self) -> Result:
        """For scripts: `event_type` beside `type`, the timestamp in ISO 8601 (UTC)."""
        fields: dict[str, Any] = {
            "id": self.id,
            "type": self.type,
            "event_type": self.type,
            "data": self.data,
            "timestamp": iso(self.timestamp),
            "sequence": self.sequence,
            "source": self.source,
            "correlation_id": self.correlation_id,
            "language": self.language,
            "metadata": Result(self.metadata),
        }
        return Result({name: value for name, value in fields.items() if value is not None})

    def __repr__(self) -> str:
        return f"Event({self.type!r}, sequence={self.sequence}, source={self.source!r})"


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    from datetime import UTC, datetime

    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")

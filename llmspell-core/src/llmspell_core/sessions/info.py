"""`SessionInfo`: what is known of a session beside its records, and how it is named."""

from __future__ import annotations

import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Self

from llmspell_core.errors import StateError, ValidationError

#: The version of the format of infos and records that this llmspell writes and reads.
VERSION = 1
ACTIVE = "active"
COMPLETED = "completed"
MAX_TITLE = 80
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,127}")


def check_id(id: Any) -> str:
    """The id of a session, or `input.invalid`."""
    if isinstance(id, str) and _ID.fullmatch(id):
        return id
    raise ValidationError(
        "a session id has 1 to 128 letters, digits and . _ : @ -, and begins with a letter or digit"
    )


def new_id() -> str:
    """An id that sorts by time and that nobody can guess."""
    moment = datetime.fromtimestamp(time.time(), UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:12]}"


def now() -> str:
    """The time as it is recorded: ISO 8601 in UTC, with microseconds."""
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="microseconds")


class SessionInfo:
    """One session. It is a copy: changes are made by `Sessions`."""

    __slots__ = (
        "created_at",
        "description",
        "id",
        "metadata",
        "name",
        "owner",
        "shared",
        "status",
        "tags",
        "title",
        "turns",
        "updated_at",
    )

    def __init__(
        self,
        id: str,
        owner: str,
        *,
        name: str = "",
        description: str = "",
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        shared: bool = False,
    ) -> None:
        self.id = id
        #: The state scope it was made in: `script:a.lua`, `python`, `chat`.
        self.owner = owner
        self.name = name
        self.description = description
        self.tags = tags or []
        self.metadata = metadata or {}
        self.shared = shared
        self.status = ACTIVE
        #: What the user said first, shortened.
        self.title = ""
        self.turns = 0
        self.created_at = self.updated_at = now()

    def to_data(self) -> dict[str, Any]:
        """As it is stored."""
        return {"version": VERSION, **{name: getattr(self, name) for name in self.__slots__}}

    @classmethod
    def of_data(cls, data: Any) -> Self:
        """From what `to_data` made. Raises `session.version`, `session.damaged`."""
        check_version(data)
        made = cls(data.get("id", ""), data.get("owner", ""))
        for name in cls.__slots__:
            if name in data:
                setattr(made, name, data[name])
        return made

    def to_script(self) -> dict[str, Any]:
        """The fields that scripts and people see."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "owner"}


def check_version(data: Any) -> None:
    """Refuse what is no record, and what a newer llmspell wrote."""
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise StateError(
            "a record of the session is damaged",
            code="session.damaged",
            hint="delete the session, or restore a copy of the state",
        )
    if version > VERSION:
        raise StateError(
            "the session was written by a newer llmspell",
            code="session.version",
            hint="update llmspell",
        )

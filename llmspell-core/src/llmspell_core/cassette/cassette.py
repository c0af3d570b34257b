"""`Cassette`: finds recorded answers, and keeps new ones.

live     asks, records nothing
record   asks and records, over what was there
replay   never asks: what is not recorded is `cassette.miss`, with the nearest recording
auto     plays what is recorded, asks and records the rest
"""

from __future__ import annotations

import fnmatch
import json
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from llmspell_core.cassette import tape
from llmspell_core.cassette.forms import key_of, without_secrets
from llmspell_core.cassette.nearest import difference, nearest
from llmspell_core.errors import LLMSpellError

if TYPE_CHECKING:
    from llmspell_core.security.redact import Redactor

Mode = Literal["live", "record", "replay", "auto"]
MODES: tuple[Mode, ...] = ("live", "record", "replay", "auto")
#: In a list of tools: all that reach beyond this machine.
OUTSIDE = "outside"

log = logging.getLogger("llmspell.cassette")


class _Tool(Protocol):
    name: str
    open_world: bool


@dataclass(slots=True)
class Recording:
    """One question and its answer, as it stands in the file."""

    kind: str
    key: str
    request: dict[str, Any]
    answer: dict[str, Any] = field(default_factory=dict)


class Cassette:
    """Recorded answers in one file. Each is played once, equal questions in their order.

    Args:
        path: the file; it is read at once in the modes that play
        mode: see the module
        tools: which tools' calls are recorded and played: names and patterns, and ``outside``
            for those that reach beyond this machine; by default these
        redactor: removes secrets from what is recorded

    Raises:
        ConfigError: `cassette.missing`, `cassette.invalid`
    """

    def __init__(
        self,
        path: Path | None,
        mode: Mode = "auto",
        *,
        tools: Sequence[str] = (OUTSIDE,),
        redactor: Redactor | None = None,
    ) -> None:
        self.path = path
        self.mode: Mode = mode if path is not None else "live"
        self.played = 0
        self.recorded = 0
        self._tools = [one.replace("_", "-") for one in tools]
        self._redactor = redactor
        self._unused: dict[str, deque[Recording]] = {}
        self._all: list[Recording] = []
        #: Facts about providers and models, by name: what they can do is part of no answer.
        self._facts: dict[str, dict[str, Any]] = {}
        self._missed: LLMSpellError | None = None
        self._told = False
        self._writer: tape.Writer | None = None
        if path is not None:
            self._open(path)

    @property
    def replaying(self) -> bool:
        """Whether nothing may be asked."""
        return self.mode == "replay"

    @property
    def remaining(self) -> int:
        """How many recordings nobody has asked for yet."""
        return sum(len(waiting) for waiting in self._unused.values())

    def tapes(self, tool: _Tool) -> bool:
        """Whether calls of this tool are recorded and played."""
        if self.mode == "live":
            return False
        if tool.open_world and OUTSIDE in self._tools:
            return True
        return any(fnmatch.fnmatchcase(tool.name, one) for one in self._tools)

    def find(self, kind: str, form: dict[str, Any]) -> Recording | None:
        """The recorded answer, or None when it is to be asked; `cassette.miss` in a replay."""
        if self.mode in ("live", "record"):
            return None
        if self._missed is not None:
            # After a tool's call was missed the model was told what it never was before.
            raise self._missed
        form = without_secrets(form, self._redactor)
        waiting = self._unused.get(key_of(kind, form))
        if waiting:
            self.played += 1
            return waiting.popleft()
        if self.mode == "auto":
            return None
        miss = self._miss(kind, form)
        if kind == "tool":
            self._missed = miss
        raise miss

    def keep(self, kind: str, form: dict[str, Any], **answer: Any) -> None:
        """Record an answer; in the modes that record nothing this does nothing."""
        if self._writer is None:
            return
        form = without_secrets(form, self._redactor)
        clean = without_secrets({k: v for k, v in answer.items() if v}, self._redactor)
        try:
            json.dumps(clean)
        except (TypeError, ValueError):
            name = form.get("tool") or form.get("model")
            log.warning("%s is not recorded: its answer is no JSON", name)
            return
        self.recorded += 1
        self._writer.add({"kind": kind, "key": key_of(kind, form), "request": form, **clean})

    def fact(self, name: str) -> dict[str, Any] | None:
        """What was recorded of a provider, or of a model."""
        return self._facts.get(name)

    def learn(self, name: str, data: dict[str, Any]) -> None:
        """Record what a provider or a model is."""
        if self._writer is not None and self._facts.get(name) != data:
            self._facts[name] = data
            self._writer.add({"kind": "fact", "name": name, "data": data})

    def models(self, provider: str) -> list[str]:
        """The models of a provider that something is recorded of."""
        head = f"{provider}/"
        return sorted(one.removeprefix(head) for one in self._facts if one.startswith(head))

    def close(self) -> None:
        """Say what nobody asked for: what runs has changed since it was recorded."""
        told, self._told = self._told, True
        if self.replaying and not told and self.played and (left := self.remaining):
            what = "recording of it was" if left == 1 else "recordings of it were"
            log.warning("%s: %d %s not asked for", self.path, left, what)

    def _open(self, path: Path) -> None:
        plays = self.mode == "replay" or (self.mode == "auto" and path.exists())
        for data in tape.read(path) if plays else ():
            self._add(data)
        if self.mode in ("record", "auto"):
            self._writer = tape.Writer(path, keep=plays)

    def _add(self, data: dict[str, Any]) -> None:
        if data.get("kind") == "fact":
            self._facts[str(data.get("name"))] = data.get("data") or {}
            return
        request, kind = data.get("request"), str(data.get("kind"))
        if not isinstance(request, dict):
            return
        answer = {k: v for k, v in data.items() if k not in ("kind", "key", "request")}
        # Not the key in the file: who edits a request by hand means it.
        one = Recording(kind, key_of(kind, request), request, answer)
        self._all.append(one)
        self._unused.setdefault(one.key, deque()).append(one)

    def _miss(self, kind: str, form: dict[str, Any]) -> LLMSpellError:
        what = {"model": "request", "embedding": "request for vectors", "tool": "call"}[kind]
        subject = form.get("tool") or form.get("model")
        key = key_of(kind, form)
        same = sum(one.key == key for one in self._all)
        if same:
            times = "once" if same == 1 else f"{same} times"
            why = [f"it was recorded {times} and is asked for once more"]
        else:
            why = self._nearest(kind, form)
        return LLMSpellError(
            f"this {what} to {subject} is not in the cassette {self.path}: {'; '.join(why)}",
            code="cassette.miss",
            hint="record it again with --record, or add what is missing with mode auto",
            details={"request": form, "difference": why},
        )

    def _nearest(self, kind: str, form: dict[str, Any]) -> list[str]:
        others = [one.request for one in self._all if one.kind == kind]
        best = nearest(form, others)
        return ["nothing of its kind is recorded"] if best is None else difference(best, form)

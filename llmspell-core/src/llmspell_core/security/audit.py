"""The audit log: each decision of a gate as one JSON line."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmspell_core.security.redact import Redactor


class AuditLog:
    """Appends decisions to a file; without a path it does nothing.

    `bound` gives a log of the same file whose lines name the run, the script and its SHA-256.
    """

    def __init__(self, path: Path | None, *, redactor: Redactor | None = None) -> None:
        self.path = path
        self._redactor = redactor
        self._who: dict[str, Any] = {}
        self._file = _File(path) if path is not None else None

    def bound(self, **who: Any) -> AuditLog:
        """The same log with these fields on each line."""
        made = AuditLog(None, redactor=self._redactor)
        made.path, made._file, made._who = self.path, self._file, {**self._who, **who}
        return made

    def record(self, gate: str, target: str, verdict: str, rule: str, **who: Any) -> None:
        """Write one decision.

        Args:
            gate: files, network, process, env, modules, tools, profile.
            target: what was asked for, known secrets removed.
            verdict: allow, deny or ask.
            rule: which rule of the policy decided.
            who: run, script, sha256, component.
        """
        if self._file is None:
            return
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            **self._who,
            **who,
            "gate": gate,
            "target": self._redactor.text(target) if self._redactor is not None else target,
            "verdict": verdict,
            "rule": rule,
        }
        self._file.write(json.dumps(entry, ensure_ascii=True, default=str) + "\n")

    def close(self) -> None:
        """Close the file; a later record opens it again."""
        if self._file is not None:
            self._file.close()


class _File:
    """One descriptor for all bound logs; whole lines, whichever thread writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._fd: int | None = None

    def write(self, line: str) -> None:
        with self._lock:
            if self._fd is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
                self._fd = os.open(self._path, flags, 0o600)
            os.write(self._fd, line.encode())

    def close(self) -> None:
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

"""The key that signs paused runs: a secret of this installation, which only its owner reads."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from llmspell_core.config.directories import data_dir, private_dir
from llmspell_core.errors import JournalError

if TYPE_CHECKING:
    from llmspell_core.journal.journal import Journal
    from llmspell_core.runtime import Runtime

KEY_FILE = "approval.key"
_BYTES = 32

_keys: WeakKeyDictionary[Journal, bytes] = WeakKeyDictionary()


def signing_key(runtime: Runtime) -> bytes:
    """The key of a runtime: in ``data_dir/approval.key``, or with a memory journal the process's.

    Raises `approval.key` when others may read the file, or it is no key.
    """
    journal = runtime.journal()
    found = _keys.get(journal)
    if found is None:
        if journal.persistent:
            found = _stored(data_dir(runtime.settings) / KEY_FILE)
        else:
            found = secrets.token_bytes(_BYTES)
        _keys[journal] = found
    return found


def sign(key: bytes, value: Any) -> str:
    """The signature of a JSON value, in hexadecimal: HMAC with SHA-256 of its canonical text."""
    return hmac.new(key, canonical(value), hashlib.sha256).hexdigest()


def is_signed(key: bytes, value: Any, signature: str) -> bool:
    """Whether a signature is this key's for this value; takes as long for every wrong one."""
    return hmac.compare_digest(sign(key, value), signature)


def canonical(value: Any) -> bytes:
    """A JSON value as the bytes that are signed: keys sorted, no spaces, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return text.encode("ascii")


def _stored(path: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    private_dir(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_BYTES).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        # Of several processes that make one at the same time, the first one's is everybody's.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    except OSError:
        # A file system without links.
        with contextlib.suppress(OSError):
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        text = file.read(_BYTES * 2 + 1)
    if os.name != "nt" and mode & 0o077:
        raise JournalError(
            f"{path} signs approvals, and others may read or write it",
            code="approval.key",
            hint=f"chmod 600 {path}; if somebody may have read it, delete it: paused runs are lost",
        )
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise JournalError(
            f"{path} is no key", code="approval.key", hint="delete it: paused runs are lost"
        )
    return key

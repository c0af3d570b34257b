"""Which engine runs a script, and the script's source."""

from __future__ import annotations

import re
from pathlib import Path

from llmspell_core.errors import ExtensionError, ScriptError, did_you_mean, nearest
from llmspell_core.extensions import Extensions
from llmspell_core.records import Record
from llmspell_core.script.engine import ScriptEngine

MAX_SOURCE_BYTES = 16 << 20

#: Engines by extension that a user may name before any is installed.
KNOWN_EXTENSIONS = {".lua": "lua", ".js": "js", ".mjs": "js"}
EXTRAS = {"lua": "lua", "js": "js", "duktape": "duktape"}

_NAMED = r"@engine\s+([A-Za-z0-9_-]+)"


class ScriptSource(Record):
    """A script's text and what to call it: `name` is shown in errors, `path` is its file."""

    text: str
    name: str
    path: Path | None = None


def read_source(path: Path) -> ScriptSource:
    """Read a script file; a missing, unreadable or binary one is a clear error."""
    try:
        if path.is_dir():
            raise ScriptError(f"{path} is a directory, not a script", code="script.unreadable")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ScriptError(
            f"no such script: {path}", code="script.not_found", hint=_near_file(path)
        ) from None
    except OSError as error:
        raise ScriptError(
            f"cannot read {path}: {error.strerror or error}", code="script.unreadable"
        ) from None
    return ScriptSource(decode_source(data, str(path)), str(path), path)


def decode_source(data: bytes, name: str) -> str:
    """A script's bytes as text, or `script.binary`."""
    if len(data) > MAX_SOURCE_BYTES:
        raise ScriptError(f"{name} is larger than 16 MiB", code="script.unreadable")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ScriptError(
            f"{name} is not a text file: byte {error.start} (line {line}) is not UTF-8",
            code="script.binary",
            hint="scripts are UTF-8 text",
        ) from None
    if "\0" in text:
        raise ScriptError(
            f"{name} is a binary file", code="script.binary", hint="scripts are UTF-8 text"
        )
    return text


def _near_file(path: Path) -> str | None:
    """The file of the same kind beside it that was probably meant."""
    try:
        stems = [one.stem for one in path.parent.iterdir() if one.suffix == path.suffix]
    except OSError:
        return None
    near = nearest(path.stem, stems)
    return None if near is None else f'did you mean "{near}{path.suffix}"?'


def engine_name(source: ScriptSource, asked: str | None, default: str) -> str:
    """`asked` > `@engine NAME` in the first five lines, or the shebang > extension > `default`."""
    if asked:
        return asked
    first = source.text[:4096].splitlines()[:5]
    text = "\n".join(first)
    if "@engine" in text and (named := re.search(_NAMED, text)):
        return named[1]
    if first and first[0].startswith("#!") and (named_there := _in_shebang(first[0])):
        return named_there
    if source.path is None or not source.path.suffix:
        return default
    return _by_extension(source.path)


def _in_shebang(line: str) -> str | None:
    """The engine that a first line like ``#!/usr/bin/env -S llmspell --engine lua`` names."""
    words = line[2:].replace("--engine=", "--engine ").split()
    if "--engine" in words[:-1]:
        return words[words.index("--engine") + 1]
    known = {*Extensions("engines"), *EXTRAS}
    # `lua5.4` is Lua, whatever else is installed under that name.
    plain = (word.rpartition("/")[2].rstrip(".0123456789") for word in words)
    return next((word for word in plain if word in known), None)


def _by_extension(path: Path) -> str:
    suffix = path.suffix.lower()
    best: tuple[int, str] | None = None
    known: set[str] = set(KNOWN_EXTENSIONS)
    engines, _ = Extensions("engines").load_all()
    for name, engine in engines.items():
        info = engine.info
        known.update(info.extensions)
        if suffix in info.extensions and (best is None or info.preference > best[0]):
            best = (info.preference, name)
    if best is not None:
        return best[1]
    if suffix in KNOWN_EXTENSIONS:
        return KNOWN_EXTENSIONS[suffix]
    raise ScriptError(
        f'no engine runs files that end in "{suffix}"',
        code="engine.unknown_extension",
        hint=f"scripts end in {', '.join(sorted(known))}; or choose with --engine NAME",
    )


def load_engine(name: str) -> ScriptEngine:
    """The engine of this name; `engine.unavailable` says what to install."""
    extensions = Extensions("engines")
    if name not in extensions:
        installed = ", ".join(extensions) or "none"
        extra = EXTRAS.get(name)
        hint = f"install it with:  pip install 'llmspell[{extra}]'" if extra else None
        raise ExtensionError(
            f"no script engine named '{name}' (installed: {installed})",
            code="engine.unavailable",
            hint=hint or did_you_mean(name, [*extensions, *EXTRAS]),
        )
    made = extensions.load(name)
    engine: ScriptEngine = made() if isinstance(made, type) else made
    if problem := engine.available():
        raise ExtensionError(problem, code="engine.unavailable")
    return engine

"""Which encoding bytes are in, and text that remembers how it was written."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from llmspell_core.errors import ValidationError
from llmspell_tools._parameters import wrong

#: Enough to tell an encoding by; more takes seconds.
_SAMPLE = 256 * 1024
#: UTF-32 before UTF-16: its little-endian mark begins with the other's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Codecs that are no encodings of files: for parts of names and of source code.
_NO_FILES = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}

_USUAL = ("cp1252", "cp1250", "cp1251")
#: Of mainframes, DOS and old Macs: guessed for a few odd bytes more often than they are met.
_RARE = [
    "cp037", "cp273", "cp424", "cp437", "cp500", "cp720", "cp737", "cp775", "cp850", "cp852",
    "cp855", "cp856", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865",
    "cp869", "cp875", "cp1006", "cp1026", "cp1125", "cp1140", "hp_roman8", "iso8859_10",
    "iso8859_14", "iso8859_16", "koi8_t", "kz1048", "mac_cyrillic", "mac_greek", "mac_iceland",
    "mac_latin2", "mac_roman", "mac_turkish", "ptcp154",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it was in, and the byte order mark it began with."""

    text: str
    encoding: str
    mark: bytes = b""


def codec(tool: str, field: str, name: str) -> str:
    """The usual name of an encoding, or `input.invalid`."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        raise _unknown(tool, field, name) from None
    usual = found.name.replace("_", "-")
    if not getattr(found, "_is_text_encoding", True) or usual in _NO_FILES:
        raise _unknown(tool, field, name)
    return usual


def _unknown(tool: str, field: str, name: str) -> ValidationError:
    return wrong(
        tool,
        field,
        f'is no encoding that is known: "{name[:40]}"',
        hint="utf-8, latin-1, cp1252, ...",
    )


def decode(tool: str, data: bytes, encoding: str | None) -> Decoded:
    """The text of bytes in the encoding given, or in the one that they seem to be in."""
    for mark, name in _MARKS:
        if data.startswith(mark) and encoding in (None, name, name[:6], f"{name}-sig"):
            return Decoded(_strict(tool, data[len(mark) :], name), name, mark)
    if encoding is not None:
        return Decoded(_strict(tool, data, encoding), encoding)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        found = _detected(tool, data)
        return Decoded(_strict(tool, data, found), found)


def _strict(tool: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        raise wrong(
            tool, "path", f"is no {encoding} text: byte {at + 1} is not", hint="set from_encoding"
        ) from None


def _detected(tool: str, data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:_SAMPLE]
    if len(data) > _SAMPLE:
        # Not in the middle of a character.
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    found = [] if b"\0" in sample else [*from_bytes(sample, cp_exclusion=_RARE)]
    if not found:
        raise wrong(
            tool,
            "path",
            "is in an encoding that cannot be told, or no text",
            hint="set from_encoding",
        )
    best = found[0]
    alike = {
        name
        for one in found
        if (one.chaos, one.coherence) == (best.chaos, best.coherence)
        for name in one.could_be_from_charset
    }
    # Of those that fit as well as the best one, what most files are in.
    name = next((name for name in _USUAL if name in alike), best.encoding)
    return codec(tool, "from_encoding", name)


def encode(tool: str, text: str, encoding: str) -> bytes:
    """The text in an encoding, or `input.invalid` with the place of what it cannot hold."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        character = text[error.start]
        raise wrong(
            tool, "to_encoding", f"is {encoding}, which has no {character!a} (line {line})"
        ) from None

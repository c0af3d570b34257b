"""Letter cases and words of a text, in any script."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001
_JOINER = "\u200d"
_EXTENDS = ("\ufe0e", "\ufe0f", "\u20e3", _JOINER)
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_FLAGS = ("\U0001f1e6", "\U0001f1ff")


def title(text: str) -> str:
    """Each word with a capital, apostrophes inside words left alone."""
    return _WORD.sub(lambda found: found[0][:1].upper() + found[0][1:].lower(), text)


def words(text: str) -> list[str]:
    """The words of an identifier or a phrase: `parseHTTPResponse2` -> parse HTTP Response2."""
    found: list[str] = []
    current = ""
    for index, char in enumerate(text):
        if not (char.isalnum() or unicodedata.combining(char)):
            found.append(current)
            current = ""
            continue
        if current and char.isupper() and _starts_word(current, text[index + 1 : index + 2]):
            found.append(current)
            current = ""
        current += char
    return [word for word in (*found, current) if word]


def _starts_word(before: str, after: str) -> bool:
    """Whether a capital begins a word: after a small letter, or before one in `HTTPResponse`."""
    return not before[-1].isupper() or after.islower()


def snake(text: str) -> str:
    """`HelloWorld` -> `hello_world`."""
    return "_".join(words(text)).lower()


def kebab(text: str) -> str:
    """`HelloWorld` -> `hello-world`."""
    return "-".join(words(text)).lower()


def pascal(text: str) -> str:
    """`hello_world` -> `HelloWorld`."""
    return "".join(word[:1].upper() + word[1:].lower() for word in words(text))


def camel(text: str) -> str:
    """`hello_world` -> `helloWorld`."""
    first, *rest = words(text) or [""]
    return first.lower() + "".join(word[:1].upper() + word[1:].lower() for word in rest)


def slug(text: str, separator: str = "-") -> str:
    """Lower-case words without accents, joined: `Café Müller!` -> `cafe-muller`."""
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)
    )
    folded = unicodedata.normalize("NFC", plain).casefold()
    parts = re.split(r"[\W_]+", folded.replace("'", "").replace("’", ""))  # noqa: RUF001
    return separator.join(part for part in parts if part)


def characters(text: str) -> list[str]:
    """What people see as one character each: accents and joined emoji stay together."""
    found: list[str] = []
    for char in text:
        if found and _continues(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return found


def _continues(cluster: str, char: str) -> bool:
    if char < "\u0300":
        return char == "\n" and cluster == "\r"
    if unicodedata.combining(char) or char in _EXTENDS:
        return True
    if _SKIN_TONES[0] <= char <= _SKIN_TONES[1] or cluster[-1] == _JOINER:
        return True
    is_flag = _FLAGS[0] <= char <= _FLAGS[1]
    return is_flag and len(cluster) == 1 and _FLAGS[0] <= cluster <= _FLAGS[1]


def sanitize(text: str) -> str:
    """Without control, bidirectional and invisible characters; line breaks and tabs stay."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(char for char in composed if char in "\n\t" or not _is_hidden(char))


def _is_hidden(char: str) -> bool:
    if char in ("\u200c", _JOINER):
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")

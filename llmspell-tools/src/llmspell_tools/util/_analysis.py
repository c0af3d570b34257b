"""Words, sentences, keywords and readability of a text. Plain data in and out."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from llmspell_tools.util._stopwords import STOPWORDS, guessed

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA = "\u3040-\u30ff"
#: A number with its separators, a Han character, a run of kana, a word with what joins its parts.
_TOKEN = re.compile(
    rf"\d+(?:[.,]\d+)+|[{_HAN}]|[{_KANA}]+|[^\W_{_HAN}{_KANA}]+(?:['\u2019-][^\W_{_HAN}{_KANA}]+)*"
)
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n\s*")
#: Marks that end a sentence where a space follows, those of East Asia wherever they are. What
#: follows is looked at afterwards: a pattern that does so tries each place of a row of dots.
_END = re.compile(
    "[.!?\u2026]+[\"'\u201d\u2019\xbb)\\]]*|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d]?"
)
_EAST_ASIAN = "\u3002\uff01\uff1f"
_LAST_WORD = re.compile(r"([^\W_]+)$")
_ABBREVIATION_TEXT = """
    mr mrs ms dr prof sr jr st vs etc eg ie fig vol ed bzw usw ca evtl ggf inkl nr str tel vgl zb
    mme mlle sra dott sig approx dept est inc ltd co corp
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_TEXT.split())
_VOWELS = re.compile(r"[aeiouyäöüáéíóúàèìòùâêîôûãõëïœæåø]+")
_LONG_WORD = 6
_COMPLEX = 3
_LONGEST_PHRASE = 4
_SHORTEST_KEYWORD = 3
_READ_PER_MINUTE = 238
#: Flesch's formula, adapted: (constant, per words in a sentence, per syllables in a word).
_FLESCH = {
    "en": (206.835, 1.015, 84.6),
    "de": (180.0, 1.0, 58.5),
    "es": (206.84, 1.02, 60.0),
    "fr": (207.0, 1.015, 73.6),
    "it": (217.0, 1.3, 60.0),
    "nl": (206.84, 0.93, 77.0),
}
_LEVELS = (
    (90, "very easy"), (80, "easy"), (70, "fairly easy"), (60, "standard"),
    (50, "fairly difficult"), (30, "difficult"),
)  # fmt: skip


def tokens(text: str, limit: int) -> dict[str, Any]:
    """The words and numbers."""
    found = _TOKEN.findall(text)
    return {
        "tokens": found[:limit],
        "count": len(found),
        "unique": len({one.casefold() for one in found}),
        "truncated": len(found) > limit,
    }


def sentences(text: str, limit: int) -> dict[str, Any]:
    """The sentences."""
    found = split_sentences(text)
    return {"sentences": found[:limit], "count": len(found), "truncated": len(found) > limit}


def split_sentences(text: str) -> list[str]:
    """Where a mark ends a sentence: not after abbreviations, initials and ordinals."""
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        start = 0
        for end in _END.finditer(paragraph):
            if _is_end(paragraph, end):
                found.append(" ".join(paragraph[start : end.end()].split()))
                start = end.end()
        found.append(" ".join(paragraph[start:].split()))
    return [one for one in found if one]


def _is_end(text: str, end: re.Match[str]) -> bool:
    after = text[end.end() : end.end() + 20]
    if end[0][0] in _EAST_ASIAN:
        return True
    if not after[:1].isspace():
        return False
    if not end[0].startswith(".") or end[0].startswith(".."):
        return True
    if after.lstrip()[:1].islower():
        return False
    word = _LAST_WORD.search(text, max(0, end.start() - 20), end.start())
    before = word[1] if word else ""
    return not (before.casefold() in _ABBREVIATIONS or (len(before) == 1 and before.isalpha()))


def ngrams(text: str, size: int, limit: int) -> dict[str, Any]:
    """The most frequent sequences of `size` words."""
    words = _folded(text)
    counts = Counter(zip(*(words[at:] for at in range(size)), strict=False))
    items = [{"ngram": " ".join(one), "count": count} for one, count in counts.most_common(limit)]
    return {"ngrams": items, "count": len(counts), "n": size, "truncated": len(counts) > limit}


def _folded(text: str) -> list[str]:
    return [one.casefold() for one in _TOKEN.findall(text)]


def keywords(text: str, language: str, limit: int) -> dict[str, Any]:
    """Words and phrases between small words, by how often they appear and how long they are."""
    small = STOPWORDS.get(language or guessed(_folded(text)), frozenset())
    counts: Counter[tuple[str, ...]] = Counter()
    for run in _runs(text, small):
        for size in range(1, min(_LONGEST_PHRASE, len(run)) + 1):
            counts.update(run[at : at + size] for at in range(len(run) - size + 1))
    # What is together only once is chance. Stable: of equal ones, the first in the text.
    likely = [(len(one) * n, n, one) for one, n in counts.items() if n > 1 or len(one) == 1]
    likely.sort(key=lambda one: -one[0])
    items: list[dict[str, Any]] = []
    inside: dict[tuple[str, ...], int] = {}
    for score, count, phrase in likely:
        if len(items) == limit:
            break
        # Not what appears only as a part of a longer one.
        if inside.get(phrase, 0) < count:
            items.append({"keyword": " ".join(phrase), "score": score, "count": count})
            for part in _parts(phrase):
                inside[part] = max(count, inside.get(part, 0))
    return {"keywords": items, "count": len(items)}


def _parts(phrase: tuple[str, ...]) -> list[tuple[str, ...]]:
    size = len(phrase)
    return [phrase[a:b] for a in range(size) for b in range(a + 1, size + 1)]


def _runs(text: str, small: frozenset[str]) -> list[tuple[str, ...]]:
    """The words that follow each other with nothing but spaces between them."""
    found: list[tuple[str, ...]] = []
    current: list[str] = []
    last_end = 0
    for token in _TOKEN.finditer(text):
        word = token[0].casefold()
        keep = len(word) >= _SHORTEST_KEYWORD and word not in small and not word[0].isdigit()
        broken = text[last_end : token.start()].strip() != ""
        if current and (broken or not keep):
            found.append(tuple(current))
            current = []
        if keep:
            current.append(word)
        last_end = token.end()
    return [*found, tuple(current)] if current else found


def readability(text: str, language: str) -> dict[str, Any]:
    """How hard the text is to read, by the usual formulas."""
    words = [one for one in _TOKEN.findall(text) if not one[0].isdigit()]
    if not words:
        return {"words": 0, "sentences": 0, "syllables": 0}
    language = language or guessed([one.casefold() for one in words]) or "en"
    counts = Counter(words)
    by_word = {word: _syllables(word, language) for word in counts}
    syllables = sum(by_word[word] * count for word, count in counts.items())
    complex_words = sum(count for word, count in counts.items() if by_word[word] >= _COMPLEX)
    long_words = sum(count for word, count in counts.items() if len(word) > _LONG_WORD)
    letters = sum(len(word) * count for word, count in counts.items())
    ends = max(1, len(split_sentences(text)))
    total = len(words)
    per_sentence, per_word, size = total / ends, syllables / total, letters / total
    constant, by_sentence, by_syllable = _FLESCH.get(language, _FLESCH["en"])
    ease = constant - by_sentence * per_sentence - by_syllable * per_word
    scores = {
        "flesch_reading_ease": ease,
        "flesch_kincaid_grade": 0.39 * per_sentence + 11.8 * per_word - 15.59,
        "gunning_fog": 0.4 * (per_sentence + 100 * complex_words / total),
        "smog": 1.043 * math.sqrt(complex_words * 30 / ends) + 3.1291,
        "automated_readability": 4.71 * size + 0.5 * per_sentence - 21.43,
        "coleman_liau": 5.88 * size - 29.6 * ends / total - 15.8,
        "lix": per_sentence + 100 * long_words / total,
        "words_per_sentence": per_sentence,
        "syllables_per_word": per_word,
        "reading_time_minutes": total / _READ_PER_MINUTE,
    }
    return {
        "language": language,
        "level": next((name for least, name in _LEVELS if ease >= least), "very difficult"),
        "words": total,
        "sentences": ends,
        "syllables": syllables,
        **{name: round(value, 2) for name, value in scores.items()},
    }


def _syllables(word: str, language: str) -> int:
    folded = word.casefold()
    count = len(_VOWELS.findall(folded))
    # A final e is silent in English, unless it is all there is: "the", "table".
    if language == "en" and count > 1 and folded.endswith("e") and not folded.endswith("le"):
        count -= 1
    return max(1, count)


def everything(text: str, language: str, limit: int) -> dict[str, Any]:
    """Counts, keywords and readability together."""
    words = _TOKEN.findall(text)
    return {
        "characters": len(text),
        "characters_no_spaces": len(text) - sum(map(str.isspace, text)),
        "words": len(words),
        "unique_words": len({one.casefold() for one in words}),
        "sentences": len(split_sentences(text)),
        "paragraphs": len([one for one in _PARAGRAPH.split(text) if one.strip()]),
        "lines": len(text.splitlines()),
        "keywords": keywords(text, language, limit)["keywords"],
        "readability": readability(text, language),
    }

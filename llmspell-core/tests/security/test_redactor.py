from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmspell_core.security.redact import MASK, Redactor

SECRET = 'p@ss/w"rd+\u00fc \\1'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        f"before {SECRET} after",
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps({"key": SECRET}),
        json.dumps({"key": SECRET}, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_known_secret_is_removed_in_every_encoding(text: str) -> None:
    redacted = Redactor([SECRET]).text(text)
    assert MASK in redacted
    assert "w" + '"rd' not in redacted
    assert len(redacted) < len(text)


@given(st.binary(min_size=12, max_size=40), st.text("abc:", max_size=7), st.text("xyz", max_size=7))
def test_base64_around_a_secret_hides_it(data: bytes, before: str, after: str) -> None:
    secret = data.hex()
    whole = f"{before}{secret}{after}".encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        redacted = Redactor([secret]).text(encode(whole).decode())
        assert MASK in redacted
        shown = redacted.replace(MASK, "")
        assert len(shown) < (len(before) + len(after)) * 4 / 3 + 12


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abcdefghijklmnop1234",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 20,
        "xoxb-123456789012-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_123",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE cut off",
    ],
)
def test_secret_shaped_strings_are_removed(text: str) -> None:
    assert Redactor().text(f"a {text} b").startswith(f"a {MASK}")
    assert text not in Redactor().text(f"a {text} b")


def test_what_surrounds_a_secret_stays() -> None:
    redactor = Redactor()
    assert redactor.text("Authorization: Bearer abcdefgh12345678!") == (
        f"Authorization: Bearer {MASK}!"
    )
    assert redactor.text("postgres://me:hunter2@db:5432/x") == f"postgres://me:{MASK}@db:5432/x"
    assert redactor.text("https://:token@host/") == f"https://:{MASK}@host/"


@pytest.mark.parametrize(
    "text",
    ["", "plain", "risk-free", "ask-me-anything-you-like-today", "https://host:8080/a@b",
     "bearer of news", "xoxo", "eyJust", "10:30@home", "-----BEGINNING"],
)  # fmt: skip
def test_ordinary_text_comes_back_as_the_same_object(text: str) -> None:
    assert Redactor(["another-secret"]).text(text) is text


def test_short_and_empty_secrets_are_not_looked_for() -> None:
    assert Redactor(["", "abc"]).text("abc abcabc") == "abc abcabc"
    Redactor().add(None)


def test_a_secret_that_contains_another_goes_as_a_whole() -> None:
    assert Redactor(["secret1", "secret1-longer"]).text("x secret1-longer y") == f"x {MASK} y"


def test_data_is_redacted_in_depth_and_untouched_data_is_the_same_object() -> None:
    redactor = Redactor(["topsecret"])
    value = {"a": ["x", {"b": "topsecret"}], "topsecret": 1, "n": 5, "t": ("topsecret",)}
    assert redactor.value(value) == {"a": ["x", {"b": MASK}], MASK: 1, "n": 5, "t": (MASK,)}
    clean = {"a": [1, {"b": "fine"}]}
    assert redactor.value(clean) is clean
    endless: list[object] = []
    endless.append(endless)
    redactor.value(endless)


@given(st.text(min_size=8, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_secret_never_survives(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret]).text(before + secret + after)
    assert secret not in redacted or secret in MASK * 20


@given(st.text("sk-eyJ.:/@BEGIN bearer", max_size=300))
def test_redacting_twice_changes_nothing(text: str) -> None:
    redactor = Redactor()
    once = redactor.text(text)
    assert redactor.text(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN ",
        "-----BEGIN A-----",
        "-----END A-----",
        "eyJ-",
        "eyJ.",
        "eyJaaaaaaaa-",
        "://a:b",
    ],
)
def test_a_text_made_of_beginnings_takes_no_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    Redactor().text(text)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("x eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl y", "x *** y"),
        ("id-eyJhbGciOiJI.eyJzdWIiOiIx.", "id-***"),
        ("a.b.eyJhbGciOiJI.eyJzdWIiOiIx.c2ln.d", "a.b.***.d"),
        ("eyJhbGciOiJI.short.c2lnbmF0dXJl", "eyJhbGciOiJI.short.c2lnbmF0dXJl"),
        ("-----BEGIN A-----\nx\n-----END A----- y -----BEGIN B-----\nz", "*** y ***"),
        ("-----BEGIN B-----\n-----BEGIN A-----\n-----END A-----\n-----END B-----!", "***!"),
        ("-----END A----- y", "-----END A----- y"),
    ],
)
def test_tokens_and_keys_go_and_what_is_around_them_stays(text: str, redacted: str) -> None:
    assert Redactor().text(text) == redacted

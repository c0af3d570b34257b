"""JSON text for the worker: what `json` does, from its C accelerator alone.

The `json` package imports `re`, `enum` and more, a third of the time in which a worker has to be
ready. Only guest modules, the worker and `natives` use this.
"""

from __future__ import annotations

__all__ = ["dumps", "loads", "quote"]

try:
    from _json import encode_basestring_ascii as quote
    from _json import make_encoder, make_scanner
except ImportError:  # another Python than CPython
    import json

    loads = json.loads
    quote = json.dumps

    def dumps(value: object) -> str:
        """The value as compact JSON text, in ASCII."""
        return json.dumps(value, separators=(",", ":"))

else:

    class _Settings:
        """What the C scanner reads from a `json.JSONDecoder`."""

        strict = True
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = float
        memo: dict[str, str] = {}  # noqa: RUF012 - the scanner's own attribute

    _scan = make_scanner(_Settings())  # type: ignore[arg-type]

    def _unknown(value: object) -> object:
        raise TypeError(f"a {type(value).__name__} is no JSON")

    _encode = make_encoder(None, _unknown, quote, None, ":", ",", False, False, False)

    def loads(text: str) -> object:  # type: ignore[misc]
        """The value of JSON text; ValueError when it is none or something follows it."""
        try:
            value, end = _scan(text, 0)
            if end != len(text):
                # The scanner takes no white space around the value; nearly no text has any.
                text = text.strip(" \n\r\t")
                value, end = _scan(text, 0)
        except StopIteration:
            plain = text.strip(" \n\r\t")
            if plain == text:
                raise ValueError("no JSON value") from None
            return loads(plain)
        if end != len(text):
            raise ValueError("text after the value")
        return value

    def dumps(value: object) -> str:
        """The value as compact JSON text, in ASCII."""
        return "".join(_encode(value, 0))

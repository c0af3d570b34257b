"""Decompressing an answer piece by piece, so that a small bomb stays small."""

from __future__ import annotations

import zlib

from llmspell_core.security.net import NetworkError

_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


class Decoder:
    """Decodes `gzip`, `deflate` or nothing, up to `limit` bytes; 0 is no limit.

    `over` says that there is more than the limit.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise NetworkError(
                f'the answer is encoded as "{name[:40]}", which was not asked for',
                code="network.encoding",
                retryable=False,
            )
        self._plain = name in ("", "identity")
        self._deflate = name == "deflate"
        self._inflate = zlib.decompressobj(_ZLIB_OR_GZIP)
        self._started = False
        self._left = limit
        self._bounded = limit > 0
        self.over = False

    def feed(self, raw: bytes) -> bytes:
        """The decoded form of the next raw bytes, cut at the limit."""
        if not raw:
            return b""
        if self._plain:
            return self._count(raw)
        try:
            return self._count(self._decompress(raw))
        except zlib.error as error:
            raise NetworkError(
                f"the answer is badly compressed: {error}", code="network.encoding"
            ) from None

    def finish(self) -> bytes:
        """What is left at the end."""
        if self._plain or not self._started or self.over:
            return b""
        if not self._inflate.eof:
            raise NetworkError("the compressed answer is cut off", code="network.encoding")
        return b""

    def _decompress(self, raw: bytes) -> bytes:
        # One more than allowed, to see that there is more.
        most = self._left + 1 if self._bounded else 0
        if not self._started:
            self._started = True
            try:
                return self._inflate.decompress(raw, most)
            except zlib.error:
                if not self._deflate:
                    raise
                # Some servers call raw deflate data "deflate".
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._inflate.decompress(raw, most)

    def _count(self, data: bytes) -> bytes:
        if self._bounded:
            self.over = len(data) > self._left
            self._left -= len(data)
        return data

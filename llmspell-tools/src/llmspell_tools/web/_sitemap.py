"""Reading sitemaps (sitemaps.org): XML and text, plain or gzipped, without entities, in bounds."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llmspell_core.errors import LimitError, ToolError

_GZIP = b"\x1f\x8b"
_MOST_BYTES = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_DEEPEST = 20
_LONGEST = 4096
_FIELDS = ("loc", "lastmod", "changefreq", "priority")


class FullError(Exception):
    """There are as many addresses as were asked for."""


@dataclass(slots=True)
class Sitemap:
    """What one document names: pages, or further sitemaps."""

    urls: list[dict[str, Any]] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    truncated: bool = False


def read(data: bytes, url: str, most: int) -> Sitemap:
    """Read a sitemap, an index of sitemaps, or a feed of addresses one a line.

    Args:
        data: the document as it came
        url: where it came from, for messages
        most: how many addresses to take at most

    Raises:
        ToolError: `tool.unsupported`: it is no sitemap.
        LimitError: `limit.value`: it unpacks to more than 64 MiB.
    """
    if data[:2] == _GZIP:
        data = _unpacked(data, url)
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return _from_xml(data, url, most)
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    found = [line for line in lines if is_address(line)]
    if not found and any(lines):
        raise ToolError(f"{url} is no sitemap", code="tool.unsupported")
    return Sitemap([{"url": one} for one in found[:most]], [], len(found) > most)


def is_address(text: str) -> bool:
    """Whether it is a whole http or https address of ordinary length."""
    if not text.lower().startswith(("http://", "https://")) or len(text) > _LONGEST:
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _unpacked(data: bytes, url: str) -> bytes:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        made = unpacker.decompress(data, _MOST_BYTES + 1)
    except zlib.error as error:
        raise ToolError(f"{url} is badly compressed: {error}", code="tool.unsupported") from None
    if len(made) > _MOST_BYTES:
        raise LimitError(f"{url} unpacks to more than 64 MiB", code="limit.value")
    if not unpacker.eof:
        raise ToolError(f"{url}: the compressed sitemap is cut off", code="tool.unsupported")
    return made


def _from_xml(data: bytes, url: str, most: int) -> Sitemap:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import XMLParser

    target = _Target(most)
    parser: Any = XMLParser(target=target, forbid_dtd=True)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
        parser.close()
    except FullError:
        target.found.truncated = True
    except DefusedXmlException:
        raise ToolError(
            f"{url} declares a DTD or entities, which no sitemap has", code="tool.unsupported"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise ToolError(f"{url} is no sitemap: {error}", code="tool.unsupported") from None
    if target.root not in ("urlset", "sitemapindex", "rss", "feed"):
        raise ToolError(
            f"{url} is no sitemap: its root is <{target.root[:40]}>", code="tool.unsupported"
        )
    return target.found


class _Target:
    """Collects entries as the parser meets them: no tree is built."""

    def __init__(self, most: int) -> None:
        self.found = Sitemap()
        self.root = ""
        self._most = most
        self._path: list[str] = []
        self._entry: dict[str, str] = {}
        self._text: list[str] = []
        self._size = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self.root = self.root or name
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise ValueError("nested too deep")
        if name in ("url", "sitemap", "item", "entry"):
            self._entry = {}
        elif name == "link" and attributes.get("href"):
            self._entry.setdefault("loc", attributes["href"])
        self._text, self._size = [], 0

    def data(self, text: str) -> None:
        self._size += len(text)
        if self._size <= _LONGEST:
            self._text.append(text)

    def end(self, tag: str) -> None:
        name = self._path.pop()
        text = "".join(self._text).strip()
        parent = self._path[-1] if self._path else ""
        if name in _FIELDS and parent in ("url", "sitemap"):
            self._entry[name] = text
        elif name in ("link", "pubDate", "updated") and parent in ("item", "entry") and text:
            self._entry["loc" if name == "link" else "lastmod"] = text
        elif name in ("url", "item", "entry"):
            self._add()
        elif name == "sitemap" and is_address(self._entry.get("loc", "")):
            self.found.sitemaps.append(self._entry["loc"])
        self._text = []

    def close(self) -> None:
        """The end of the document."""

    def _add(self) -> None:
        address = self._entry.pop("loc", "")
        if not is_address(address):
            return
        if len(self.found.urls) >= self._most:
            raise FullError
        entry: dict[str, Any] = {"url": address, **self._entry}
        if "priority" in entry:
            entry["priority"] = _number(entry["priority"])
        self.found.urls.append(entry)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text

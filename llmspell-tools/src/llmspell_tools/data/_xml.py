"""XML as values and back, and XPath: no entities, no external things, bounded depth.

An element is a table: attributes as `@name`, its text as `#text`, elements by their names, several
of one name as a list. One with nothing but text is that text, an empty one is null.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from llmspell_core.errors import LimitError, ValidationError
from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported

TOOL = "xml-processor"
MAX_DEPTH = 200
_XML = "http://www.w3.org/XML/1998/namespace"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_NAME = re.compile(r"[^\W\d][\w.-]*(:[^\W\d][\w.-]*)?")
#: What no XML text can hold, not even as a reference.
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Document:
    """A parsed document: its root element, and the prefixes by their addresses."""

    def __init__(self, text: str, field: str = "input") -> None:
        from xml.etree.ElementTree import ParseError

        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import iterparse

        text = without_declaration(text)
        prefixes: dict[str, str] = {}
        depth = 0
        self.root: Any = None
        try:
            data = BytesIO(text.encode())
            for event, found in iterparse(data, events=("start", "end", "start-ns")):
                if event == "start-ns":
                    _declare(prefixes, found[1], found[0])
                    continue
                depth += 1 if event == "start" else -1
                if depth > MAX_DEPTH:
                    raise _too_deep(field)
                if self.root is None:
                    self.root = found
        except ParseError as error:
            line, column = error.position
            words = str(error).partition(":")[0]
            where = f"{words} at line {line}, column {column + 1}"
            raise mistake(TOOL, field, f"is no XML: {where}") from None
        except DefusedXmlException as error:
            raise mistake(
                TOOL,
                field,
                f"is refused: it declares entities or refers to outside ({type(error).__name__})",
                hint="write the text in place of the entity",
            ) from None
        except ValueError as error:
            raise mistake(TOOL, field, f"is no XML: {error}") from None
        self.prefixes = prefixes

    def value(self) -> dict[str, Any]:
        """The document as a value: one key, the root's name."""
        root = self.element(self.root)
        declared = {
            f"@xmlns:{prefix}" if prefix else "@xmlns": uri for uri, prefix in self.prefixes.items()
        }
        if declared:
            if not isinstance(root, dict):
                root = {} if root is None else {"#text": root}
            root = {**declared, **root}
        return {self.name(self.root.tag): root}

    def element(self, element: Any) -> Any:
        """One element as a value."""
        made: dict[str, Any] = {
            f"@{self.name(name)}": value for name, value in element.attrib.items()
        }
        pieces = [element.text or ""]
        # Comments and instructions have a function in place of a name.
        names = [self.name(one.tag) if isinstance(one.tag, str) else "" for one in element]
        times = Counter(names)
        for name, child in zip(names, element, strict=True):
            value = self.element(child) if name else None
            if name and times[name] == 1:
                made[name] = value
            elif name:
                made.setdefault(name, []).append(value)
            pieces.append(child.tail or "")
        text = "".join(piece for piece in pieces if piece.strip()).strip()
        if not made:
            return text or None
        return {**made, "#text": text} if text else made

    def name(self, tag: str) -> str:
        """`{address}name` as `prefix:name`."""
        if not tag.startswith("{"):
            return tag
        uri, _, local = tag[1:].partition("}")
        prefix = "xml" if uri == _XML else self.prefixes.get(uri, "")
        return f"{prefix}:{local}" if prefix else local


def without_declaration(text: str) -> str:
    """The text without `<?xml ... ?>`: it is decoded already, whatever that says."""
    return _DECLARATION.sub("", text.removeprefix("\ufeff"), count=1)


def _declare(prefixes: dict[str, str], uri: str, prefix: str) -> None:
    """One name for each address in the whole document, whatever elements call it."""
    if uri not in prefixes:
        taken = set(prefixes.values())
        prefixes[uri] = f"ns{len(prefixes)}" if prefix in taken else prefix


def _too_deep(field: str) -> LimitError:
    message = f"{TOOL}: {field} is nested deeper than {MAX_DEPTH}"
    return LimitError(message, code="limit.value_depth")


def read(text: str, field: str = "input") -> dict[str, Any]:
    """The value of an XML text, or `input.invalid` with line and column."""
    return Document(text, field).value()


def write(value: Any, *, root: str | None = None, pretty: bool = True) -> str:
    """A value as an XML text. A table with one key needs no `root`."""
    if root is None:
        single = isinstance(value, dict) and len(value) == 1
        name, body = next(iter(value.items())) if single else ("root", value)
        if isinstance(body, list) or not isinstance(name, str) or name[:1] in ("@", "#"):
            name, body = "root", value
    else:
        name, body = root, value
    lines: list[str] = []
    _write(name, {"item": body} if isinstance(body, list) else body, lines, 0, pretty)
    text = ("\n" if pretty else "").join(lines)
    # Prefixes that nothing declares, and attributes given twice, come out here.
    Document(text)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}' + ("\n" if pretty else "")


def _write(name: str, value: Any, lines: list[str], depth: int, pretty: bool) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep("input")
    _check_name(name)
    if isinstance(value, list):
        for item in value:
            _write(name, {"item": item} if isinstance(item, list) else item, lines, depth, pretty)
        return
    space = "  " * depth if pretty else ""
    if not isinstance(value, dict):
        text = _text(value)
        lines.append(f"{space}<{name}>{text}</{name}>" if text else f"{space}<{name}/>")
        return
    start = name + "".join(
        f" {_check_name(key[1:])}={_attribute(item)}"
        for key, item in value.items()
        if key.startswith("@")
    )
    text = _text(value.get("#text"))
    inner = {key: item for key, item in value.items() if key[:1] not in ("@", "#")}
    if not inner:
        lines.append(f"{space}<{start}>{text}</{name}>" if text else f"{space}<{start}/>")
        return
    lines.append(f"{space}<{start}>{text}")
    for key, item in inner.items():
        _write(key, item, lines, depth + 1, pretty)
    lines.append(f"{space}</{name}>")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise mistake(
            TOOL,
            "input",
            f"has the name {json.dumps(name[:40])}, which no element or attribute can have",
            hint="names begin with a letter and have no spaces",
        )
    return name


def _text(value: Any) -> str:
    return escape(_plain(value))


def _attribute(value: Any) -> str:
    return quoteattr(_plain(value))


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise mistake(TOOL, "input", "has a table or list as an attribute or #text")
    text = str(value)
    found = _IMPOSSIBLE.search(text)
    if found:
        raise mistake(TOOL, "input", f"has the character {found[0]!r}, which XML cannot hold")
    return text


def xpath(text: str, query: str, namespaces: dict[str, str]) -> Any:
    """What an XPath 1.0 expression finds: a list, or one value where it is no set of nodes."""
    etree = imported("lxml.etree", TOOL, "data")
    # Read without any entity or declaration that reaches outside before libxml2 sees it.
    document = Document(text)
    known = {prefix: uri for uri, prefix in document.prefixes.items() if prefix}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(without_declaration(text).encode(), parser)
    except etree.LxmlError as error:
        raise mistake(TOOL, "input", f"is no XML: {error}") from None
    try:
        found = root.getroottree().xpath(query, namespaces={**known, **namespaces})
    except (etree.LxmlError, ValueError, TypeError) as error:
        raise _no_query(str(error)) from None
    if isinstance(found, list):
        return [_node(document, one) for one in found]
    if isinstance(found, float):
        if not math.isfinite(found):
            return str(found)
        return int(found) if found.is_integer() else found
    return found if isinstance(found, bool) else str(found)


def _no_query(words: str) -> ValidationError:
    words = words.strip().split("\n")[0] or "it cannot be read"
    hint = "the syntax is XPath 1.0: //book[price > 30]/title, count(//book), //a/@href"
    return mistake(TOOL, "query", f"is no XPath that works: {words}", hint=hint)


def _node(document: Document, found: Any) -> Any:
    if isinstance(found, tuple):
        # A node of the namespace axis: prefix and address.
        return found[1]
    if not hasattr(found, "tag"):
        return str(found)
    if not isinstance(found.tag, str):
        return found.text or ""
    return document.element(found)

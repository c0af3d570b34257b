"""What can be read out of an HTML page. Runs in a helper process, which hostile pages may kill."""

from __future__ import annotations

import re
from typing import Any

from llmspell_core.errors import LimitError, ValidationError
from llmspell_tools.web._render import TooLongError, absolute, rendered, walk

_MOST_ENTRIES = 5_000
_MOST_MATCHES = 1_000
_MOST_ROWS = 10_000
#: What a selector may end in, as scraping libraries write it: an attribute, or the text.
_WHAT = re.compile(r"\s*::\s*(?:attr\(\s*([\w:.-]+)\s*\)|(text|html))\s*$")


def scrape(html: str, address: str, wants: dict[str, Any]) -> dict[str, Any]:
    """Everything that a call of web-scraper asks for.

    Args:
        html: the page
        address: where it is
        wants: `selector`, `selectors`, `format`, `links`, `images`, `meta`, `tables`
    """
    page = _Page(html, address)
    result: dict[str, Any] = {"title": page.title()}
    try:
        result.update(page.content(wants.get("selector"), wants.get("format", "text")))
        if wants.get("selectors"):
            result["fields"] = {
                name: page.field(name, selector) for name, selector in wants["selectors"].items()
            }
        for name in ("links", "images", "meta", "tables"):
            if wants.get(name):
                result[name] = getattr(page, name)()
    except TooLongError:
        raise LimitError("the page makes more than 16 MiB of text", code="limit.value") from None
    return result


class _Page:
    def __init__(self, html: str, address: str) -> None:
        from selectolax.lexbor import LexborHTMLParser

        self.tree = LexborHTMLParser(html)
        self.base = address
        for base in self.tree.css("base[href]")[:1]:
            self.base = absolute(address, base.attributes.get("href") or "")

    def title(self) -> str:
        found = self.tree.css_first("title")
        return " ".join(found.text().split()) if found is not None else ""

    def content(self, selector: str | None, style: str) -> dict[str, Any]:
        if selector is None:
            body = self.tree.body or self.tree.root
            return {"content": self._one(body, style) if body is not None else ""}
        found, what = self._select("selector", selector)
        matches = [self._as(node, what) if what else self._one(node, style) for node in found]
        return {"content": "\n\n".join(matches), "matches": matches, "count": len(matches)}

    def field(self, name: str, selector: str) -> list[str]:
        found, what = self._select(f"selectors.{name}", selector)
        return [self._as(node, what) for node in found]

    def links(self) -> list[dict[str, str]]:
        return [
            {"url": absolute(self.base, href), "text": _flat(node)}
            for node in self.tree.css("a[href]")[:_MOST_ENTRIES]
            if (href := node.attributes.get("href"))
        ]

    def images(self) -> list[dict[str, str]]:
        return [
            {"url": absolute(self.base, source), "alt": node.attributes.get("alt") or ""}
            for node in self.tree.css("img[src]")[:_MOST_ENTRIES]
            if (source := node.attributes.get("src")) and not source.startswith("data:")
        ]

    def meta(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for node in self.tree.css("meta[content]")[:_MOST_ENTRIES]:
            given = node.attributes
            name = given.get("name") or given.get("property") or given.get("itemprop")
            if name:
                found.setdefault(name.lower(), given.get("content") or "")
        canonical = self.tree.css_first('link[rel="canonical"][href]')
        if canonical is not None:
            found["canonical"] = absolute(self.base, canonical.attributes.get("href") or "")
        root = self.tree.root
        if root is not None and root.attributes.get("lang"):
            found.setdefault("language", root.attributes["lang"] or "")
        return found

    def tables(self) -> list[dict[str, Any]]:
        return [_table(node) for node in self.tree.css("table")[:_MOST_MATCHES]]

    def _select(self, field: str, selector: str) -> tuple[list[Any], str]:
        from selectolax.lexbor import SelectolaxError

        ending = _WHAT.search(selector)
        plain = selector[: ending.start()] if ending else selector
        what = (ending[1] and f"@{ending[1]}") or ending[2] if ending else ""
        try:
            return self.tree.css(plain or "*")[:_MOST_MATCHES], what
        except (SelectolaxError, ValueError):
            mistake = {"field": field, "message": f'is no valid CSS selector: "{selector[:100]}"'}
            raise ValidationError("wrong selector", details={"errors": [mistake]}) from None

    def _one(self, node: Any, style: str) -> str:
        if style == "html":
            return node.html or ""
        return rendered(node, self.base, markdown=style == "markdown")

    def _as(self, node: Any, what: str) -> str:
        if what == "html":
            return node.html or ""
        if not what.startswith("@"):
            return _flat(node)
        value = node.attributes.get(what[1:]) or ""
        return absolute(self.base, value) if what in ("@href", "@src") else value


def _flat(node: Any) -> str:
    """The text of an element in one line."""
    parts = [one.text_content or "" for one, _ in walk(node) if one.is_text_node]
    return " ".join("".join(parts).split())


def _table(node: Any) -> dict[str, Any]:
    """Its header names, and its rows; those of tables inside it are not its own."""
    header: list[str] = []
    rows: list[list[str]] = []
    inside = 0
    for one, entering in walk(node):
        if one.tag == "table":
            inside += 1 if entering else -1
        if one.tag != "tr" or not entering or inside > 1 or len(rows) >= _MOST_ROWS:
            continue
        cells = [cell for cell in _children(one) if cell.tag in ("td", "th")]
        texts = [_flat(cell) for cell in cells]
        if cells and not header and not rows and all(cell.tag == "th" for cell in cells):
            header = texts
        elif cells:
            rows.append(texts)
    return {"headers": header, "rows": rows}


def _children(node: Any) -> list[Any]:
    found = []
    child = node.first_child
    while child is not None:
        found.append(child)
        child = child.next
    return found

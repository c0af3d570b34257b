"""A page's tree as readable text or Markdown. Runs in a helper process; nothing recurses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

#: What no reader sees.
HIDDEN = frozenset({
    "head", "iframe", "math", "noscript", "object", "script", "style", "svg", "template",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "html", "legend", "li", "main", "nav", "ol", "option",
    "p", "pre", "section", "summary", "table", "tr", "ul",
})  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "del": "~~", "s": "~~"}
#: Blocks that follow each other without an empty line.
_CLOSE = frozenset({"dd", "dt", "li", "option", "tr"})
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_MOST = 16 * 1024 * 1024
#: Rows of wider tables are not filled up to the width of the widest.
_WIDEST = 100


class TooLongError(ValueError):
    """The page makes more text than a tool gives out."""


def rendered(node: Any, base: str, *, markdown: bool) -> str:
    """The text of an element, a line for each of its blocks.

    Args:
        node: an element of selectolax
        base: the address that links are relative to
        markdown: with headings, lists, links, emphasis and tables as Markdown
    """
    writer = _Markdown(base) if markdown else _Text()
    for one, entering in walk(node):
        tag = one.tag or ""
        if not entering:
            writer.leave(tag, one)
        elif one.is_text_node:
            writer.text(one.text_content or "")
        else:
            writer.enter(tag, one)
    return writer.result()


def walk(node: Any) -> Iterator[tuple[Any, bool]]:
    """Each visible node below and including this one: on entering, elements on leaving again."""
    pending = [(node, True)]
    while pending:
        one, entering = pending.pop()
        if entering and not one.is_text_node:
            if not one.is_element_node or one.tag in HIDDEN:
                continue
            pending.append((one, False))
            children = []
            child = one.first_child
            while child is not None:
                children.append((child, True))
                child = child.next
            pending += reversed(children)
        yield one, entering


class _Text:
    """Blocks on lines of their own, list items with a dash, cells of a row apart by tabs."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.lines: list[str] = []
        self.prefixes: list[list[str]] = []
        self.preformatted = 0
        self.size = 0

    def text(self, text: str) -> None:
        self.parts.append(text if self.preformatted else _SPACE.sub(" ", text))

    def enter(self, tag: str, node: Any) -> None:
        if tag in _BLOCKS:
            self.flush()
        if tag == "br":
            self.flush()
        elif tag == "li":
            self.prefixes.append(["- ", "  "])
        elif tag == "pre":
            self.preformatted += 1
        elif tag in ("td", "th") and self.parts:
            self.parts.append("\t")

    def leave(self, tag: str, node: Any) -> None:
        if tag in _BLOCKS:
            self.flush()
        if tag == "li" and self.prefixes:
            self.prefixes.pop()
        elif tag == "pre":
            self.preformatted -= 1

    def flush(self) -> None:
        """End the line that is being written."""
        text = "".join(self.parts)
        self.parts.clear()
        if not text.strip():
            return
        rows = text.strip("\n").split("\n") if self.preformatted else [_tidy(text)]
        for row in rows:
            self.line(row)

    def line(self, row: str) -> None:
        prefix = ""
        for forms in self.prefixes:
            prefix += forms[0]
            # The first line of an item has its mark, the others are indented.
            forms[:] = forms[-1:]
        made = (prefix + row).rstrip()
        self.size += len(made) + 1
        if self.size > _MOST:
            raise TooLongError
        self.lines.append(made)

    def result(self) -> str:
        self.flush()
        return "\n".join(self.lines).strip("\n")


class _Markdown(_Text):
    """GitHub's Markdown; what has no form in it is left as text."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        #: The next number of each open list, 0 for bullets.
        self.numbers: list[int] = []
        #: Links and emphasis that are open, and where in `parts` they began.
        self.opened: list[tuple[str, int]] = []
        self.rows: list[list[str]] | None = None
        self.tables = 0
        #: What stands on the empty line before the next one, None when there is none.
        self.gap: str | None = None
        self.openers: dict[str, Callable[[Any], None]] = {
            "table": self._open_table,
            "li": self._open_item,
            "ul": lambda node: self.numbers.append(0),
            "ol": lambda node: self.numbers.append(1),
            "blockquote": lambda node: self.prefixes.append(["> "]),
            "pre": self._open_code,
            "hr": self._rule,
            "br": lambda node: self.flush(),
            "img": self._image,
            **dict.fromkeys(_HEADINGS, lambda node: self.parts.append(_HEADINGS[node.tag])),
            **dict.fromkeys([*_MARKS, "a"], self._open_mark),
        }

    def enter(self, tag: str, node: Any) -> None:
        if self.tables:
            self._enter_cell(tag)
            return
        if tag in _BLOCKS:
            self._separate(tag)
        if opener := self.openers.get(tag):
            opener(node)

    def leave(self, tag: str, node: Any) -> None:
        if self.tables:
            self._leave_cell(tag)
            return
        if self.opened and self.opened[-1][0] == tag:
            self._close(node.attributes.get("href") if tag == "a" else None)
        if tag not in _BLOCKS:
            return
        self.flush()
        if tag in ("li", "blockquote") and self.prefixes:
            self.prefixes.pop()
        elif tag in ("ul", "ol") and self.numbers:
            self.numbers.pop()
        elif tag == "pre":
            self.line("```")
            self.preformatted -= 1
        self._separate(tag)

    def flush(self) -> None:
        # Emphasis and links do not go on in the next block.
        self.opened.clear()
        if "".join(self.parts) in _HEADINGS.values():
            self.parts.clear()
        super().flush()

    def line(self, row: str) -> None:
        if self.gap is not None and self.lines:
            self.lines.append(self.gap)
        self.gap = None
        super().line(row)

    def _separate(self, tag: str) -> None:
        """End the line; an empty one follows, but for items and what is inside of lists."""
        self.flush()
        if tag in _CLOSE or self.numbers or self.preformatted:
            return
        gap = "".join(forms[-1] for forms in self.prefixes).rstrip()
        # Between two quotations it is empty, inside of one it has the quotation's mark.
        self.gap = gap if self.gap is None else min(gap, self.gap, key=len)

    def _open_item(self, node: Any) -> None:
        mark = "- "
        if self.numbers and self.numbers[-1]:
            mark = f"{self.numbers[-1]}. "
            self.numbers[-1] += 1
        self.prefixes.append([mark, " " * len(mark)])

    def _open_code(self, node: Any) -> None:
        self.line("```")
        self.preformatted += 1

    def _open_mark(self, node: Any) -> None:
        if node.tag == "a" or not self.preformatted:
            self.opened.append((node.tag, len(self.parts)))

    def _open_table(self, node: Any) -> None:
        self.tables, self.rows = 1, []

    def _rule(self, node: Any) -> None:
        self.line("---")
        self._separate("hr")

    def _close(self, href: str | None) -> None:
        """Wrap what was written since the element began."""
        tag, start = self.opened.pop()
        text = "".join(self.parts[start:])
        inner = text.strip()
        if not inner:
            return
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        if tag != "a":
            inner = f"{_MARKS[tag]}{inner}{_MARKS[tag]}"
        elif href and not href.lstrip().lower().startswith("javascript:"):
            inner = f"[{inner}]({absolute(self.base, href).replace(' ', '%20')})"
        self.parts[start:] = [before, inner, after]

    def _image(self, node: Any) -> None:
        source = node.attributes.get("src")
        if source and not source.startswith("data:"):
            alt = _SPACE.sub(" ", node.attributes.get("alt") or "").replace("]", "")
            self.parts.append(f"![{alt}]({absolute(self.base, source).replace(' ', '%20')})")

    def _enter_cell(self, tag: str) -> None:
        if tag == "table":
            self.tables += 1
        elif tag == "tr" and self.tables == 1 and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.tables == 1:
            self.parts.clear()
        elif tag in _BLOCKS or tag == "br":
            self.parts.append(" ")

    def _leave_cell(self, tag: str) -> None:
        if tag in ("td", "th") and self.tables == 1 and self.rows:
            self.rows[-1].append(_tidy("".join(self.parts)).replace("|", "\\|"))
            self.parts.clear()
        elif tag == "table":
            self.tables -= 1
            if not self.tables:
                self._write_table()
        elif tag == "caption" and self.tables == 1:
            self.line(_tidy("".join(self.parts)))
            self.parts.clear()
            self.gap = ""

    def _write_table(self) -> None:
        self.parts.clear()
        rows = [row for row in self.rows or [] if any(row)]
        self.rows = None
        width = min(max(map(len, rows), default=0), _WIDEST)
        for number, row in enumerate(rows):
            cells = [*row, *[""] * (width - len(row))]
            self.line(f"| {' | '.join(cells)} |")
            if number == 0:
                self.line("|" + " --- |" * len(cells))
        self._separate("table")


def absolute(base: str, link: str) -> str:
    """The whole address of a link; the link as it is when it is no address."""
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return link


def _tidy(text: str) -> str:
    # Tabs stand between cells, and only there.
    return "\t".join(_SPACE.sub(" ", part).strip() for part in text.split("\t")).strip()

r"""Reading Handlebars templates: text to a tree. `_handlebars_run` renders the tree.

The subset: ``{{x}}`` (HTML-escaped), ``{{{x}}}`` and ``{{&x}}``, ``{{#if}}``, ``{{else if}}``,
``{{else}}``, ``{{#unless}}``, ``{{#each}}``, ``{{#with}}``, ``{{^x}}``, ``{{#x}}``, paths with
``this``, ``../``, ``@index @key @first @last @root``, ``x.[a key]``, comments, ``~`` and ``\{{``.
Block tags alone on a line leave no line behind, as in Handlebars.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from llmspell_core.errors import LimitError

#: Milliseconds that reading and rendering a template may take together.
TIME_MS = 1_000
MAX_DEPTH = 40
BLOCKS = ("if", "unless", "each", "with")

_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_PATH = re.compile(r"@?[^\s()=\"'|]+")
_PART = re.compile(r"\[([^\]]*)\]|([^./\[\]]+)")


class TemplateError(Exception):
    """The template is wrong; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


class Clock:
    """Ends work that takes too long: `tick` is called for each step."""

    def __init__(self) -> None:
        self.steps = 0
        self.limit = time.monotonic() + TIME_MS / 1000

    def tick(self) -> None:
        """Raise `limit.template_time` when the time is up."""
        self.steps += 1
        if self.steps % 500 == 0 and time.monotonic() > self.limit:
            raise LimitError(
                f"the template took longer than {TIME_MS} ms", code="limit.template_time"
            )


@dataclass(frozen=True, slots=True)
class Path:
    """A reference: how many contexts up, `@` data or not, and the keys."""

    text: str
    up: int
    data: bool
    keys: tuple[str, ...]
    line: int


@dataclass(slots=True)
class Text:
    """Literal text."""

    text: str


@dataclass(slots=True)
class Output:
    """A value put out, escaped or not."""

    path: Path
    escape: bool


@dataclass(slots=True)
class Block:
    """A block helper with its two bodies."""

    kind: str
    path: Path
    body: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)


Node = Text | Output | Block


@dataclass(slots=True)
class _Open:
    """A block that is not closed yet; `chained` ones were opened by `else if`."""

    block: Block
    close: str
    line: int
    chained: bool = False
    in_else: bool = False

    @property
    def nodes(self) -> list[Node]:
        return self.block.otherwise if self.in_else else self.block.body


@dataclass(slots=True)
class _Tag:
    """One tag: where it is, its sigil (`#`, `/`, `{`, `!`, ...) and the rest."""

    start: int
    end: int
    line: int
    kind: str
    body: str
    trim_before: bool
    trim_after: bool

    @property
    def may_stand_alone(self) -> bool:
        return self.kind in ("#", "^", "/", "!") or self.body.split(" ")[0] == "else"


def parse(template: str, clock: Clock) -> list[Node]:
    """The tree of a template, or `TemplateError`."""
    return _Parser(template, clock).run()


def _tag_at(template: str, start: int, line: int) -> _Tag:
    """The tag that begins with the braces at `start`."""
    inside = start + 2
    trim_before = template.startswith("~", inside)
    inside += trim_before
    if template.startswith("!--", inside):
        close, kind = "--", "!"
    elif template.startswith("{", inside):
        close, kind = "}", "{"
    else:
        close, kind = "", ""
    end = template.find(close + "}}", inside + len(close))
    tilde = template.find(close + "~}}", inside + len(close), end if end >= 0 else None)
    trim_after = (tilde >= 0 and (tilde < end or end < 0)) or template[end - 1 : end] == "~"
    stop = tilde if tilde >= 0 and (tilde < end or end < 0) else end
    if stop < 0:
        raise TemplateError("{{ is never closed", line)
    end = stop + len(close) + 2 + (stop == tilde)
    body = template[inside:stop].removesuffix("~").strip()
    if kind == "{":
        body = body[1:].strip()
    elif not kind and body[:1] in _SIGILS:
        kind, body = body[:1], body[1:].strip()
    return _Tag(start, end, line, kind, body, trim_before, trim_after)


_SIGILS = ("#", "^", "/", "&", ">", "!")


class _Parser:
    def __init__(self, template: str, clock: Clock) -> None:
        self.template = template
        self.clock = clock
        self.root: list[Node] = []
        self.stack: list[_Open] = []
        self.trim = False

    def run(self) -> list[Node]:
        template, place, line = self.template, 0, 1
        while (start := template.find("{{", place)) >= 0:
            self.clock.tick()
            text = template[place:start]
            line += text.count("\n")
            if text.endswith("\\"):
                place = start + 2
                self.text(text[:-1] + "{{")
                continue
            tag = _tag_at(template, start, line)
            blanks, after = self.standalone(tag, text, place)
            text = text[: len(text) - blanks]
            self.text(text.rstrip() if tag.trim_before else text)
            self.trim = tag.trim_after
            self.tag(tag)
            line += template.count("\n", start, after)
            place = after
        self.text(template[place:])
        if self.stack:
            left = self.stack[-1]
            raise TemplateError(f"{{{{#{left.close}}}}} is never closed", left.line)
        return self.root

    @property
    def nodes(self) -> list[Node]:
        return self.stack[-1].nodes if self.stack else self.root

    def text(self, text: str) -> None:
        if self.trim:
            text = text.lstrip()
            self.trim = not text
        if text:
            self.nodes.append(Text(text))

    def standalone(self, tag: _Tag, text: str, place: int) -> tuple[int, int]:
        """For a tag alone on its line: how many blanks before it go, and where to go on."""
        head = text[text.rfind("\n") + 1 :]
        at_start = head != text or place == 0 or self.template[place - 1] == "\n"
        if not tag.may_stand_alone or not at_start or head.strip():
            return 0, tag.end
        rest = _REST_OF_LINE.match(self.template, tag.end)
        return (len(head), rest.end()) if rest else (0, tag.end)

    def tag(self, tag: _Tag) -> None:
        kind, body, line = tag.kind, tag.body, tag.line
        if kind == "!":
            return
        if kind == ">":
            raise TemplateError("partials ({{> name}}) are not part of this subset", line)
        if kind == "/":
            self.close(body, line)
        elif kind in ("#", "^") and body:
            self.open(kind, body, line)
        elif body == "else" or kind == "^":
            self.otherwise(line)
        elif body.startswith("else "):
            self.otherwise(line)
            self.open("#", body[5:].strip(), line, chained=True)
        else:
            self.nodes.append(Output(_path(body, line), escape=kind == ""))

    def open(self, kind: str, body: str, line: int, *, chained: bool = False) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise TemplateError(f"blocks are nested deeper than {MAX_DEPTH}", line)
        helper, _, rest = body.partition(" ")
        if helper in BLOCKS:
            block = Block(helper, _path(rest.strip(), line))
        elif rest:
            raise TemplateError(_no_helper(helper), line)
        else:
            block = Block("section", _path(body, line))
        opened = _Open(block, helper, line, chained, in_else=kind == "^")
        self.nodes.append(block)
        self.stack.append(opened)

    def otherwise(self, line: int) -> None:
        if not self.stack:
            raise TemplateError("{{else}} outside of a block", line)
        if self.stack[-1].in_else and self.stack[-1].block.kind != "section":
            raise TemplateError("a second {{else}} in one block", line)
        self.stack[-1].in_else = not self.stack[-1].in_else

    def close(self, body: str, line: int) -> None:
        while self.stack and self.stack[-1].chained:
            self.stack.pop()
        if not self.stack:
            raise TemplateError(f"{{{{/{body}}}}} closes nothing", line)
        opened = self.stack.pop()
        if body != opened.close:
            raise TemplateError(
                f"{{{{/{body}}}}} where {{{{/{opened.close}}}}} is expected "
                f"(opened in line {opened.line})",
                line,
            )


def _no_helper(name: str) -> str:
    return f'unknown helper "{name}": there are {", ".join(BLOCKS)}'


def _path(text: str, line: int) -> Path:
    if not text:
        raise TemplateError("a name is missing", line)
    if not _PATH.fullmatch(text.replace(" ", "") if "[" in text else text):
        raise TemplateError(
            _no_helper(text.split(maxsplit=1)[0]) if " " in text else f"cannot read {text}", line
        )
    rest, up = text, 0
    while rest == ".." or rest.startswith("../"):
        rest, up = rest[3:], up + 1
    data = rest.startswith("@")
    rest = rest.removeprefix("@").removeprefix("./")
    if rest in (".", "", "this"):
        return Path(text, up, data, (), line)
    keys = [key if bracketed is None else bracketed for bracketed, key in _parts(rest)]
    if keys and keys[0] == "this" and not data:
        del keys[0]
    return Path(text, up, data, tuple(keys), line)


def _parts(text: str) -> list[tuple[str | None, str]]:
    return [(found[1], found[2] or "") for found in _PART.finditer(text)]

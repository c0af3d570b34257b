"""The rules of the template sandbox: what templates may touch."""

# Imported when the first template is compiled.
# ruff: noqa: TID253

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from llmspell_core._template_limits import (
    CHECKS,
    Meter,
    check_operands,
    check_size,
    weight,
)
from llmspell_core.errors import LimitError

MAX_RANGE = 10_000

#: What of Jinja's filters stays: no `random`, no HTML, nothing that calls back without bound.
_FILTERS = (
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e",
    "escape", "filesizeformat", "first", "float", "format", "groupby", "indent", "int", "items",
    "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr",
    "replace", "reverse", "round", "select", "selectattr", "slice", "sort", "string", "striptags",
    "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
    "wordwrap",
)  # fmt: skip
_STRING_METHODS = frozenset((
    "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha",
    "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper",
    "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rfind", "rpartition",
    "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper",
))  # fmt: skip
_METHODS: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, _STRING_METHODS),
    (Mapping, frozenset(("get", "items", "keys", "values"))),
    ((list, tuple), frozenset(("count", "index"))),
)
#: Objects of Jinja's own that templates handle.
_OWN = ("LoopContext", "Namespace", "Cycler", "Joiner", "Macro", "TemplateReference", "_GroupTuple")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, narrowed to plain data and counted."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self, strict: bool) -> None:
        super().__init__(
            undefined=jinja2.StrictUndefined if strict else jinja2.ChainableUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            # The optimiser would compute constants while compiling, uncounted.
            optimized=False,
            cache_size=0,
            finalize=self._shown,
        )
        self._local = threading.local()
        self.filters = {name: self._guarded(name, FILTERS[name]) for name in _FILTERS}
        self.filters["_each"] = self._each
        self.filters["_concat"] = self._concat
        self.filters["_text"] = self._text
        self.globals = {"range": self._range, "dict": dict, "namespace": jinja2.utils.Namespace}

    @contextlib.contextmanager
    def metered(self) -> Iterator[Meter]:
        """Count in this thread from zero."""
        before = getattr(self._local, "meter", None)
        self._local.meter = meter = Meter()
        try:
            yield meter
        finally:
            self._local.meter = before

    @property
    def meter(self) -> Meter:
        """The count of the rendering that this thread is in."""
        meter: Meter | None = getattr(self._local, "meter", None)
        return meter if meter is not None else Meter()

    def names_in(self, source: str) -> tuple[str, ...]:
        """The dotted paths that a template reads from its variables."""
        tree = super()._parse(source, None, None)
        found: dict[str, None] = {}
        _collect(tree, found)
        return tuple(found)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _refuse(tree)
        return _counted(tree, self)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if attr.startswith("_"):
            return False
        for kind, allowed in _METHODS:
            if isinstance(obj, kind):
                return attr in allowed or type(obj).__name__ in _OWN
        return type(obj).__name__ in _OWN or isinstance(obj, jinja2.Undefined)

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        if owner is self or obj in (dict, jinja2.utils.Namespace):
            return True
        if type(obj).__name__ in _OWN:
            return True
        return isinstance(owner, (str, Mapping, list, tuple)) or type(owner).__name__ in _OWN

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`a.b`: of a table its field first, so that a field may be called `items`."""
        self.meter.step()
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        self._no_underscore(attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        self.meter.step()
        if isinstance(obj, Mapping):
            with contextlib.suppress(TypeError, KeyError):
                return obj[argument]
        if isinstance(argument, str):
            self._no_underscore(argument)
        return super().getitem(obj, argument)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        self.meter.step()
        if isinstance(obj, jinja2.Undefined):
            obj._fail_with_undefined_error()
        if not self.is_safe_callable(obj):
            name = getattr(obj, "__name__", type(obj).__name__)
            raise SecurityError(f"{name} cannot be called in a template")
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        self.meter.step()
        check_operands(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _no_underscore(self, name: str) -> None:
        if name.startswith("_"):
            raise SecurityError(f"names that begin with an underscore are closed: {name}")

    def _range(self, *args: int) -> range:
        made = range(*args)
        if len(made) > MAX_RANGE:
            raise LimitError(f"range is limited to {MAX_RANGE}", code="limit.template_steps")
        return made

    def _each(self, values: Iterable[Any]) -> Iterator[Any]:
        """A loop's values, each one a step."""
        meter = self.meter
        for value in values:
            meter.step()
            yield value

    def _shown(self, value: Any) -> Any:
        """What goes to the output, counted where it is made: blocks and macros collect first."""
        if isinstance(value, jinja2.Undefined):
            return value
        text = value if isinstance(value, str) else str(value)
        self.meter.grow(len(text))
        return text

    # Needing the context keeps Jinja from computing it once, while compiling.
    @jinja2.pass_context
    def _text(self, _: Context, text: str) -> str:
        """A template's own text inside of a loop or block."""
        self.meter.grow(len(text))
        return text

    def _concat(self, parts: Sequence[Any]) -> str:
        self.meter.step()
        texts = [str(part) for part in parts]
        check_size(sum(map(len, texts)))
        return "".join(texts)

    def _guarded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that checks what it is given and what it makes."""
        check = CHECKS.get(name)
        # Jinja's own mark: how many of (context, eval context, environment) come first.
        passed = getattr(function, "jinja_pass_arg", None)

        def guarded(*args: Any, **kwargs: Any) -> Any:
            given = args[1:] if passed is not None else args
            self.meter.step(weight(given[0]) if given else 1)
            if check is not None:
                check(*given, **kwargs)
            made = function(*args, **kwargs)
            if isinstance(made, str):
                check_size(len(made))
            return made

        if passed is not None:
            guarded.jinja_pass_arg = passed  # type: ignore[attr-defined]
        return guarded


def _refuse(tree: nodes.Template) -> None:
    """No other templates: there are none, and the error should say so early."""
    for kind in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        found = tree.find(kind)
        if found is not None:
            raise jinja2.TemplateSyntaxError(
                f"{kind.__name__.lower()} is not available", found.lineno
            )


class _Counted(NodeTransformer):
    """Puts our counters where Jinja has no hook: loops, `a ~ b`, text inside of blocks."""

    def __init__(self) -> None:
        self._inside = 0

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's names
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_concat")

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        node.iter = _filtered(node.iter, "_each")
        return self._block(node)

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:  # noqa: N802
        if not self._inside:
            return node
        return _filtered(nodes.Const(node.data, lineno=node.lineno), "_text")

    def _block(self, node: nodes.Node) -> nodes.Node:
        self._inside += 1
        self.generic_visit(node)
        self._inside -= 1
        return node

    visit_Macro = visit_CallBlock = visit_AssignBlock = visit_FilterBlock = _block  # noqa: N815


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _counted(tree: nodes.Template, environment: Sandbox) -> nodes.Template:
    changed: nodes.Template = _Counted().visit(tree)
    for node in (changed, *changed.find_all(nodes.Node)):
        node.environment = environment
    return changed


def _collect(node: nodes.Node, found: dict[str, None]) -> None:
    path = _path(node)
    if path is not None:
        found.setdefault(path)
        return
    for child in node.iter_child_nodes():
        _collect(child, found)


def _path(node: nodes.Node) -> str | None:
    """`a.b.c` of an attribute chain that begins with a variable."""
    if isinstance(node, nodes.Name):
        return node.name if node.ctx == "load" else None
    if isinstance(node, nodes.Getattr):
        inner = _path(node.node)
        return f"{inner}.{node.attr}" if inner is not None else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        inner = _path(node.node)
        return f"{inner}.{node.arg.value}" if inner is not None else None
    return None

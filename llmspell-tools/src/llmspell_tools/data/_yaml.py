"""YAML 1.2 as values and back: no tags that make objects, nothing that grows without bounds."""

from __future__ import annotations

import functools
from io import StringIO
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake
from llmspell_tools.data._plain import MAX_DEPTH

TOOL = "yaml-processor"
_WIDTH = 100
_MOST_MERGED = 100_000


def read(text: str, field: str = "input") -> Any:
    """The value of a YAML text, several documents as a list; `input.invalid` with the place."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        documents = list(_yaml().load_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        words = (error.problem or error.context or "cannot be read").split("\n")[0]
        raise mistake(TOOL, field, f"is no YAML: {words}{where}") from None
    except RecursionError:
        raise LimitError(f"{TOOL}: {field} is nested too deep", code="limit.value_depth") from None
    except (YAMLError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        # The library's constructors trust tags: `!!int x` fails with whatever int() raises.
        raise mistake(TOOL, field, f"is no YAML: {_first_line(error)}") from None
    return documents[0] if len(documents) == 1 else documents or None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0]


def write(value: Any, *, sort_keys: bool = False, flow: bool = False) -> str:
    """A value as a YAML text, without anchors and tags."""
    yaml = _yaml()
    yaml.Representer = _representer()
    yaml.default_flow_style = flow
    yaml.representer.sort_base_mapping_type_on_output = sort_keys
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    target = StringIO()
    yaml.dump(value, target)
    # A bare scalar is followed by an end of the document that says nothing.
    return target.getvalue().removesuffix("...\n")


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _composer()
    yaml.Constructor = _constructor()
    yaml.allow_duplicate_keys = False
    return yaml


@functools.cache
def _composer() -> Any:
    from ruamel.yaml.composer import Composer

    class Bounded(Composer):
        """Stops at a depth: the library's time grows with its square."""

        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                message = f"{TOOL}: input is nested deeper than {MAX_DEPTH}"
                raise LimitError(message, code="limit.value_depth")
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

    return Bounded


@functools.cache
def _constructor() -> Any:
    from ruamel.yaml.constructor import SafeConstructor

    class Constructor(SafeConstructor):
        """Counts what merge keys copy: a few lines of them can copy for ever."""

        merged = 0

        def flatten_mapping(self, node: Any) -> Any:
            made = super().flatten_mapping(node)
            self.merged += len(node.value) + len(getattr(node, "merge", None) or ())
            if self.merged > _MOST_MERGED:
                message = f"{TOOL}: merge keys copy more than {_MOST_MERGED:,} entries"
                raise LimitError(message, code="limit.value")
            return made

    return Constructor


@functools.cache
def _representer() -> Any:
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Long texts as blocks; what occurs twice is written twice."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    # On a class of its own: representers belong to the class, and others use the library too.
    Representer.add_representer(str, _represent_text)
    return Representer


def _represent_text(representer: Any, text: str) -> Any:
    style = "|" if "\n" in text and _is_plain(text) else None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_plain(text: str) -> bool:
    """Whether a block can hold the text: no ends of lines with spaces, no control characters."""
    return all(
        not line.endswith((" ", "\t")) and (line.isprintable() or not line)
        for line in text.split("\n")
    )

"""What templates and conditions of a run can read, and how a reference is resolved in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from llmspell_core.workflow import StepResult
from llmspell_workflows.expressions import Expression, Missing, Reference

#: Reads a key of the State of the run's scope; `Missing.UNKNOWN` where there is none.
ReadState = Callable[[str], Awaitable[Any]]

_ABOUT = frozenset({"success", "error", "duration_ms", "skipped", "attempts", "name", "type"})


class Scope:
    """The names of a run: its input, the results of its steps, its shared data."""

    __slots__ = ("_fallback", "extra", "input", "read_state", "results", "shared")

    def __init__(
        self,
        input: Any,
        results: dict[str, StepResult],
        shared: dict[str, Any],
        read_state: ReadState,
    ) -> None:
        self.input = input
        self.results = results
        self.shared = shared
        self.read_state = read_state
        #: Bare names before all others: the `variables` of a step.
        self.extra: Mapping[str, Any] = {}
        self._fallback: dict[str, Any] = {}

    def with_extra(self, extra: Mapping[str, Any]) -> Scope:
        """The same scope with further bare names."""
        made = Scope(self.input, self.results, self.shared, self.read_state)
        made.extra = extra
        return made

    async def prepare(self, expressions: Iterable[Expression]) -> None:
        """Read from State what these expressions name and the run's own data does not have.

        Resolving is synchronous, reading State is not; so it comes first, each time anew.
        """
        self._fallback = {}
        for expression in expressions:
            for reference in expression.references:
                key = self._state_key(reference)
                if key is not None and key not in self._fallback:
                    value = await self.read_state(key)
                    if value is not Missing.UNKNOWN:
                        self._fallback[key] = value

    def _state_key(self, reference: Reference) -> str | None:
        if not reference.path or reference.root not in ("shared", "name"):
            return None
        key = str(reference.path[0])
        if key in self.shared:
            return None
        if reference.root == "name" and self._bare(key) is not Missing.UNKNOWN:
            return None
        return key

    def resolve(self, reference: Reference) -> Any:
        """A reference's value, or why it has none."""
        root, path = reference.root, reference.path
        if root == "steps":
            return self._step(path)
        if root == "input":
            return walk(self.input, path)
        if root == "shared":
            if path and path[0] not in self.shared:
                return walk(self._fallback, path)
            return walk(self.shared, path)
        if root == "name":
            return walk(self._bare(str(path[0])), path[1:])
        # Variables of the process may hold keys: no template reads them.
        return Missing.UNKNOWN

    def _bare(self, name: str) -> Any:
        if name in self.extra:
            return self.extra[name]
        if isinstance(self.input, Mapping) and name in self.input:
            return self.input[name]
        if name in self.results:
            return output_of(self.results[name])
        if name in self.shared:
            return self.shared[name]
        return self._fallback.get(name, Missing.UNKNOWN)

    def _step(self, path: tuple[str | int, ...]) -> Any:
        if not path:
            return {n: one.output for n, one in self.results.items() if _has_output(one)}
        found = self.results.get(str(path[0]))
        if found is None:
            return Missing.NOT_RUN
        if len(path) > 1:
            field, rest = path[1], path[2:]
            if field in ("output", "result"):
                return walk(output_of(found), rest)
            if field == "raw":
                return walk(plain(found.result) if _has_output(found) else Missing.NOT_RUN, rest)
            if field in _ABOUT:
                return walk(getattr(found, str(field)), rest)
        return walk(output_of(found), path[1:])


def _has_output(result: StepResult) -> bool:
    return result.success and not result.skipped


def output_of(result: StepResult) -> Any:
    """A step's output; undefined when it was skipped or failed."""
    return result.output if _has_output(result) else Missing.NOT_RUN


def walk(value: Any, path: Iterable[str | int]) -> Any:
    """Follow a path through data: fields and items, never attributes of objects."""
    for part in path:
        value = _field(value, part)
        if isinstance(value, Missing):
            return value
    return value


def _field(value: Any, part: str | int) -> Any:
    if isinstance(value, Missing):
        return value
    if isinstance(value, BaseModel):
        value = plain(value)
    if isinstance(value, Mapping):
        if part in value:
            return value[part]
        other = str(part) if isinstance(part, int) else part
        return value.get(other, Missing.UNKNOWN)
    if isinstance(value, (list, tuple)) and isinstance(part, int):
        return value[part] if -len(value) <= part < len(value) else Missing.UNKNOWN
    return Missing.UNKNOWN


def plain(value: Any) -> Any:
    """A result object as data."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    to_dict = getattr(value, "to_dict", None)
    if callable(to_dict):
        return to_dict()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value

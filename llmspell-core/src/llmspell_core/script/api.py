"""How a component declares what scripts see: `ScriptGlobal`, `ScriptObject`, `script_method`.

One typed and documented Python class is the whole declaration of a script global::

    class GreeterGlobal(ScriptGlobal):
        '''Greets people.'''

        name = "Greeter"

        @script_method(aliases=("hi",))
        async def greet(self, who: str, times: int = 1) -> str:
            '''Greet WHO.

Args:
                who: the person's name
                times: how often
            '''
            return " ".join([f"Hello, {who}."] * times)

From it come the Lua and JavaScript bindings, argument validation, completion, the editor stubs
and the reference. `llmspell_core.script.manifest` compiles it to JSON.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, overload, runtime_checkable

from llmspell_core.records import Record, key

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

MARK = "__script_method__"


class MethodMark(Record):
    """What `script_method` was given; the name is the function's without trailing underscores."""

    name: str
    aliases: tuple[str, ...] = ()
    guest: bool = False
    hidden: bool = False
    variadic: bool = False


F = TypeVar("F", bound=Callable[..., Any])


@overload
def script_method(fn: F) -> F: ...
@overload
def script_method(
    *,
    name: str | None = None,
    aliases: tuple[str, ...] = (),
    guest: bool = False,
    hidden: bool = False,
) -> Callable[[F], F]: ...


def script_method(
    fn: F | None = None,
    *,
    name: str | None = None,
    aliases: tuple[str, ...] = (),
    guest: bool = False,
    hidden: bool = False,
) -> Any:
    """Show a method to scripts.

    An ``async def`` suspends the calling task; a plain ``def`` is answered at once. Parameters
    are validated by their annotations (anything pydantic accepts, `ScriptFunction` for
    callbacks); ``*args`` takes any number. `guest` methods are answered inside the engine: the
    Python body is only the declaration. `hidden` methods are callable but not listed.
    """

    def mark(function: F) -> F:
        label = name or function.__name__.rstrip("_")
        setattr(function, MARK, MethodMark(label, aliases, guest, hidden))
        return function

    return mark(fn) if fn is not None else mark


def guest_only() -> Any:
    """The body of a guest method's declaration: the engine answers it, never the host."""
    raise TypeError("this method is answered inside the engine")


@runtime_checkable
class ScriptFunction(Protocol):
    """A function of the script, held by the host. Released when the host forgets it."""

    #: Where the function is defined (`spell.lua:12`), "" when the engine cannot say.
    where: str

    def __call__(self, *args: Any) -> Awaitable[Any]:
        """Call it with JSON-like values; raises what the script throws as `ScriptError`."""
        ...


class Result:
    """Plain data that scripts may read in snake_case and camelCase.

    `via` names a field whose own fields are readable on the result where they clash with none;
    `prints` one whose value the result is shown as (`print(Tool.list()[1])`).
    """

    __slots__ = ("data", "prints", "via")

    def __init__(
        self, data: dict[str, Any], via: str | None = None, prints: str | None = None
    ) -> None:
        self.data = data
        self.via = via
        self.prints = prints

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return (self.data, self.via, self.prints) == (other.data, other.via, other.prints)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Result({self.data!r}, via={self.via!r}, prints={self.prints!r})"


class ToScript(Protocol):
    """Anything with a script form of its own (`AgentOutput`, `ToolResult`)."""

    def to_script(self) -> Any:
        """The value scripts get instead: plain data, a `Result`, or a `ScriptObject`."""
        ...


class _Declares:
    """What globals and host objects have in common: a docstring and marked methods."""

    #: Method -> "set", "append" or "put": how a builder's setter collects (see `Builder`).
    builders: ClassVar[Mapping[str, Builder]] = {}

    @classmethod
    def script_methods(cls) -> dict[str, tuple[str, MethodMark]]:
        """Script name -> (Python attribute, mark), aliases included, in declaration order."""
        found: dict[str, tuple[str, MethodMark]] = {}
        for klass in reversed(cls.__mro__):
            for attribute, value in vars(klass).items():
                mark = getattr(value, MARK, None)
                if isinstance(mark, MethodMark):
                    _check_free(klass, attribute)
                    for name in (mark.name, *mark.aliases):
                        found[name] = (attribute, mark)
        return found


def _check_free(cls: type, attribute: str) -> None:
    """A method that takes the place of a declaration's own field would silently change it."""
    if any(
        hasattr(base, attribute) for base in (ScriptGlobal, ScriptObject) if issubclass(cls, base)
    ):
        raise TypeError(
            f"{cls.__name__}.{attribute}: this name belongs to declarations; write the function "
            f"as {attribute}_, scripts see it as {attribute}"
        )


class Builder(Record):
    """A guest-side collector: setters return it, `build()` calls the global's method `build`.

    One setter for every field of `config` (a `ScriptModel`), plus `extra`:
    setter name -> (operation, field), operations ``set`` (one value; true when called without),
    ``append`` (to a list), ``put`` (key, value into a map), ``flag:VALUE`` (sets VALUE).
    `finish` maps further setters that end the building to other methods (`register`).
    """

    build: str
    config: type | None = None
    extra: Mapping[str, tuple[str, str]] = key({}, "further setters")


class ScriptObject(_Declares):
    """A host object in a script's hands: methods cross to the host, fields are copies.

    Every object has `id`, `name`, `type` as fields and prints as ``type(name)``.
    """

    #: What scripts see as its type; also the key in the manifest.
    type_name: ClassVar[str] = "object"
    #: The method that a `for` loop calls for the next item; None ends the loop.
    iterate: ClassVar[str | None] = None

    def script_fields(self) -> dict[str, Any]:
        """The readable fields, `id` and `name` among them; sent once, with the handle."""
        return {}


class ScriptGlobal(_Declares):
    """One global of the scripts; made once a session, on its first host call.

    `ctx` is the session's ExecutionContext: what the script registers goes to its overlay.
    """

    name: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    #: The method that calling the global itself calls: ``Agent{...}``.
    call: ClassVar[str | None] = None
    #: The method that indexing with an unknown name calls: ``Tool["calculator"]`` gives an
    #: object of `index_type` at once, which knows its name and its methods.
    index_type: ClassVar[type[ScriptObject] | None] = None
    #: Types of the host objects that its methods give out.
    objects: ClassVar[tuple[type[ScriptObject], ...]] = ()
    #: "table": a table of methods. Other kinds (`args`, `stdin`) are made by the engine.
    kind: ClassVar[str] = "table"

    def __init__(self, ctx: ExecutionContext) -> None:
        self._session_ctx = ctx

    @property
    def ctx(self) -> ExecutionContext:
        """The context of the calling task: inside a callback, the run that calls back."""
        from llmspell_core.context import current

        found = current()
        if found is not None and found.overlay is self._session_ctx.overlay:
            return found
        return self._session_ctx

    @staticmethod
    def script_values(ctx: ExecutionContext) -> dict[str, Any]:
        """Readable fields of the global beside its methods; sent when the session starts."""
        return {}

    def index(self, name: str) -> ScriptObject:
        """The object behind ``Global["name"]``, for globals with an `index_type`."""
        raise KeyError(name)

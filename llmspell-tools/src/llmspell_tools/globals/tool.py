"""The script global `Tool` (= `Tools`): finds, runs, defines and combines tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn

from pydantic import Field

from llmspell_core.context import current
from llmspell_core.errors import LLMSpellError, ToolFailed, ToolRetry, ValidationError, error_data
from llmspell_core.script.api import Result, ScriptGlobal, ScriptObject, script_method
from llmspell_core.script.model import ScriptModel
from llmspell_core.tool import LEVELS, Tool, ToolResult
from llmspell_core.tool_cards import ToolCard, cards
from llmspell_tools.globals.script_tool import IndexedTool, ScriptTool
from llmspell_tools.script_tool import ToolConfig

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


class ToolFilter(ScriptModel):
    """Which tools to find."""

    category: str | None = Field(default=None, description="only tools of this category")
    query: str | None = Field(default=None, description="words that name or description have")
    max_security_level: Literal["safe", "restricted", "privileged"] | None = Field(
        default=None, description="no tools above this level"
    )


class ToolGlobal(ScriptGlobal):
    """Finds, runs, defines and combines tools. Names are kebab-case; `_` and `-` are the same."""

    name: ClassVar[str] = "Tool"
    aliases: ClassVar[tuple[str, ...]] = ("Tools",)
    index_type: ClassVar[type[ScriptObject] | None] = ScriptTool
    objects: ClassVar[tuple[type[ScriptObject], ...]] = (ScriptTool,)

    def index(self, name: str) -> ScriptObject:
        # Checked now, so that a misspelt name is an error where it is written.
        self.ctx.overlay.tools.get(name)
        return IndexedTool(name, self.ctx)

    # -- running -----------------------------------------------------------------------------

    @script_method(aliases=("invoke",))
    async def execute(self, name: Any, params: dict[str, Any] | None = None) -> ToolResult:
        """Run a tool; a failure is thrown.

        Args:
            name: its name, or a tool object
            params: its parameters by name
        """
        return await self._find(name).call(params, self._context())

    @script_method
    async def try_(self, name: Any, params: dict[str, Any] | None = None) -> ToolResult:
        """Run a tool and never throw: a failed result has `success = false` and `error`.

        Args:
            name: its name, or a tool object
            params: its parameters by name
        """
        try:
            return await self._find(name).call(params, self._context())
        except LLMSpellError as error:
            label = name if isinstance(name, str) else getattr(name, "name", "tool")
            metadata = {"tool": label}
            return ToolResult(success=False, error=error_data(error), metadata=metadata)

    # -- finding -----------------------------------------------------------------------------

    @script_method
    def get(self, name: str) -> ScriptTool:
        """A tool by name or alias.

        Args:
            name: kebab-case; `_` and `-` are the same
        """
        return ScriptTool(self.ctx.overlay.tools.get(name), self.ctx)

    @script_method
    def exists(self, name: str) -> bool:
        """Whether there is a tool of this name.

        Args:
            name: a name or alias
        """
        return self.ctx.overlay.tools.has(name)

    @script_method
    def list_(self, category: str | None = None) -> list[Result]:
        """All tools by name: name, description, category, version, security_level.

        Args:
            category: only tools of this category
        """
        return [_row(tool) for tool in self._all() if category in (None, tool.category)]

    @script_method
    def search(self, query: str) -> list[Result]:
        """The tools that have all words of a text in name, category or description.

        Args:
            query: words
        """
        return [_row(tool) for tool in self._all() if _matches(tool, query)]

    @script_method
    def categories(self) -> list[str]:
        """The categories there are, sorted."""
        return sorted({tool.category for tool in self._all()})

    @script_method
    def discover(self, filter: ToolFilter | None = None) -> list[Result]:
        """The tools that fit, as of `list`.

        Args:
            filter: {category, query, max_security_level}
        """
        wanted = filter or ToolFilter()
        most = LEVELS.index(wanted.max_security_level or "privileged")
        return [
            _row(tool)
            for tool in self._all()
            if wanted.category in (None, tool.category)
            and LEVELS.index(tool.security_level) <= most
            and _matches(tool, wanted.query or "")
        ]

    @script_method
    def schema(self, name: Any) -> dict[str, Any]:
        """The JSON schema of a tool's parameters.

        Args:
            name: its name, or a tool object
        """
        return self._find(name).schema()

    # -- defining ----------------------------------------------------------------------------

    @script_method
    def create(self, cfg: ToolConfig) -> ScriptTool:
        """Define a tool and register it for this run; one of the script's own is replaced.

        Args:
            cfg: {name, description, parameters, execute = fn, ...}
        """
        from llmspell_tools.script_tool import DefinedTool

        return self._registered(DefinedTool(cfg))

    @script_method
    def register(self, tool: Any) -> ScriptTool:
        """Make a tool known by its name for this run.

        Args:
            tool: a tool object (of `pipe`, `from_template`, ...), or a table as of `create`
        """
        from llmspell_tools.factory import defined

        return self._registered(defined(tool) if isinstance(tool, dict) else self._find(tool))

    @script_method
    def unregister(self, name: str) -> bool:
        """Forget a tool of the script; whether it was there. Built-in tools stay.

        Args:
            name: its name
        """
        return self.ctx.overlay.tools.remove(name)

    @script_method
    def from_template(self, kind: str, cfg: dict[str, Any]) -> ScriptTool:
        """A tool from a description; `register` makes it known by its name.

        Args:
            kind: http_api, file_processor, command or llm
            cfg: {name, description, parameters, ...} and the fields of the kind
        """
        from llmspell_tools.kinds import from_template

        return ScriptTool(from_template(kind, cfg), self.ctx)

    # -- combining ---------------------------------------------------------------------------

    @script_method
    def pipe(self, steps: Any) -> ScriptTool:
        """A tool that runs its steps in order; the output of each is the `input` of the next.

        Args:
            steps: names, tool objects, {tool, params} or functions; or {name, steps}
        """
        from llmspell_tools.compose import pipe

        return ScriptTool(pipe(steps, self._context()), self.ctx)

    @script_method
    def parallel(self, steps: Any) -> ScriptTool:
        """A tool that runs its steps at once and gives a map of their results.

        Args:
            steps: a list or a map of names, tool objects, {tool, params} or functions
        """
        from llmspell_tools.compose import parallel

        return ScriptTool(parallel(steps, self._context()), self.ctx)

    # -- inside of a tool --------------------------------------------------------------------

    @script_method
    def retry(self, message: str) -> NoReturn:
        """Inside of a tool: ask whoever called, a model mostly, to call again otherwise.

        Args:
            message: what is wrong with the parameters
        """
        raise ToolRetry(message)

    @script_method
    def failed(self, message: str) -> NoReturn:
        """Inside of a tool: end this call as failed; the run goes on.

        Args:
            message: why
        """
        raise ToolFailed(message)

    # -- helpers -----------------------------------------------------------------------------

    def _context(self) -> ExecutionContext:
        # Inside a callback of a tool or a step the run it belongs to, with its account.
        return current() or self.ctx

    def _find(self, given: Any) -> Tool:
        from llmspell_tools.compose import find_tool

        return find_tool(given, self.ctx)

    def _registered(self, tool: Tool) -> ScriptTool:
        if not tool.name:
            raise ValidationError("a tool needs a name")
        self.ctx.overlay.tools.register(
            tool.name, tool, aliases=tool.aliases, source="script", replace=True
        )
        return ScriptTool(tool, self.ctx)

    def _all(self) -> list[ToolCard | Tool]:
        return [one for one, _ in cards(self.ctx.overlay.tools)]


def _row(tool: ToolCard | Tool) -> Result:
    return Result(
        {
            "name": tool.name,
            "description": tool.description,
            "category": tool.category,
            "version": tool.version,
            "security_level": tool.security_level,
        },
        prints="name",
    )


def _matches(tool: ToolCard | Tool, query: str) -> bool:
    text = " ".join((tool.name, *tool.aliases, tool.category, tool.description)).lower()
    return all(word in text for word in query.lower().split())

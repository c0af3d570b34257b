"""`Partner`: who answers in a chat: an agent, in a session, and how a line is put to it."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from llmspell_cli.chat.attachments import missing_files, named_files, with_attachments
from llmspell_cli.chat.display import Display
from llmspell_core.errors import NotFoundError, PolicyError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_core.agent import Agent
    from llmspell_core.messages import AgentOutput, StreamChunk
    from llmspell_core.runtime import Runtime
    from llmspell_core.sessions import SessionInfo

SCOPE = "chat"
DEFAULT = "chat"
#: What small models on this machine do well with: no tools, and answers that end.
_LOCAL = {
    "system_prompt": "You are a helpful assistant. Answer briefly.",
    "temperature": 0.2,
    "max_tokens": 400,
}


class Partner:
    """The agent and the session of a chat; both can be changed between two lines."""

    def __init__(self, runtime: Runtime, agent: str | None, model: str | None) -> None:
        self._runtime = runtime
        self._ctx = runtime.context(overlay=runtime.base.child(), state_scope=SCOPE)
        self._chosen = agent
        self.model = model
        self.session: SessionInfo | None = None
        self._made: Agent | None = None
        self.last: AgentOutput | None = None

    async def begin(self, session: str | None, *, latest: bool) -> None:
        """Open the session: one by its id, the latest, or a new one. Raises `session.*`."""
        sessions = self._runtime.sessions
        if latest:
            found = await sessions.list(self._ctx, status="active", limit=1)
            if not found:
                raise NotFoundError(
                    "there is no chat to continue",
                    code="session.not_found",
                    hint="llmspell chat begins one",
                )
            session = found[0].id
        if session is not None:
            await self._check(session, new=True)
            self._ctx = self._ctx.child(session_id=session)
            self.session = await sessions.open(session, self._ctx)
            known = self.session.metadata
            self._chosen = self._chosen or known.get("agent")
            self.model = self.model or known.get("model")
        await self.agent()
        await self._note_choice()

    async def agent(self) -> Agent:
        """Who answers, made when asked for. Raises `agent.*`, `provider.*`."""
        if self._made is None:
            self._made = await self._make()
            prepare = getattr(self._made, "prepare", None)
            if prepare is not None:
                await prepare(self._ctx)
        return self._made

    async def choose(self, *, agent: str | None = None, model: str | None = None) -> None:
        """Let another agent, or another model, answer from now on."""
        before = self._chosen, self.model, self._made
        self._chosen, self.model = agent or self._chosen, model or self.model
        self._made = None
        try:
            await self.agent()
        except BaseException:
            self._chosen, self.model, self._made = before
            raise
        await self._note_choice()

    async def say(self, line: str, display: Display, data: str = "") -> AgentOutput | None:
        """Put a line to the agent and show the answer as it comes.

        `data` follows the line, as it is: who wrote it has no say in which files are read.
        """
        agent = await self.agent()
        ctx = self._ctx
        # A person has named them: they are readable wherever they are, but for what none may read.
        named = [str(Path(name).expanduser().absolute()) for name in named_files(line)]
        if named:
            ctx = ctx.child(policy=ctx.policy.bound(readable=named))
        for name in missing_files(line):
            display.note(f"@{name} is no file: it is sent as it stands")
        given = await with_attachments(line, ctx)
        given["text"] = "\n\n".join(part for part in (given["text"], data) if part)
        if self.session is None:
            await self.new()
        given["session"] = self.session.id if self.session else None
        self.last = None
        source = cast("AsyncGenerator[StreamChunk, None]", agent.stream(given, ctx))
        async with aclosing(source) as chunks:
            async for chunk in chunks:
                display.show(chunk)
                self.last = chunk.output or self.last
        return self.last

    async def _check(self, session: str, *, new: bool = False) -> None:
        """Raises `session.not_found`, and `policy.session` for one that is no chat."""
        try:
            await self._runtime.sessions.get(session, self._ctx)
        except NotFoundError:
            if not new:
                raise
        except PolicyError:
            raise PolicyError(
                f'the session "{session}" belongs to a script, which would see the chat',
                code="policy.session",
                hint="name another id; /sessions lists the chats",
            ) from None

    async def new(self) -> SessionInfo:
        """Begin a new session."""
        self._ctx.__dict__.pop("session_id", None)
        self.session = await self._runtime.sessions.create(self._ctx, metadata=self._choice())
        return self.session

    def _choice(self) -> dict[str, Any]:
        chosen = {"agent": self._chosen, "model": self.model}
        return {name: value for name, value in chosen.items() if value}

    async def _note_choice(self) -> None:
        """Write into the session who answers, for whoever continues it."""
        session = self.session
        changed = {**session.metadata, **self._choice()} if session is not None else {}
        if session is not None and changed != session.metadata:
            sessions = self._runtime.sessions
            self.session = await sessions.change(session.id, self._ctx, metadata=changed)

    async def switch(self, session: str) -> SessionInfo:
        """Go on in another session."""
        await self._check(session)
        self._ctx = ctx = self._ctx.child(session_id=session)
        self.session = await self._runtime.sessions.open(session, ctx)
        return self.session

    async def sessions(self, limit: int = 20) -> list[SessionInfo]:
        """The chats that can be continued, the latest first."""
        return await self._runtime.sessions.list(self._ctx, status="active", limit=limit)

    async def history(self) -> list[Any]:
        """The messages of the session so far."""
        talks = getattr(await self.agent(), "talks", None)
        if self.session is None or talks is None:
            return []
        found: list[Any] = await talks.history(self.session.id, self._ctx)
        return found

    @property
    def model_name(self) -> str:
        """The model that answers, as far as that is known before a request."""
        config = getattr(self._made, "config", None)
        chosen = getattr(getattr(config, "model", None), "id", None)
        return str(chosen or self.model or self._runtime.settings.default.model)

    async def _make(self) -> Agent:
        name, ctx = self._chosen or DEFAULT, self._ctx
        changes: dict[str, Any] = {"model": self.model} if self.model else {}
        if self._chosen is None and self._is_local():
            made = await ctx.create("agent", {**_LOCAL, **changes, "name": DEFAULT})
        else:
            registered = not Path(name).is_file() and not ctx.overlay.templates.has(name)
            if registered and not changes:
                return ctx.overlay.agents.get(name)
            template = await ctx.create("agent_template", name)
            made = await ctx.create("agent", {"name": template.name, "extends": name, **changes})
        return cast("Agent", made)

    def _is_local(self) -> bool:
        return self._runtime.resolve_model(self.model).provider.name == "local"

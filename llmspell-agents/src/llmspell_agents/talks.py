"""`Talks`: the conversations of one agent: its own in each run, by context, and by session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from llmspell_agents.conversation import Conversation
from llmspell_agents.session_talk import SessionTalk
from llmspell_core.context import current
from llmspell_core.messages import AgentInput

if TYPE_CHECKING:
    from llmspell_agents.conversation import Talk
    from llmspell_core.context import ExecutionContext
    from llmspell_core.messages import Message
    from llmspell_core.overlay import Overlay
    from llmspell_core.sessions import SessionLog

#: The conversation that belongs to the agent itself; others are named by their context.
OWN = ""
#: How agents without a name are called in sessions, where their made-up ones would be lost.
NAMELESS = "agent"


class OwnTurn(AgentInput):
    """An input that is a turn of the current session, else of the agent's own conversation."""


class Talks:
    """Finds the conversation that an input belongs to.

    A built-in or configured agent is one object for all runs of a process: what was said in one
    run is never shown in another, unless both name the same session.
    """

    def __init__(self, key: str | None) -> None:
        self._key = key or NAMELESS
        self._python: dict[str, Conversation] = {}
        self._runs: WeakKeyDictionary[Overlay, dict[str, Conversation]] = WeakKeyDictionary()
        self._sessions: WeakKeyDictionary[SessionLog, SessionTalk] = WeakKeyDictionary()

    def find(self, input: AgentInput, ctx: ExecutionContext) -> Talk | None:
        """The conversation that an input names, if it does."""
        session, chats = input.session, isinstance(input, OwnTurn)
        if session or (chats and ctx.session_id):
            return self.in_session(session or str(ctx.session_id), ctx)
        if chats:
            return self._of_run(ctx).setdefault(OWN, Conversation())
        if isinstance(input.context, str) and input.context:
            return self._of_run(ctx).setdefault(input.context, Conversation())
        return None

    def in_session(self, id: str, ctx: ExecutionContext) -> SessionTalk:
        """The conversation in a session."""
        session = ctx.runtime.sessions.log(id)
        found = self._sessions.get(session)
        if found is None:
            found = self._sessions[session] = SessionTalk(session, self._key)
        return found

    def own(self, ctx: ExecutionContext | None = None) -> Conversation | None:
        """The agent's own conversation in the present run, if anything was said."""
        return self._of_run(ctx).get(OWN)

    def replace(self, messages: list[Message], ctx: ExecutionContext) -> None:
        """Set what was said in the agent's own conversation."""
        made = self._of_run(ctx)[OWN] = Conversation()
        made.messages = [*messages]

    def drop(self, context: str = OWN, ctx: ExecutionContext | None = None) -> None:
        """Forget the agent's own conversation, or that of a context."""
        self._of_run(ctx).pop(context, None)

    async def history(self, session: str | None, ctx: ExecutionContext) -> list[Message]:
        """What was said: in a session, by default the current one, else in the own conversation."""
        wanted = session or ctx.session_id
        if not wanted:
            own = self.own(ctx)
            return [*own.messages] if own else []
        sessions = ctx.runtime.sessions
        await sessions.get(wanted, ctx)
        log = sessions.log(wanted)
        await log.refresh()
        return self.in_session(wanted, ctx).messages(log)

    async def reset(self, session: str | None, ctx: ExecutionContext) -> None:
        """Forget what was said there; a session keeps its records."""
        wanted = session or ctx.session_id
        if wanted:
            await self.in_session(wanted, ctx).reset(ctx)
        else:
            self.drop(ctx=ctx)

    def _of_run(self, ctx: ExecutionContext | None) -> dict[str, Conversation]:
        found = ctx or current()
        if found is None or found.overlay.parent is None:
            return self._python
        return self._runs.setdefault(found.overlay, {})

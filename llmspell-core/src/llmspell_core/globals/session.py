"""The script global `Session`: conversations that outlive a run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from llmspell_core.errors import ValidationError
from llmspell_core.messages import session_id
from llmspell_core.script.api import Result, ScriptGlobal, script_method
from llmspell_core.script.model import ScriptModel
from llmspell_core.sessions import SessionInfo


class SessionFields(ScriptModel):
    """What a session is called and marked with."""

    name: str = Field("", description="how people find it")
    description: str = ""
    tags: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict, description="data of your own")
    shared: bool = Field(
        False, description="whether other scripts may use it, where the profile lets them"
    )


class SessionConfig(SessionFields):
    """A session about to be made."""

    id: str | None = Field(None, description="made up when left out")


class SessionFilter(ScriptModel):
    """Which sessions are listed."""

    status: Literal["active", "completed"] | None = None
    tag: str | None = None
    limit: int | None = Field(None, ge=1)


class SessionGlobal(ScriptGlobal):
    """Conversations that are kept in the state store, one run at a time in each.

    A session is `{id, name, description, tags, metadata, shared, status, title, turns,
    created_at, updated_at}`, and goes wherever its id goes: `agent:execute{text = "...",
    session = s}`. With a current session, `agent:chat` is a turn of it.
    """

    name = "Session"

    @script_method
    async def create(self, config: SessionConfig | None = None) -> Any:
        """Make a session.

        Args:
            config: {id, name, description, tags, metadata, shared}
        """
        given = config or SessionConfig.model_validate({})
        return _shown(await self.ctx.runtime.sessions.create(self.ctx, **dict(given)))

    @script_method
    async def get(self, session: Any) -> Any:
        """A session as it is now; an unknown one is `session.not_found`.

        Args:
            session: its id, or the session
        """
        return _shown(await self.ctx.runtime.sessions.get(_id(session), self.ctx))

    @script_method
    async def list_(self, filter: SessionFilter | None = None) -> list[Any]:
        """The sessions that this script may use, the one used last first.

        Args:
            filter: {status = "active" | "completed", tag, limit}
        """
        given = dict(filter) if filter else {}
        return [_shown(one) for one in await self.ctx.runtime.sessions.list(self.ctx, **given)]

    @script_method
    async def save(self, session: Any = None, fields: SessionFields | None = None) -> Any:
        """Change what a session is called and marked with, and make all of it durable.

        What is said in a session is written at each step, without this.

        Args:
            session: its id, or the session; the current one when left out
            fields: {name, description, tags, metadata, shared}: those to change
        """
        sessions = self.ctx.runtime.sessions
        changes = {one: getattr(fields, one) for one in fields.model_fields_set} if fields else {}
        found = await sessions.change(self._or_current(session), self.ctx, **changes)
        await self.ctx.runtime.store().flush()
        return _shown(found)

    @script_method
    async def load(self, session: Any) -> Any:
        """A session with its `records`, oldest first.

        A record is {at, kind, agent, turn, status, messages}: kind `step`, `end` (of a turn, with
        its status) or `reset`.

        Args:
            session: its id, or the session
        """
        sessions = self.ctx.runtime.sessions
        found = await sessions.get(_id(session), self.ctx)
        records = [{**one} for one in await sessions.log(found.id).refresh()]
        return Result({**found.to_script(), "records": records}, prints="id")

    @script_method
    async def complete(self, session: Any = None) -> Any:
        """Say that a session is over: nothing more can be said in it.

        Args:
            session: its id, or the session; the current one when left out
        """
        found = self._or_current(session)
        done = await self.ctx.runtime.sessions.complete(found, self.ctx)
        if self.ctx.overlay.session == found:
            self.ctx.overlay.session = None
        return _shown(done)

    @script_method
    async def delete(self, session: Any) -> bool:
        """Delete a session with all that was said and kept in it; whether it was there.

        Args:
            session: its id, or the session
        """
        return await self.ctx.runtime.sessions.delete(_id(session), self.ctx)

    @script_method
    async def get_current(self) -> Any:
        """The session that `agent:chat` belongs to, or nil."""
        current = self.ctx.session_id
        return _shown(await self.ctx.runtime.sessions.get(current, self.ctx)) if current else None

    @script_method
    async def set_current(self, session: Any = None) -> Any:
        """From now on in this run, `agent:chat` is a turn of this session; nil ends that.

        The state scope `session` is that of the current session. An unknown id makes a session.

        Args:
            session: its id, or the session
        """
        if session is None:
            self.ctx.overlay.session = None
            return None
        found = await self.ctx.runtime.sessions.open(_id(session), self.ctx)
        self.ctx.overlay.session = found.id
        return _shown(found)

    def _or_current(self, session: Any) -> str:
        if session is None and self.ctx.session_id:
            return self.ctx.session_id
        return _id(session)


def _id(session: Any) -> str:
    found = session_id(session)
    if isinstance(found, str) and found:
        return found
    raise ValidationError(
        "a session, or its id, is expected",
        hint="Session.create{} makes one, Session.set_current(id) chooses one",
    )


def _shown(info: SessionInfo) -> Result:
    return Result(info.to_script(), prints="id")

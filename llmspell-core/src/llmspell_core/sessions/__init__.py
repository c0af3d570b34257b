"""Sessions: conversations that outlive the process, one run at a time in each."""

from llmspell_core.sessions.info import SessionInfo
from llmspell_core.sessions.log import Record, SessionLog
from llmspell_core.sessions.sessions import Sessions

__all__ = ["Record", "SessionInfo", "SessionLog", "Sessions"]

"""State: JSON values by key, in scopes, in a store that outlives the run."""

from llmspell_core.state.scopes import scope_for
from llmspell_core.state.store import DELETE, KEEP, MISSING, Change, StateStore
from llmspell_core.state.transaction import Transaction
from llmspell_core.state.view import StateView

__all__ = [
    "DELETE",
    "KEEP",
    "MISSING",
    "Change",
    "StateStore",
    "StateView",
    "Transaction",
    "scope_for",
]

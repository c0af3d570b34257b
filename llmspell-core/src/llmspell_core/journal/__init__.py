"""The journal: what a run has done so far, written down step by step, so that it can go on.

Only runs that ask for it are journaled; `journal.py` has the protocol and the kinds of records.
"""

from llmspell_core.journal.journal import Journal, RunSummary
from llmspell_core.journal.record import KINDS, VERSION, JournalRecord, Kind

__all__ = ["KINDS", "VERSION", "Journal", "JournalRecord", "Kind", "RunSummary"]

"""Small frozen classes of named values (`Record`) and the declaration of one value (`key`)."""

from llmspell_core.records.record import Key, Record, key

__all__ = ["Key", "Record", "key"]

"""Recorded answers of models, embeddings and tools, and how they are played again."""

from llmspell_core.cassette.cassette import MODES, Cassette, Mode

__all__ = ["MODES", "Cassette", "Mode"]

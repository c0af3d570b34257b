"""The modern JavaScript engine of llmspell."""

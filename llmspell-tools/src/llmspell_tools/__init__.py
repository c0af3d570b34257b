"""The built-in tools of llmspell."""

"""The Lua engine of llmspell."""

"""LLM agents and the OpenAI-compatible provider of llmspell."""

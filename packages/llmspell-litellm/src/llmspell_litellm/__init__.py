"""The model services that litellm knows, as a provider of llmspell."""

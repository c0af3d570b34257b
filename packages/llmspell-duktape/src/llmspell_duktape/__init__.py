"""The ES5.1 JavaScript engine of llmspell."""

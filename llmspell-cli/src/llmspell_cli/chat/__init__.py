"""A conversation in the terminal: `llmspell chat`."""

"""The script runtime of llmspell: engines, workers, value conversion."""

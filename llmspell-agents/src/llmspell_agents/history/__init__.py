"""The history that a model is shown: made sendable, and made to fit its window."""

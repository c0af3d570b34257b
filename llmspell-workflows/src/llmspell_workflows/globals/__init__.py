"""The script globals that workflows own."""

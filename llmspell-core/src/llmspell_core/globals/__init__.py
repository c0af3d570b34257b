"""The script globals that core owns, one file each."""

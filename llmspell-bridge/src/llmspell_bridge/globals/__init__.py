"""The script globals that the bridge owns, and the host's end of the engines' own needs."""

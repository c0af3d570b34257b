"""The script global that this distribution adds."""

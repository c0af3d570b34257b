"""Configuration: the model of every key, where values come from, and whom they are taken from."""

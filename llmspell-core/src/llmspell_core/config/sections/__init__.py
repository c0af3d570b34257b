"""The sections of the settings, one small module a topic: a start imports those it uses."""

"""Tools that reach other services: mail, chat, code, databases."""

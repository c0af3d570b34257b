"""Script LLM agents, tools and workflows in Lua."""

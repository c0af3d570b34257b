"""The built-in hooks, one file each; `llmspell_core.hooks.builtins` finds them by name."""

"""Language models that run inside the llmspell process, on llama.cpp."""

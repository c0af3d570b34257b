"""`[default]`: what holds where a script, agent or call says nothing."""

from __future__ import annotations

from llmspell_core.config.sections.base import Section, key


class Default(Section):
    """What holds where a script, agent or call says nothing."""

    model: str = key("local/smollm2-135m", "the model, as provider/model or an alias")
    embedding_model: str = key("", "the model of embeddings; empty: the default provider's own")
    timeout_ms: int = key(120_000, "of a model request", unit="ms", least=1)
    max_cost_usd: float = key(0.0, "of a run; 0: no limit", unit="USD", least=0)

"""`[providers]`, `[models]` and `[prices]`: which models, where, at what cost."""

from __future__ import annotations

from llmspell_core.config.sections.base import OpenSection, Section, key


class Provider(OpenSection):
    """A model service. Keys beside these are the provider's own."""

    type: str = key("", "openai, litellm, local or a plugin's; empty: as the table is named")
    base_url: str = key("", "where the service answers; empty: the type's own address")
    api_key: str = key("", "else the secret of the provider's name", secret=True)
    models: list[str] = key([], "offered by `llmspell models list`")
    max_retries: int = key(3, "after a failure that may pass", unit="retries", least=0)
    requests_per_minute: int = key(0, "0: no limit", unit="requests", least=0)
    tokens_per_minute: int = key(0, "0: no limit", unit="tokens", least=0)
    headers: dict[str, str] = key({}, "sent with every request", secret=True)


class ModelAlias(OpenSection):
    """A name for a model with its options, usable wherever a model is named."""

    model: str = key("", "the model, as provider/model or another alias")
    temperature: float | None = key(None, "0: always the likeliest word", least=0)
    max_tokens: int | None = key(None, "of an answer", unit="tokens", least=1)
    fallback: list[str] = key([], "models to ask when this one fails, in order")


class Price(Section):
    """What a model costs, over the shipped table and what providers know."""

    input: float = key(0.0, "of what is sent", unit="USD per million tokens", least=0)
    output: float = key(0.0, "of what is answered", unit="USD per million tokens", least=0)
    cached_input: float | None = key(
        None,
        "of what is sent and was cached; empty: as input",
        unit="USD per million tokens",
        least=0,
    )
    cache_write: float | None = key(
        None,
        "of what is sent and the service caches; empty: as input",
        unit="USD per million tokens",
        least=0,
    )

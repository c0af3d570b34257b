"""The services known by name: where each one is, and which variable holds its key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """An OpenAI-compatible service. `program` is what must run for a local one to answer."""

    base_url: str
    key_variable: str = ""
    program: str = ""
    default_model: str = ""
    default_embedding_model: str = ""
    #: It takes `response_format = {type = "json_schema"}`.
    structured_output: bool = True
    #: It takes `stream_options`; the others send the usage unasked, or refuse the field.
    stream_options: bool = True
    #: The field that bounds the answer's length.
    max_tokens_field: str = "max_tokens"
    #: It takes `reasoning = {effort | max_tokens}` instead of `reasoning_effort`.
    nested_reasoning: bool = False
    #: The field of a JSON schema that answers are decoded under; "" when it has none.
    grammar_field: str = ""

    #: Kinds of parts that its models take, as fields of Capabilities; of a kind in `parts_of`
    #: only models with one of these words in their name.
    parts: tuple[str, ...] = ("vision", "audio", "files")
    parts_of: tuple[tuple[str, str], ...] = ()
    #: It fetches images by their address.
    urls: bool = False

    def takes(self, model: str) -> dict[str, bool]:
        """The kinds of parts that a model takes, as far as its name tells."""
        words = dict(self.parts_of)
        found = {kind: words.get(kind, "") in model for kind in self.parts}
        return {**dict.fromkeys(("vision", "audio", "files"), False), **found, "urls": self.urls}

    @property
    def needs_key(self) -> bool:
        """Whether no request can succeed without a key."""
        return bool(self.key_variable)


PRESETS: dict[str, Preset] = {
    "openai": Preset(
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        default_model="gpt-4o-mini",
        default_embedding_model="text-embedding-3-small",
        max_tokens_field="max_completion_tokens",
        parts_of=(("audio", "audio"),),
        urls=True,
    ),
    "ollama": Preset("http://127.0.0.1:11434/v1", program="ollama", parts=("vision",)),
    "lmstudio": Preset("http://127.0.0.1:1234/v1", program="LM Studio", parts=("vision",)),
    "llamacpp": Preset(
        "http://127.0.0.1:8080/v1",
        program="llama-server",
        grammar_field="json_schema",
        parts=("vision", "audio"),
    ),
    "openrouter": Preset(
        "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", nested_reasoning=True, urls=True
    ),
    "groq": Preset(
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        structured_output=False,
        parts=("vision",),
        urls=True,
    ),
    "mistral": Preset(
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        default_embedding_model="mistral-embed",
        parts=("vision", "audio"),
        parts_of=(("audio", "voxtral"),),
        urls=True,
        stream_options=False,
    ),
    "deepseek": Preset(
        "https://api.deepseek.com/v1",
        "DEEPSEEK_API_KEY",
        default_model="deepseek-chat",
        parts=(),
        structured_output=False,
    ),
}

#: Any other service of the type `openai`: nothing is known but its address.
UNKNOWN = Preset("")


def preset_for(name: str, kind: str, base_url: str) -> Preset:
    """What is known about a provider: by its type, by its name, or nothing.

    A service that merely speaks the protocol at another address has none of the named one's
    rules: no key is demanded from it.
    """
    found = PRESETS.get(name) or PRESETS.get(kind) or UNKNOWN
    if base_url and base_url.rstrip("/") != found.base_url:
        return UNKNOWN
    return found

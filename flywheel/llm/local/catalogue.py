"""The base models this provider offers: what they learn with, and what a token costs."""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """Name the kind of learner behind a model; two families make different mistakes."""

    LINEAR = "linear"
    NGRAM = "ngram"
    NEIGHBOUR = "neighbour"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """Describe a model that exists before any training; prices are USD per million tokens."""

    model_id: str
    family: Family
    price_in_usd: float
    price_out_usd: float


CREATED_AT = 1_767_225_600  # 2026-01-01T00:00:00Z: a base model has no other birthday
DEFAULT_SUFFIX = "flywheel"

# Simulated prices in the proportions of public price lists: a small hosted chat model costs 0.15/0.60,
# a large one 2.50/10.00 and a small embedding model 0.02 (platform.openai.com/docs/pricing).
_BASES = (
    BaseModel("wheel-small", Family.LINEAR, 0.15, 0.60),
    BaseModel("wheel-large", Family.NGRAM, 2.50, 10.00),
    BaseModel("wheel-neighbour", Family.NEIGHBOUR, 0.50, 1.50),
    BaseModel("wheel-embed", Family.EMBEDDING, 0.02, 0.0),
)
BASES = {base.model_id: base for base in _BASES}
EMBEDDING_MODEL = "wheel-embed"


def model_entry(base: BaseModel, model_id: str, created: int, lineage: tuple[str, ...]) -> dict[str, object]:
    """Build a model's entry for /v1/models; `lineage` runs from its parent back to the base."""
    return {
        "id": model_id,
        "object": "model",
        "created": created,
        "owned_by": "flywheel-local",
        "family": base.family.value,
        "price_in_usd_per_million": base.price_in_usd,
        "price_out_usd_per_million": base.price_out_usd,
        "base": base.model_id,
        "lineage": list(lineage),
    }

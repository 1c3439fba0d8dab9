"""Ask candidate and production the same questions, and grade both by the same rule."""

from dataclasses import dataclass

import polars as pl

from flywheel.core.examples import read_messages
from flywheel.llm.client import Ask, Provider
from flywheel.text.normalise import normalise


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two models to compare."""

    candidate: str
    production: str


def compare(provider: Provider, pairing: Pairing, questions: pl.DataFrame) -> pl.DataFrame:
    """Return `questions` (set_name, example_id, mode_id, input, expected) with both models' answers and grades.

    Raises:
        ProviderBusy: the provider stayed away.

    """
    production = _answers(provider, pairing.production, questions)
    candidate = _answers(provider, pairing.candidate, questions)
    expected = questions["expected"].to_list()
    return questions.drop("input").with_columns(
        pl.lit(pairing.candidate).alias("candidate_model"),
        pl.lit(pairing.production).alias("production_model"),
        pl.Series("production_output", production, dtype=pl.String),
        pl.Series("candidate_output", candidate, dtype=pl.String),
        pl.Series(
            "production_right",
            [is_right(said, truth) for said, truth in zip(production, expected, strict=True)],
            dtype=pl.Boolean,
        ),
        pl.Series(
            "candidate_right",
            [is_right(said, truth) for said, truth in zip(candidate, expected, strict=True)],
            dtype=pl.Boolean,
        ),
    )


def is_right(said: str | None, truth: str) -> bool:
    """Whether an answer is the expected one, up to case, spacing and punctuation at its ends."""
    return said is not None and normalise(said) == normalise(truth)


def _answers(provider: Provider, model: str, questions: pl.DataFrame) -> list[str | None]:
    asks = [
        Ask(model, read_messages(text), "evaluate", example_id)
        for example_id, text in questions.select("example_id", "input").iter_rows()
    ]
    return [reply.content for reply in provider.ask_all(asks).replies]

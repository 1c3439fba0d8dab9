"""From a distribution over answers to one answer, and to the log probability of its every token."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from flywheel.llm.local.distribution import Distribution
from flywheel.llm.local.tokens import pieces


@dataclass(frozen=True, slots=True)
class Sampling:
    """Say how to choose: temperature 0 takes the best, `top_p` keeps the smallest set with that mass."""

    temperature: float
    top_p: float = 1.0


@dataclass(frozen=True, slots=True)
class TokenChance:
    """Hold a token with its natural-log probability, and the likeliest tokens in its place."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()


def choose(distribution: Distribution, sampling: Sampling, random: Random) -> int:
    """Return the place of one answer, drawn from p^(1/T) renormalised."""
    if sampling.temperature == 0 or len(distribution.answers) == 1:
        return distribution.best()
    reach = np.cumsum(_tempered(distribution.probabilities, sampling))
    return min(int(np.searchsorted(reach, random.random() * reach[-1], "right")), len(reach) - 1)


def _tempered(probabilities: NDArray[np.float64], sampling: Sampling) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", under="ignore"):
        logs = np.log(probabilities) / sampling.temperature
        weights: NDArray[np.float64] = np.exp(logs - logs.max())
    if sampling.top_p >= 1:
        return weights
    order = np.argsort(-weights, kind="stable")
    before = np.cumsum(weights[order]) - weights[order]
    weights[order[before >= sampling.top_p * weights.sum()]] = 0.0
    return weights


def token_chances(distribution: Distribution, chosen: int, top: int) -> Iterator[TokenChance]:
    """Walk the chosen answer token by token with the chain rule over all complete answers.

    P(token | prefix) = mass of the answers that go on with it / mass of the answers with this prefix.
    Ending is part of an answer's last token ("card" that ends and "card" that goes on are different
    tokens), so the log probabilities of an answer's tokens sum to the log probability of the answer.
    """
    live = [
        (pieces(answer), float(chance))
        for answer, chance in zip(distribution.answers, distribution.probabilities, strict=True)
        if chance > 0
    ]
    path = pieces(distribution.answers[chosen])
    for place, token in enumerate(path):
        mass: dict[tuple[str, bool], float] = {}
        for tokens, chance in live:
            key = (tokens[place], len(tokens) == place + 1)
            mass[key] = mass.get(key, 0.0) + chance
        taken = (token, len(path) == place + 1)
        log_total = math.log(sum(mass.values()))
        ranked = sorted(mass.items(), key=lambda entry: -entry[1])[:top]
        alternatives = tuple((option, math.log(share) - log_total) for (option, _), share in ranked)
        yield TokenChance(token, math.log(mass[taken]) - log_total, alternatives)
        live = [(tokens, p) for tokens, p in live if (tokens[place], len(tokens) == place + 1) == taken]

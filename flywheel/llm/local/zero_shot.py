"""What a base model answers before any training: the option that shares most with the question."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from flywheel.llm.local.catalogue import Family
from flywheel.llm.local.distribution import Distribution, certain, softmax
from flywheel.llm.local.messages import Message, instructions

UNKNOWN = "I do not know."

_BULLET = re.compile(r"^\s*- +(.+?)\s*$", re.MULTILINE)
_ONE_OF = re.compile(r"\bone of:\s*([^\n]+)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\.(?:\s|$)")
_JOINED_BY = re.compile(r"^(?:or|and)\s+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_SHARPNESS = 2.0  # shared rarity 1 higher counts e^2 as much: confident only when much is shared
_STEM = 4  # letters in a character gram of the n-gram family


@dataclass(frozen=True, slots=True)
class _Options:
    names: tuple[str, ...]
    grams: tuple[frozenset[str], ...]
    rarity: dict[str, float]


def zero_shot(messages: Sequence[Message], family: Family) -> Distribution:
    """Choose among the options a prompt lists; without options there is nothing to know."""
    question = next((message.content for message in reversed(messages) if message.role == "user"), "")
    options = _read_options(f"{instructions(messages)}\n{question}", family)
    if not options.names:
        return certain(UNKNOWN)
    asked = _grams(_ONE_OF.sub(" ", _BULLET.sub(" ", question)), family)
    scores = [_shared(asked, grams, options.rarity) for grams in options.grams]
    return Distribution(options.names, softmax(_SHARPNESS * np.array(scores)))


def _shared(asked: frozenset[str], grams: frozenset[str], rarity: dict[str, float]) -> float:
    return sum(rarity[gram] for gram in asked & grams) / math.sqrt(len(grams) or 1)


@lru_cache(maxsize=256)
def _read_options(prompt: str, family: Family) -> _Options:
    """Read `- option` lines and `one of: a, b` lists; `- name: description` is answered by its name."""
    listed = [(line.split(": ", 1)[0], line) for line in _BULLET.findall(prompt)]
    for line in _ONE_OF.findall(prompt):
        parts = (_JOINED_BY.sub("", part.strip()) for part in _SENTENCE_END.split(line)[0].split(","))
        listed += [(part.strip("\"'`"), part) for part in parts if part]
    described = {name: text for name, text in reversed(listed) if name}
    names = tuple(sorted(described))
    grams = tuple(_grams(described[name], family) for name in names)
    seen = Counter(gram for option in grams for gram in option)
    return _Options(names, grams, {gram: math.log(1 + len(names) / count) for gram, count in seen.items()})


def _grams(text: str, family: Family) -> frozenset[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    if family is not Family.NGRAM:
        return frozenset(words)
    starts = (word[i : i + _STEM] for word in words for i in range(max(1, len(word) - _STEM + 1)))
    return frozenset(words).union(starts)

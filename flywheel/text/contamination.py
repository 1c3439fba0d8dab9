"""Find benchmark instances in texts to train on: shared runs of words, verified word by word.

The rule of Tulu 3 (arXiv 2411.15124): an instance is contaminated when more than half of its words lie in 8-grams
that it shares with one training text. Beside it, an instance copied with a few words replaced (which breaks every
8-gram near them) is found by laying both texts side by side where they share a run of words. From a long instance a
quotation is enough: one shared 13-gram, as GPT-3 had it (arXiv 2005.14165, appendix C).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from flywheel.text.alignment import align
from flywheel.text.grams import GramIndex, gram_index, shared_grams
from flywheel.text.lookalikes import looking_alike
from flywheel.text.words import Words, batches, find_words

_FOUND = {
    "id": pl.String, "instance_id": pl.String, "reason": pl.String, "share": pl.Float64, "edited_share": pl.Float64,
    "span": pl.String, "word_count": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """When an instance counts as contaminated.

    `share` is Tulu 3's. `edited_share` is of words that both texts have in the same place: with 3 of 30 words
    replaced it is .9, of 12 words .75.
    """

    share: float = 0.5
    edited_share: float = 0.7
    words_per_gram: int = 8
    # Fewer words than this are an everyday phrase.
    fewest_words: int = 8
    # An instance shorter than this may have no 8-gram left when three words are replaced; shorter runs find it.
    short_words: int = 32
    words_per_short_gram: int = 4
    # Half of a long instance is pages; a quotation gives the answer away. GPT-3 used 13-grams.
    long_words: int = 300
    words_per_long_gram: int = 13


RULE = Rule()


def find_contamination(rows: pl.DataFrame, instances: pl.DataFrame, rule: Rule = RULE) -> pl.DataFrame:
    """Find which `instances` (id, text) of a benchmark are in which `rows` (id, text) to train on.

    Returns id, instance_id, reason (copied, edited, quoted), share, edited_share, span (the words of the row) and
    word_count (of the instance): one row per pair. The words that count were compared letter by letter, after
    normalising case, punctuation, spacing, accents and look-alike letters.
    """
    known = find_words(looking_alike(instances["text"].cast(pl.String)))
    indexes = _indexes(known, rule)
    names = instances.select(
        instance=pl.int_range(pl.len(), dtype=pl.Int64), instance_id=pl.col("id").cast(pl.String)
    )
    found = [pl.DataFrame(schema=_FOUND)]
    for batch, words in _read(rows):
        flagged = _flagged(_measured(words, known, indexes, rule), known, rule)
        spans = pl.Series("span", [_span(words, first, last) for first, last in _ends(flagged)], dtype=pl.String)
        named = flagged.with_columns(spans, id=batch["id"].cast(pl.String).gather(flagged["row"]))
        found.append(named.join(names, on="instance", how="left", maintain_order="left").select(list(_FOUND)))
    return pl.concat(found)


def too_short(instances: pl.DataFrame, rule: Rule = RULE) -> int:
    """Count the instances that have too few words to be looked for."""
    counts = find_words(looking_alike(instances["text"].cast(pl.String))).counts
    return int((counts < rule.fewest_words).sum())


def _read(rows: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, Words]]:
    texts = rows["text"].cast(pl.String)
    for block in batches(texts):
        yield rows[block], find_words(looking_alike(texts[block]))


def _indexes(known: Words, rule: Rule) -> list[GramIndex]:
    counts = known.counts
    is_short = (counts >= rule.fewest_words) & (counts < rule.short_words)
    is_long = counts >= rule.long_words
    is_usual = (counts >= rule.short_words) & ~is_long
    sizes = (rule.words_per_short_gram, rule.words_per_gram, rule.words_per_long_gram)
    chosen = zip((is_short, is_usual, is_long), sizes, strict=True)
    return [gram_index(known, which, size) for which, size in chosen if which.any()]


def _measured(words: Words, known: Words, indexes: list[GramIndex], rule: Rule) -> pl.DataFrame:
    shared = [shared_grams(words, index) for index in indexes]
    if not shared:
        return align(words, known, (known.offsets[:0], known.offsets[:0]), rule.words_per_gram)
    places, instance_places = (np.concatenate([pair[side] for pair in shared]) for side in (0, 1))
    return align(words, known, (places, instance_places), rule.words_per_gram)


def _flagged(measured: pl.DataFrame, known: Words, rule: Rule) -> pl.DataFrame:
    """Keep the pairs that break the rule, and say how."""
    is_long = pl.col("word_count") >= rule.long_words
    reason = (
        pl.when(is_long & (pl.col("longest") >= rule.words_per_long_gram))
        .then(pl.lit("quoted"))
        .when(~is_long & (pl.col("share") > rule.share))
        .then(pl.lit("copied"))
        .when(~is_long & (pl.col("edited_share") >= rule.edited_share))
        .then(pl.lit("edited"))
    )
    counts = pl.Series("word_count", known.counts[measured["instance"].to_numpy()], dtype=pl.Int64)
    return measured.with_columns(counts).with_columns(reason=reason).drop_nulls("reason")


def _ends(flagged: pl.DataFrame) -> Iterator[tuple[int, int]]:
    return flagged.select("first_word", "last_word").iter_rows()


def _span(words: Words, first: int, last: int) -> str:
    """Return the words from the first to the last as they were compared."""
    return " ".join(bytes(words.data[words.starts[first] : words.ends[last]]).decode().split())

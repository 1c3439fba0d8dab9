"""Lay texts side by side with instances they share a run of words with, and measure what is the same.

Where a text has word p + d for every word p of a stretch of an instance, both are said to agree on the diagonal d.
Replaced words leave the diagonal as it is, so both sides of them count; inserted ones move it, so several count.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from flywheel.text.grams import same_words
from flywheel.text.words import Positions, Words

Flags = npt.NDArray[np.bool_]

# Words laid side by side at a time: some 200 MB.
_WORDS_AT_ONCE = 2_000_000
# A single word in the same place may be an accident ("the"); two in a row less so.
_PAIR = 2


@dataclass(frozen=True, slots=True)
class _Side:
    """Diagonals of one batch, one after another, each as long as its instance."""

    diagonals: pl.DataFrame
    begins: Positions
    which: Positions
    row_places: Positions
    runs: Positions


def align(rows: Words, instances: Words, shared: tuple[Positions, Positions], gram: int) -> pl.DataFrame:
    """Measure each text and instance that share a gram, by the words that are really the same.

    Returns row, instance, share (of the instance's words, those in common runs of `gram` or more), edited_share (in
    common runs of two or more), longest (run), and the first and last word of the text's stretch.
    """
    batches = _batches(_diagonals(rows, instances, shared), instances)
    measured = [_measured(_laid(rows, instances, diagonals), instances, gram) for diagonals in batches]
    return pl.concat([pl.DataFrame(schema=_MEASURES), *measured])


_MEASURES = {
    "row": pl.Int64, "instance": pl.Int64, "share": pl.Float64, "edited_share": pl.Float64, "longest": pl.Int64,
    "first_word": pl.Int64, "last_word": pl.Int64,
}  # fmt: skip


def _diagonals(rows: Words, instances: Words, shared: tuple[Positions, Positions]) -> pl.DataFrame:
    places, instance_places = shared
    row = np.searchsorted(rows.offsets, places, side="right") - 1
    instance = np.searchsorted(instances.offsets, instance_places, side="right") - 1
    shift = (places - rows.offsets[row]) - (instance_places - instances.offsets[instance])
    found = pl.DataFrame({"row": row, "instance": instance, "shift": shift})
    return found.unique().sort("row", "instance", "shift")


def _batches(diagonals: pl.DataFrame, instances: Words) -> Iterator[pl.DataFrame]:
    """Cut between pairs of text and instance, so that all diagonals of a pair are in one batch."""
    lengths = instances.counts[diagonals["instance"].to_numpy()]
    batch = pl.Series("batch", np.cumsum(lengths) // _WORDS_AT_ONCE)
    pair = diagonals.with_columns(batch).with_columns(pl.col("batch").first().over("row", "instance"))
    edges = [*np.flatnonzero(np.diff(pair["batch"].to_numpy(), prepend=-1)).tolist(), diagonals.height]
    return (diagonals[first:last] for first, last in pairwise(edges))


def _laid(rows: Words, instances: Words, diagonals: pl.DataFrame) -> _Side:
    row, instance, shift = (diagonals[name].to_numpy() for name in ("row", "instance", "shift"))
    lengths = instances.counts[instance]
    begins = np.cumsum(lengths) - lengths
    which = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(which)) - begins[which]
    beside = place + shift[which]
    inside = (beside >= 0) & (beside < rows.counts[row][which])
    row_places = rows.offsets[row][which] + np.where(inside, beside, 0)
    instance_places = instances.offsets[instance][which] + place
    equal = inside & (rows.hashes[row_places] == instances.hashes[instance_places])
    equal[equal] = same_words(rows, row_places[equal], instances, instance_places[equal])
    return _Side(diagonals, begins, which, row_places, _runs(equal, begins))


def _runs(equal: Flags, begins: Positions) -> Positions:
    """Return for each word the length of the run of equal words it is in, 0 where it is not equal."""
    starts = equal.copy()
    starts[1:] &= ~equal[:-1]
    starts[begins] = equal[begins]
    run = np.cumsum(starts)
    lengths: Positions = np.bincount(run[equal], minlength=len(starts) + 1)[run] * equal
    return lengths


def _measured(side: _Side, instances: Words, gram: int) -> pl.DataFrame:
    pairs = side.diagonals.select("row", "instance").with_columns(pl.struct("row", "instance").rle_id().alias("pair"))
    pair = pairs["pair"].to_numpy().astype(np.int64)
    distinct = pairs.unique("pair", keep="first", maintain_order=True)
    lengths = instances.counts[distinct["instance"].to_numpy()]
    place = np.arange(len(side.which)) - side.begins[side.which] + (np.cumsum(lengths) - lengths)[pair[side.which]]
    shares = [_covered(side.runs >= size, place, lengths) for size in (gram, _PAIR)]
    stretch = _stretches(side).with_columns(pair=pairs["pair"]).sort("pair", "agreed", descending=[False, True])
    best = stretch.unique("pair", keep="first", maintain_order=True).select("longest", "first_word", "last_word")
    measured = distinct.select("row", "instance").with_columns(
        pl.Series("share", shares[0]), pl.Series("edited_share", shares[1])
    )
    return measured.hstack(best).select(pl.col(name).cast(kind) for name, kind in _MEASURES.items())


def _covered(is_common: Flags, place: Positions, lengths: Positions) -> npt.NDArray[np.float64]:
    """Return the share of each instance's words that are common on any diagonal."""
    covered = np.zeros(int(lengths.sum()), np.int64)
    covered[place[is_common]] = 1
    share: npt.NDArray[np.float64] = np.add.reduceat(covered, np.cumsum(lengths) - lengths) / lengths
    return share


def _stretches(side: _Side) -> pl.DataFrame:
    """Return how far each diagonal agrees: (agreed, longest, first_word, last_word), of runs of two or more."""
    is_common = side.runs >= _PAIR
    last = np.where(is_common, side.row_places, -1)
    first = np.where(is_common, side.row_places, np.iinfo(np.int64).max)
    return pl.DataFrame(
        {
            "agreed": np.add.reduceat(is_common.astype(np.int64), side.begins),
            "longest": np.maximum.reduceat(side.runs, side.begins),
            "first_word": np.minimum.reduceat(first, side.begins),
            "last_word": np.maximum.reduceat(last, side.begins),
        }
    )

"""Look the texts of a day up among the stored sketches of earlier ones, without sketching those again.

The stored rows go by in batches; each is asked which of its bands a new text shares. That is one table lookup per
band, so an index of a million texts passes in a fraction of a second, and memory does not grow with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from flywheel.text.minhash import likely
from flywheel.text.shingles import ShingleKind
from flywheel.text.sketches import Corpus, Sketched, similarities, spelled
from flywheel.text.words import Positions

BandKeys = npt.NDArray[np.uint32]

# Keys whose upper 24 bits no new text has are ruled out by one look into a table of 16 MB; of 20,000 new texts with
# 21 bands each, 2.5 % of the strangers pass.
_TABLE_BITS = 24
# New texts that one stored band key is compared with, and old texts that one new text is verified against:
# boilerplate grows with the log, the work must not.
_NEIGHBOURS = 8
_CANDIDATES = {"distinct": pl.Int64, "kind": pl.String, "fingerprint": pl.Int64, "likeness": pl.Float64}


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The band keys of new texts, sorted, with the text each belongs to, and which upper bits occur at all."""

    sketched: Sketched
    keys: BandKeys
    owners: Positions
    occurs: npt.NDArray[np.bool_]


def stored_sketches(corpus: Corpus) -> pl.DataFrame:
    """Return (distinct, fingerprint, kind, band_keys, marks) of every distinct text that has words."""
    frames = []
    for sketched in corpus.sketches:
        prints = corpus.fingerprints[sketched.places]
        columns: dict[str, Any] = {
            "distinct": sketched.places,
            "fingerprint": prints.view(np.int64),
            "kind": pl.repeat(sketched.kind.value, len(prints), eager=True, dtype=pl.String),
            "band_keys": _packed(_short(sketched)),
            "marks": _packed(sketched.marks),
        }
        frames.append(pl.DataFrame(columns).filter(pl.Series(prints != 0, dtype=pl.Boolean)))
    return pl.concat(frames)


def find_candidates(corpus: Corpus, stored: Iterable[pl.DataFrame], threshold: float) -> pl.DataFrame:
    """Return pairs (distinct, kind, fingerprint, likeness) of a new text and a stored one that may be near twins.

    `stored` has batches of (fingerprint, kind, band_keys, marks). An equal text has likeness 2 and is the only
    candidate; otherwise likeness is the share of equal marks, and the 8 likeliest are kept.
    """
    lookups = [_lookup(sketched) for sketched in corpus.sketches]
    found = pl.DataFrame(schema=_CANDIDATES)
    for batch in stored:
        met = [_equal(corpus, batch), *(_met(lookup, batch, threshold) for lookup in lookups)]
        found = _likeliest(pl.concat([found, *met]))
    return found


def verify_candidates(corpus: Corpus, candidates: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Return those candidates (distinct, kind, likeness, text, ...) that are twins; `text` is the stored one's."""
    proven = [candidates.filter(pl.col("likeness") > 1)]
    for sketched in corpus.sketches:
        pairs = candidates.filter((pl.col("likeness") <= 1) & (pl.col("kind") == sketched.kind.value))
        texts = pairs["text"] if sketched.kind is ShingleKind.WORDS else spelled(pairs["text"])
        first = np.searchsorted(sketched.places, pairs["distinct"].to_numpy())
        similarity = similarities((sketched.texts, texts), (first, np.arange(pairs.height)), sketched.kind)
        proven.append(pairs.filter(pl.Series(similarity >= threshold, dtype=pl.Boolean)))
    return pl.concat(proven)


def _short(sketched: Sketched) -> BandKeys:
    """Return the keys in 32 bits: a stranger's is met once in four thousand million, and then verified."""
    return sketched.keys.astype(np.uint32)


def _packed(values: npt.NDArray[Any]) -> pl.Series:
    """Return one binary value per row of numbers, little-endian."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    width = pa.binary(little.dtype.itemsize * little.shape[1])
    rows = pa.FixedSizeBinaryArray.from_buffers(width, len(little), [None, pa.py_buffer(little)])
    return pl.Series(values=rows.cast(pa.large_binary()), dtype=pl.Binary)


def _unpacked(values: pl.Series, dtype: str) -> npt.NDArray[Any]:
    """Return the numbers of each binary value as a row."""
    column = values.to_arrow()
    ends = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(column.buffers()[2], dtype)[: ends[-1]].reshape(len(values), -1)


def _lookup(sketched: Sketched) -> _Lookup:
    keys = _short(sketched).ravel()
    ordered = np.sort(keys.astype(np.uint64) << np.uint64(32) | np.arange(len(keys), dtype=np.uint64))
    owners = (ordered & np.uint64(0xFFFFFFFF)).astype(np.int64) // max(sketched.keys.shape[1], 1)
    occurs = np.zeros(1 << _TABLE_BITS, np.bool_)
    occurs[keys >> np.uint32(32 - _TABLE_BITS)] = True
    return _Lookup(sketched, (ordered >> np.uint64(32)).astype(np.uint32), owners, occurs)


def _equal(corpus: Corpus, batch: pl.DataFrame) -> pl.DataFrame:
    """Return the new texts that are in the batch word for word."""
    prints = batch["fingerprint"].to_numpy().view(np.uint64)
    place = np.minimum(np.searchsorted(corpus.fingerprints, prints), max(len(corpus) - 1, 0))
    hit = np.flatnonzero(corpus.fingerprints[place] == prints) if len(corpus) else place[:0]
    return _candidates(batch[hit], place[hit], np.full(len(hit), 2.0))


def _met(lookup: _Lookup, batch: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Return the pairs that share a band key and are likely enough."""
    rows = batch.filter(pl.col("kind") == lookup.sketched.kind.value)
    if rows.is_empty() or not len(lookup.keys):
        return pl.DataFrame(schema=_CANDIDATES)
    flat = _unpacked(rows["band_keys"], "<u4").ravel()
    hits = np.flatnonzero(lookup.occurs[flat >> np.uint32(32 - _TABLE_BITS)])
    values = flat[hits]
    first = np.searchsorted(lookup.keys, values)
    last = np.searchsorted(lookup.keys, values, side="right")
    steps = [np.flatnonzero(first + step < last) for step in range(_NEIGHBOURS)]
    old = np.concatenate([hits[step] for step in steps]) // (len(flat) // rows.height)
    new = np.concatenate([lookup.owners[first[held] + step] for step, held in enumerate(steps)])
    pairs = np.unique(new << 32 | old)
    new, old = pairs >> 32, pairs & 0xFFFFFFFF
    marks = _unpacked(rows["marks"], "u1")
    worth = likely(lookup.sketched.marks[new], marks[old], threshold)
    new, old = new[worth], old[worth]
    likeness = (lookup.sketched.marks[new] == marks[old]).mean(axis=1)
    return _candidates(rows[old], lookup.sketched.places[new], likeness)


def _candidates(rows: pl.DataFrame, places: Positions, likeness: npt.NDArray[np.float64]) -> pl.DataFrame:
    found = rows.select("kind", "fingerprint").with_columns(
        distinct=pl.Series(places, dtype=pl.Int64), likeness=pl.Series(likeness, dtype=pl.Float64)
    )
    return found.select(list(_CANDIDATES))


def _likeliest(found: pl.DataFrame) -> pl.DataFrame:
    best = pl.col("likeness").max().over("distinct")
    ordered = found.filter((best <= 1) | (pl.col("likeness") > 1)).sort(
        ["distinct", "likeness", "fingerprint", "kind"], descending=[False, True, False, False]
    )
    return ordered.filter(pl.int_range(pl.len()).over("distinct") < _NEIGHBOURS)

"""Records that come from no file into the lake: they are there when this returns, however often they come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa

from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.core.storage import FileStat
from flywheel.ingest.blocks import Block, Place
from flywheel.ingest.feedback import adopt_orphans
from flywheel.ingest.landing import LANDED_TABLES, Parsed, Reading, land_parsed, parse_block
from flywheel.ingest.ledger import Position, known_sources, write_down
from flywheel.ingest.strict import checked


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that went to quarantine: its number among those landed with it, from 1, and why."""

    number: int
    reason: str
    detail: str


def land_records(lake: Lake, source: str, records: Sequence[str], log_format: str, *, now: datetime) -> list[Refused]:
    """Land records, each the text of a JSON object, in one commit; return those that are in quarantine instead.

    What `files.land_records` does, and feedback that waited for one of the calls finds it.
    """
    reading = Reading(source, now)
    lines = np.arange(1, len(records) + 1, dtype=np.int64)
    block = Block(pa.array(records, pa.large_string()), lines, None, Place(len(records), len(records)))
    with Scratch(lake) as scratch:
        parsed = parse_block(scratch, checked(scratch, block), log_format, reading)
        with lake.together(f"land {source}", *LANDED_TABLES):
            tally = land_parsed(lake, parsed, reading)
            known = known_sources(lake, [source]).get(source)
            # every commit goes on with what the first began, so that their counts add up
            began_at = known.began_at if known else now
            position = Position(FileStat(0, now.isoformat()), began_at, log_format, place=block.end)
            write_down(lake, reading, position, tally)
            _wake_feedback(lake, parsed)
    return [Refused(line.source_line or 0, line.reason, line.detail) for line in parsed.refused]


def _wake_feedback(lake: Lake, parsed: Parsed) -> None:
    if parsed.rows is None:
        return
    if parsed.rows["feedback"].cast(pl.String).str.contains('"target"', literal=True).any():
        adopt_orphans(lake, "")  # what was said just now may be about any call
        return
    is_call = pl.col("problem").is_null() & pl.col("trace_id").is_not_null()
    calls = parsed.rows.filter(is_call).with_columns(pl.col("started_at").dt.date().alias("day"))
    if calls.height:
        adopt_orphans(lake, "", calls)

"""Logs into the lake: every record lands, is a duplicate, or is in quarantine with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from flywheel.core.lake import Lake
from flywheel.core.scratch import Scratch
from flywheel.core.storage import FileStat, open_store
from flywheel.ingest.blocks import Block, Place, RefusedLine
from flywheel.ingest.feedback import adopt_orphans
from flywheel.ingest.landing import LANDED_TABLES, Parsed, Reading, Tally, land_parsed, parse_block
from flywheel.ingest.ledger import UNKNOWN_FORMAT, Position, known_sources, write_down
from flywheel.ingest.reading import OpenFile, read_file
from flywheel.ingest.redaction import redact_place
from flywheel.ingest.strict import checked


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of one source: read = landed + duplicates + quarantined; context is in none of them."""

    source_file: str
    format: str
    read: int
    landed: int
    duplicates: int
    quarantined: int
    redacted: int
    days: tuple[str, ...]
    context: int = 0


def ingest_files(
    lake: Lake, sources: Sequence[str], log_format: str, now: datetime, run_id: str
) -> list[IngestReport]:
    """Read several logs, and let feedback that waited for their calls find them.

    A log that cannot be opened is in quarantine and does not stop the others.
    """
    reports = []
    for source in sources:
        try:
            reports.append(ingest_file(lake, source, now=now, log_format=log_format, run_id=run_id))
        except (FileNotFoundError, PermissionError, IsADirectoryError) as closed:
            reports.append(_refuse(lake, Reading(redact_place(source), now, run_id), closed.strerror or "missing"))
    adopt_orphans(lake, run_id)
    return reports


def _refuse(lake: Lake, reading: Reading, why: str) -> IngestReport:
    """Put a file that cannot be opened into quarantine; the next run tries again."""
    refused = RefusedLine(None, None, "unreadable_file", why, "")
    position = Position(FileStat(0, ""), reading.now, "")
    with lake.together(f"refuse {reading.source}", *LANDED_TABLES):
        tally = land_parsed(lake, Parsed(None, (refused,)), reading)
        write_down(lake, reading, position, tally)
    return _report(reading.source, "", tally)


def ingest_file(lake: Lake, source: str, *, now: datetime, log_format: str = "", run_id: str = "") -> IngestReport:
    """Read what is new in one log, local or s3://, into raw_traces, raw_feedback and quarantine.

    A file that the ledger knows as it is, is not opened; one that grew is read on; another one is read anew.

    Raises:
        FileNotFoundError: there is no such file.

    """
    return ingest_source(lake, source, Reading(redact_place(source), now, run_id), log_format)


def ingest_source(lake: Lake, source: str, reading: Reading, log_format: str = "") -> IngestReport:
    """Do what `ingest_file` does; a reading anew is one from the first byte, whatever the ledger says."""
    folder, name = split_source(source)
    store = open_store(lake.settings, folder)
    stat = store.stats(name).get(name)
    if stat is None:
        raise FileNotFoundError(f"There is no file {source!r}.")
    known = known_sources(lake, [reading.source]).get(reading.source)
    known = None if reading.is_anew else known
    if known is not None and known.is_unchanged(stat) and log_format in ("", known.format):
        return _report(reading.source, known.format, Tally())
    file = OpenFile(reading, Position(stat, reading.now, log_format))
    with store.open(name) as opened:
        read_file(lake, opened, name, file, known)
    return _report(reading.source, file.position.format, file.tally)


def land_records(lake: Lake, records: Sequence[str] | pa.Array, log_format: str, reading: Reading) -> IngestReport:
    """Land records that do not come from a file, each the text of a JSON object, as one version of the lake.

    They are in the lake when this returns. `reading` names the source and the moment; a record's line is its number.
    """
    texts = records if isinstance(records, pa.Array) else pa.array(records, pa.large_string())
    lines = np.arange(1, len(texts) + 1, dtype=np.int64)
    block = Block(texts.cast(pa.large_string()), lines, None, Place(len(texts), len(texts)))
    position = Position(FileStat(0, reading.now.isoformat()), reading.now, log_format, place=block.end)
    with Scratch(lake) as scratch:
        parsed = parse_block(scratch, checked(scratch, block), log_format, reading)
        with lake.together(f"land {reading.source}", *LANDED_TABLES):
            tally = land_parsed(lake, parsed, reading)
            write_down(lake, reading, position, tally)
    return _report(reading.source, log_format, tally)


def _report(source: str, log_format: str, tally: Tally) -> IngestReport:
    return IngestReport(
        source_file=source,
        format=log_format or UNKNOWN_FORMAT,
        read=tally.read,
        landed=tally.landed,
        duplicates=tally.duplicates,
        quarantined=tally.quarantined,
        redacted=tally.redacted,
        days=tuple(sorted(tally.days)),
        context=tally.context,
    )


def split_source(source: str) -> tuple[str, str]:
    """Return the folder or s3:// prefix of a source and the name in it."""
    if "://" in source:
        folder, _, name = source.rpartition("/")
        return folder, name
    path = Path(source).expanduser().resolve()
    return str(path.parent), path.name

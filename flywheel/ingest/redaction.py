"""Take personal data out of records before they are written anywhere."""

import json
import re

import polars as pl

from flywheel.core.ids import content_id
from flywheel.text.pii import PII_PATTERN, redact, redact_column

RAW_KEPT = 10_000  # characters of a refused line that quarantine keeps

JSON_COLUMNS = ("input", "requested_schema", "feedback", "tools", "tool_calls", "documents")
TEXT_COLUMNS = ("output", "error", "app", "task", "model", "finish_reason")
ID_COLUMNS = ("response_id", "conversation_id")

# Escapes hide where words begin: in "\njohn@x.org" the letter n belongs to the escape, not to John.
_ESCAPE = r"\\(?:u[0-9a-fA-F]{4}|.)"
# A text or a long number of JSON; a text may lack its end where the line was cut.
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|-?[0-9][0-9.eE+-]{11,}', re.DOTALL)
_WORD_KEPT = 2_000  # a cut line ends where a text or a word ends, unless that is further back than this


def redact_records(records: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the records with personal data replaced in all they tell, and how many had some."""
    cleaned = records.with_columns(
        [_redacted_json(records[column]) for column in JSON_COLUMNS]
        + [redact_column(records[column])[0] for column in TEXT_COLUMNS]
        + [pseudonyms(records[column]) for column in ID_COLUMNS]
        + [_pseudonym_lists(records["aliases"])]
    )
    columns = (*JSON_COLUMNS, *TEXT_COLUMNS, *ID_COLUMNS)
    changed = pl.DataFrame([cleaned[column].ne_missing(records[column]) for column in columns])
    return cleaned, int(changed.select(pl.any_horizontal(pl.all())).to_series().sum())


def redact_json(text: str) -> str:
    """Replace personal data in each text and number of a JSON document; what is valid JSON stays valid."""
    return _LITERAL.sub(_redacted_literal, text)


def redact_line(line: str) -> str:
    """Return the beginning of a refused line, JSON or not, without personal data and without half of some."""
    head = redact(redact_json(_beginning(line))).text
    return head[:RAW_KEPT]


def _redacted_json(texts: pl.Series) -> pl.Series:
    """Redact a column of JSON; like `redact_column`, only suspects cost Python time."""
    suspects = texts.str.replace_all(_ESCAPE, ".").str.contains(PII_PATTERN).fill_null(False).arg_true()
    cleaned = pl.Series([redact_json(text) for text in texts.gather(suspects)], dtype=pl.String)
    return texts.scatter(suspects, cleaned) if len(suspects) else texts


def pseudonyms(ids: pl.Series) -> pl.Series:
    """Replace ids that hold personal data by a hash: what was one conversation stays one."""
    changed = redact_column(ids.clone())[0].ne_missing(ids).arg_true()  # it writes into the column it is given
    hashed = pl.Series([content_id("id", text) for text in ids.gather(changed)], dtype=pl.String)
    return ids.scatter(changed, hashed) if len(changed) else ids


def _pseudonym_lists(ids: pl.Series) -> pl.Series:
    """Do the same to lists of ids, so that feedback which names one still finds its trace."""
    rows = pl.DataFrame({"place": pl.int_range(len(ids), eager=True), "aliases": ids})
    each = rows.explode("aliases").drop_nulls("aliases")
    hashed = each.with_columns(pseudonyms(each["aliases"])).group_by("place").agg("aliases")
    return rows.select("place").join(hashed, on="place", how="left", maintain_order="left")["aliases"]


def _redacted_literal(found: re.Match[str]) -> str:
    literal = found[0]
    spoken = _spoken(literal) if literal.startswith('"') else literal
    cleaned = redact(spoken).text
    if cleaned == spoken:
        return literal
    # a lone surrogate has no UTF-8, but it has an escape
    return json.dumps(cleaned, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def _spoken(literal: str) -> str:
    """Return what a JSON text says, as well as a broken one can be understood."""
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return re.sub(_ESCAPE, lambda found: _character(found[0]), literal.strip('"'))


def _character(escape: str) -> str:
    return chr(int(escape[2:], 16)) if len(escape) > 2 else " "


def _beginning(line: str) -> str:
    """Cut a long line, if possible where a text or else a word ends, so that no secret is cut in two."""
    if len(line) <= RAW_KEPT:
        return line
    head = line[:RAW_KEPT]
    ends = [end for end in (head.rfind('"'), head.rfind(" ")) if end > RAW_KEPT - _WORD_KEPT]
    return head[: ends[0]] if ends else head

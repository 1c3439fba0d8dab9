"""Take personal data out of records before they are written anywhere."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import orjson
import polars as pl

from flywheel.core.ids import content_id
from flywheel.ingest.actors import pseudonym
from flywheel.text.pii import TRIGGER, PiiKind, redact, redact_column, redact_each, replaced, suspicions
from flywheel.text.pii_checks import is_secret
from flywheel.text.pii_names import NameFinder
from flywheel.text.pii_patterns import SECRET_NAME

RAW_KEPT = 10_000  # characters of a refused line that quarantine keeps

JSON_COLUMNS = ("input", "requested_schema", "feedback", "tools", "tool_calls", "documents")
TEXT_COLUMNS = ("output", "error", "app", "task", "model", "finish_reason")
ID_COLUMNS = ("response_id", "conversation_id")
SPOKEN_COLUMNS = ("input", "output", "feedback", "tool_calls", "documents")  # where a person's name may be

# A text or a long number of JSON; a text may lack its end where the line was cut.
_LITERAL = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|-?[0-9][0-9.eE+-]{11,}', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SECRET_FIELD = re.compile(rf'"(?:[^"\\]|\\.){{0,40}}?{SECRET_NAME}"\Z')
_DEEPEST = 6  # JSON texts inside JSON texts that are read as JSON; further down they are read as text
_WORD_KEPT = 2_000  # a cut line ends where a text or a word ends, unless that is further back than this


@dataclass(frozen=True, slots=True)
class Redaction:
    """Records without personal data, how many had some, and how many findings of each kind there were."""

    records: pl.DataFrame
    changed_count: int
    counts: Mapping[str, int]


def redact_records(records: pl.DataFrame, names: NameFinder | None = None) -> Redaction:
    """Replace personal data in all that records tell; `names` finds people's names as well."""
    counts: Counter[PiiKind] = Counter()
    cleaned = records.with_columns(
        [_redacted_json(records[column], counts) for column in JSON_COLUMNS]
        + [_redacted_text(records[column], counts) for column in TEXT_COLUMNS]
        + [pseudonyms(records[column], counts) for column in ID_COLUMNS]
        + [_pseudonym_lists(records["aliases"], counts)]
    )
    if names is not None:
        cleaned = cleaned.with_columns([without_names(cleaned[column], names, counts) for column in SPOKEN_COLUMNS])
    columns = (*JSON_COLUMNS, *TEXT_COLUMNS, *ID_COLUMNS, "aliases")
    changed = pl.DataFrame([cleaned[column].ne_missing(records[column]) for column in columns])
    changed_count = int(changed.select(pl.any_horizontal(pl.all())).to_series().sum())
    return Redaction(cleaned, changed_count, {kind.value: counts[kind] for kind in PiiKind if counts[kind]})


def redact_json(text: str) -> str:
    """Replace personal data in each text and number of a JSON document; what is valid JSON stays valid."""
    return _rewritten([text], Counter())[0]


def redact_line(line: str, names: NameFinder | None = None) -> str:
    """Return the beginning of a refused line, JSON or not, without personal data and without half of some."""
    head = redact(redact_json(_beginning(line))).text
    if names is not None:
        head = without_names(pl.Series([head]), names)[0]
    return head[:RAW_KEPT]


def without_names(texts: pl.Series, names: NameFinder, counts: Counter[PiiKind] | None = None) -> pl.Series:
    """Replace people's names; in what begins like JSON or is a column of it, those in texts of more than one word."""
    found: Counter[PiiKind] = Counter() if counts is None else counts

    def nameless(text: str) -> str:
        spans = names.find(text)
        found.update(span.kind for span in spans)
        return replaced(text, spans)

    def nameless_literal(literal: re.Match[str]) -> str:
        spoken = meaning_of(literal[0]) if literal[0].startswith('"') and " " in literal[0] else ""
        told = nameless(spoken) if spoken else ""
        return json.dumps(told, ensure_ascii=False) if told != spoken else literal[0]

    def cleaned(text: str) -> str:
        is_json = texts.name in JSON_COLUMNS or (texts.name not in TEXT_COLUMNS and text.lstrip()[:1] in ("{", "["))
        return _LITERAL.sub(nameless_literal, text) if is_json else nameless(text)

    return pl.Series(texts.name, [text and cleaned(text) for text in texts], dtype=pl.String)


def redact_place(source: str) -> str:
    """Return the path or URL of a file; one that names a person is told apart from others by a hash at its end."""
    cleaned = redact(source).text
    return source if cleaned == source else f"{cleaned}#{content_id('source', source)[:12]}"


def redacted_id(text: str) -> str:
    """Return an id as it is written: a hash where it holds personal data."""
    return content_id("id", text) if redact(text).text != text else text


def _redacted_text(texts: pl.Series, counts: Counter[PiiKind]) -> pl.Series:
    cleaned, found = redact_column(texts)
    counts.update(found)
    return cleaned


def _redacted_json(texts: pl.Series, counts: Counter[PiiKind]) -> pl.Series:
    """Redact a column of JSON; like `redact_column`, only suspects cost Python time."""
    suspects = texts.str.contains(TRIGGER).fill_null(False).arg_true()
    if not len(suspects):
        return texts
    held = [_named_users(text) if texts.name == "feedback" else text for text in texts.gather(suspects)]
    return texts.clone().scatter(suspects, pl.Series(_rewritten(held, counts), dtype=pl.String))


def _rewritten(texts: list[str], counts: Counter[PiiKind], depth: int = 0) -> list[str]:
    """Return JSON texts with what is personal in their literals replaced; Polars picks the literals to look at."""
    found = [[*_LITERAL.finditer(text)] for text in texts]
    literals = pl.Series([literal[0] for ones in found for literal in ones], dtype=pl.String)
    suspected, place = suspicions(literals), -1
    pieces: list[str] = []
    doubtful, ends = {}, [0]
    for text, ones in zip(texts, found, strict=True):
        position, before = 0, ""
        for one in ones:
            is_value = text[position : one.start()].strip() == ":" and _SECRET_FIELD.search(before)
            new = _secret(one[0], bool(is_value and is_value["password"]), counts) if is_value else one[0]
            place += 1
            pieces += [text[position : one.start()], new]
            if place in suspected and new == one[0]:
                doubtful[len(pieces) - 1] = suspected[place]
            position, before = one.end(), one[0]
        pieces.append(text[position:])
        ends.append(len(pieces))
    _redact_literals(pieces, doubtful, counts, depth)
    return ["".join(pieces[start:end]) for start, end in pairwise(ends)]


def _secret(literal: str, is_password: bool, counts: Counter[PiiKind]) -> str:
    """Return the placeholder for a value whose key says that it is a secret, if it looks like one."""
    value = literal.strip('"')
    if not is_secret(value, is_password=is_password):
        return literal
    counts[PiiKind.SECRET] += 1
    return f'"<{PiiKind.SECRET.upper()}>"'


def _redact_literals(
    pieces: list[str], suspected: Mapping[int, frozenset[PiiKind]], counts: Counter[PiiKind], depth: int
) -> None:
    """Replace what is personal in those of the pieces that are under suspicion."""
    spoken = {at: meaning_of(pieces[at]) if pieces[at].startswith('"') else pieces[at] for at in suspected}
    # arguments of tools are JSON inside JSON: replaced as JSON, so that it stays JSON
    inner = {
        at: _rewritten([text], counts, depth + 1)[0] if depth < _DEEPEST and _is_like_json(text) else text
        for at, text in spoken.items()
    }
    for at, done in redact_each(inner, suspected).items():
        counts.update(done.counts)
        if done.text != spoken[at]:
            # a lone surrogate has no UTF-8, but it has an escape
            told = json.dumps(done.text, ensure_ascii=False)
            pieces[at] = told.encode("utf-8", "backslashreplace").decode()


def _is_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[", '"') and '"' in text


def _named_users(feedback: str) -> str:
    """Replace users that are told by personal data by their pseudonym, which is hashed no second time."""
    try:
        said = orjson.loads(feedback)
    except orjson.JSONDecodeError:
        return feedback
    items = [item for item in (said if isinstance(said, list) else [said]) if isinstance(item, dict)]
    users = [item for item in items if isinstance(item.get("user"), str) and redact(item["user"]).counts]
    for item in users:
        item["user"] = pseudonym(item["user"])
    return orjson.dumps(said).decode() if users else feedback


def pseudonyms(ids: pl.Series, counts: Counter[PiiKind] | None = None) -> pl.Series:
    """Replace ids that hold personal data by a hash: what was one conversation stays one."""
    cleaned = _redacted_text(ids, Counter() if counts is None else counts)
    changed = cleaned.ne_missing(ids).arg_true()
    hashed = pl.Series([content_id("id", text) for text in ids.gather(changed)], dtype=pl.String)
    return ids.clone().scatter(changed, hashed) if len(changed) else ids


def _pseudonym_lists(ids: pl.Series, counts: Counter[PiiKind]) -> pl.Series:
    """Do the same to lists of ids, so that feedback which names one still finds its trace."""
    rows = pl.DataFrame({"place": pl.int_range(len(ids), eager=True), "aliases": ids})
    each = rows.explode("aliases").drop_nulls("aliases")
    hashed = each.with_columns(pseudonyms(each["aliases"], counts)).group_by("place").agg("aliases")
    return rows.select("place").join(hashed, on="place", how="left", maintain_order="left")["aliases"]


def meaning_of(literal: str) -> str:
    """Return what a JSON text says, as well as a broken one can be understood."""
    try:
        return str(json.loads(literal, strict=False))
    except ValueError:
        return _ESCAPE.sub(lambda found: _character(found[0]), literal.strip('"'))


def _character(escape: str) -> str:
    return chr(int(escape[2:], 16)) if len(escape) > 2 else " "


def _beginning(line: str) -> str:
    """Cut a long line, if possible where a text or else a word ends, so that no secret is cut in two."""
    if len(line) <= RAW_KEPT:
        return line
    head = line[:RAW_KEPT]
    ends = [end for end in (head.rfind('"'), head.rfind(" ")) if end > RAW_KEPT - _WORD_KEPT]
    return head[: ends[0]] if ends else head

"""The signal files: a query that says which traces failed, and a header that says how far to believe it.

    -- user_edit: somebody replaced the answer
    -- about: answer
    -- applies: output is not null
    -- prior: fires on 10% of failures, 0.5% of the rest

`about` is what the evidence speaks of: answer, call, score (what another system measured) or user (how somebody
reacted). `applies` is an expression over `traces`; where it does not hold the signal could not look, and its silence
says nothing. `prior` is what we believe before any data; `firm` at its end marks evidence that hardly ever errs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flywheel.core.errors import BadSignal
from flywheel.core.settings import HOME, load_settings

SIGNALS = HOME / "sql" / "signals"
ABOUT = ("answer", "call", "score", "user")
_CAPTION = re.compile(r"-- (?P<name>[a-z][a-z0-9_]*): (?P<caption>[a-z].+)")
_FIELD = re.compile(r"-- (about|applies|prior): (.+)")
_MORE = re.compile(r"--  +(.+)")  # a field goes on in lines that are set in
_PRIOR = re.compile(r"fires on ([\d.]+)% of failures, ([\d.]+)% of the rest(, firm)?")


@dataclass(frozen=True, slots=True)
class Signal:
    """One file: its query and what its header says."""

    name: str
    caption: str
    query: str
    about: str = "user"
    applies: str = "true"
    # a typical signal sees a third of the failures, which fail in other ways too, and misfires once in fifty
    sensitivity: float = 0.33
    false_positive: float = 0.02
    is_firm: bool = False


USUAL = Signal("usual", "what a file without a header is taken for", "")


def parse_signal(path: Path) -> Signal:
    """Read one signal file.

    Raises:
        BadSignal: its header does not have the agreed form.

    """
    text = path.read_text(encoding="utf-8").strip().rstrip(";")
    header = _CAPTION.match(text)
    if not header or header["name"] != path.stem:
        raise BadSignal(path.name, text.split("\n", 1)[0], f"'-- {path.stem}: <what it sees>' as its first line")
    fields = _fields(text)
    about = fields.get("about", USUAL.about)
    if about not in ABOUT:
        raise BadSignal(path.name, f"about: {about}", f"about: one of {', '.join(ABOUT)}")
    return Signal(
        path.stem, header["caption"], text, about, fields.get("applies", USUAL.applies), *_prior(path, fields)
    )


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in text.split("\n")[1:]:
        field, more = _FIELD.fullmatch(line), _MORE.fullmatch(line)
        if field:
            name = field[1]
            fields[name] = field[2].strip()
        elif more and name:
            fields[name] += f" {more[1].strip()}"
        else:
            break
    return fields


def _prior(path: Path, fields: Mapping[str, str]) -> tuple[float, float, bool]:
    if "prior" not in fields:
        return USUAL.sensitivity, USUAL.false_positive, USUAL.is_firm
    told = _PRIOR.fullmatch(fields["prior"])
    rates = (float(told[1]) / 100, float(told[2]) / 100) if told else (0.0, 0.0)
    if not told or not 0 < rates[1] <= rates[0] < 1:
        expected = "prior: fires on <more>% of failures, <less>% of the rest, then ', firm' or nothing"
        raise BadSignal(path.name, f"prior: {fields['prior']}", expected)
    return *rates, bool(told[3])


def load_signals() -> Mapping[str, Signal]:
    """Return every signal by name: those of sql/signals/ and of the folder that settings name."""
    return read_signals(load_settings().signals_folder)


@lru_cache(maxsize=16)
def read_signals(own: Path | None = None) -> Mapping[str, Signal]:
    """Return the signals of sql/signals/ and of a folder; a file of the same name there takes the place of ours."""
    folders = [SIGNALS, *([own.expanduser()] if own else [])]
    found = {path.stem: parse_signal(path) for folder in folders for path in sorted(folder.glob("*.sql"))}
    return dict(sorted(found.items()))


def every_signal() -> str:
    """Return one query over all signals: (trace_id, signal, about, strength, evidence)."""
    return "\nunion all by name\n".join(
        f"select trace_id, '{one.name}' as signal, '{one.about}' as about, strength::double as strength, "  # noqa: S608 - our own files
        f"evidence::varchar as evidence from (\n{one.query}\n) as fired"
        for one in load_signals().values()
    )


def every_vote() -> str:
    """Return one query over the day's traces: (day, trace_id, task, looked), the signals that apply, in order."""
    looks = ",\n".join(f"case when {one.applies} then '{one.name}' end" for one in load_signals().values())
    return f"select day, trace_id, task, concat_ws(' ', {looks}) as looked from traces"  # noqa: S608 - our own files

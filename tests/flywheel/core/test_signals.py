from pathlib import Path

import pytest

from flywheel.core.errors import BadSignal
from flywheel.core.settings import HOME
from flywheel.core.signals import every_signal, every_vote, load_signals, parse_signal, read_signals

LATE = """\
-- late: the answer took longer than a minute
-- about: call
-- applies: latency_ms is not null
--     and error is null
-- prior: fires on 5% of failures, 0.5% of the rest, firm
select trace_id, 1.0 as strength, 'too late' as evidence from traces where latency_ms > 60000
"""


def write(folder: Path, name: str, text: str) -> Path:
    (folder / f"{name}.sql").write_text(text)
    return folder / f"{name}.sql"


def test_a_header_is_read(tmp_path: Path) -> None:
    late = parse_signal(write(tmp_path, "late", LATE))
    assert (late.about, late.applies) == ("call", "latency_ms is not null and error is null")
    assert (late.sensitivity, late.false_positive, late.is_firm) == (0.05, 0.005, True)
    assert late.query.endswith("latency_ms > 60000")


def test_what_a_header_leaves_out_has_a_default(tmp_path: Path) -> None:
    plain = parse_signal(write(tmp_path, "plain", "-- plain: nothing much\nselect 1"))
    assert (plain.about, plain.applies, plain.sensitivity, plain.is_firm) == ("user", "true", 0.33, False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-- late:", "-- early:", "'-- late: <what it sees>' as its first line"),
        ("about: call", "about: weather", "about: one of answer, call, score, user"),
        ("on 5% of", "on 0.1% of", "fires on <more>% of failures"),
        (", firm", ", surely", "'prior: fires on 5% of failures, 0.5% of the rest, surely'"),
    ],
)
def test_a_header_that_says_nothing_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadSignal, match=message):
        parse_signal(write(tmp_path, "late", LATE.replace(old, new)))


def test_a_folder_of_ones_own_adds_signals_and_replaces_ours(tmp_path: Path) -> None:
    write(tmp_path, "late", LATE)
    write(tmp_path, "refusal", "-- refusal: our own idea of it\nselect 1")
    found = read_signals(tmp_path)
    assert set(found) == {*read_signals(), "late"}
    assert found["refusal"].caption == "our own idea of it"
    assert list(found) == sorted(found)


def test_every_signal_is_in_the_union_and_votes() -> None:
    union, votes = every_signal(), every_vote()
    assert union.count("union all by name") == len(load_signals()) - 1
    for name in load_signals():
        assert f"'{name}' as signal" in union
        assert f"then '{name}' end" in votes


def test_the_documentation_has_every_signal_with_its_prior() -> None:
    page = (HOME / "docs" / "signals.md").read_text(encoding="utf-8")
    for signal in load_signals().values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{signal.name}` | "))
        prior = f"{signal.sensitivity * 100:g} % / {signal.false_positive * 100:g} %"
        assert row.endswith(f"| {signal.about} | {prior}{' *firm*' if signal.is_firm else ''} |")

"""The report of a demo: what it shows, what it escapes, and that it loads nothing."""

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from flows.demo.axes import nice_ticks
from flows.demo.report import render_report, write_report
from flows.demo.results import (
    DemoResult,
    DriftDay,
    DriftValue,
    Gain,
    Gsm8kResult,
    ModeDay,
    RandomTurn,
    Refused,
    ReportSeries,
    SignalScore,
    TopMode,
    Turn,
    TurnCost,
    to_json,
)
from flows.demo.table import print_result
from flows.demo.wording import against_random, dollars, headline, points, safe

HOSTILE = "<script>alert('x')</script>\x1b[2J\u202e \"><img src=//evil.example/a>"

FIRST = Turn(
    turn=1, days=("2026-03-02", "2026-03-03"), traces=1200, failures=352, modes=10, hard_examples=118,
    corrections_human=38, corrections_ai=71, cost_usd=26.9, cost_per_accepted_usd=0.2468, release=1,
    production_model="first-model", candidate_model="second-model", production_accuracy=0.612,
    candidate_accuracy=0.668, difference_low=0.031, difference_high=0.082, promoted=True,
    reason="fixes_failures_and_keeps_the_rest", random_accuracy=0.636,
)  # fmt: skip
SECOND = replace(
    FIRST,
    turn=2,
    days=("2026-03-04", "2026-03-05"),
    production_accuracy=0.668,
    candidate_accuracy=0.679,
    difference_low=-0.006,
    difference_high=0.028,
    promoted=False,
    reason="does_not_fix_held_out_failures",
)
RESULT = DemoResult(
    data="a made-up data set",
    turns=(FIRST, SECOND),
    random_turns=(RandomTurn(1, 0.636, 0.606, 0.665), RandomTurn(2, 0.65, 0.62, 0.678)),
    refused=(Refused("after release 1", ("accuracy_on_gold",), 150, "150 rows are in quarantine"),),
    drift=(
        DriftDay("2026-03-03", "ok", (), "", is_new_intents_day=False),
        DriftDay("2026-03-04", "drift", ("query",), "words moved", is_new_intents_day=True),
    ),
    gsm8k=Gsm8kResult(
        (SignalScore("disagreement", 2803, 0.712, 0.881), SignalScore("refusal", 0, float("nan"), 0.0)),
        SignalScore("combined", 2510, 0.844, 0.934),
        5276,
        2266,
    ),
    report="reports/demo.html",
    seconds=512.3,
    assumptions=("Users are simulated.",),
)
SERIES = ReportSeries(
    modes_by_day=(ModeDay("2026-03-03", HOSTILE, 40), ModeDay("2026-03-04", "late_card", 31)),
    drift_by_day=(
        DriftValue("2026-03-03", "query", None, 0.55, "insufficient"),
        DriftValue("2026-03-04", "query", 0.71, 0.55, "drift"),
    ),
    cost_by_turn=(TurnCost(1, "human", 25.46), TurnCost(1, "ai", 1.44), TurnCost(2, "ai", 1.5)),
    top_modes=(TopMode(HOSTILE, 40, None, "open", HOSTILE),),
)
NOTHING = DemoResult("none", (), (), (), (), None, "reports/demo.html", 0.0, ())


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(RESULT, SERIES)


def test_hostile_names_are_text(page: str) -> None:
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    assert {tag for tag, _ in Elements(page).found} & {"script", "img", "link", "iframe", "object"} == set()
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_hostile_names_stay_inside_a_charts_label(page: str) -> None:
    labels = [
        attributes["aria-label"] or ""
        for tag, attributes in Elements(page).found
        if tag == "svg" and "role" in attributes
    ]
    assert any('\ufffd "><img' in label for label in labels)


def test_every_chart_says_what_it_shows_to_those_who_cannot_see_it(page: str) -> None:
    charts = [
        attributes for tag, attributes in Elements(page).found if tag == "svg" and attributes.get("role") == "img"
    ]
    assert len(charts) == 10  # five, for a wide and for a narrow page
    assert all(len(chart["aria-label"] or "") > 20 for chart in charts)
    swatches = [attributes for tag, attributes in Elements(page).found if tag == "svg" and "role" not in attributes]
    assert all(swatch["aria-hidden"] == "true" for swatch in swatches)


def test_nothing_is_loaded(page: str) -> None:
    loaded = [
        value
        for _, attributes in Elements(page).found
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "data", "action", "poster", "xlink:href", "style"}
    ]
    assert loaded
    assert all((value or "").startswith("#") for value in loaded)
    assert re.findall(r"url\(|@import|https?://", page) == []


@pytest.mark.parametrize(
    "number",
    [
        "61.2 %",  # production
        "66.8 %",  # candidate
        "+5.6 (+3.1 to +8.2)",  # the difference and its interval
        "+1.1 (−0.6 to +2.8)",
        "65.0 % (62.0 % to 67.8 %)",  # random
        "1,200",
        "352",
        "$26.90",
        "$0.67",  # 25.46 / 38, a person's correction
        "$0.0203",  # 1.44 / 71, a model's
        "▲ 0.710 / 0.550",  # drift and its bound
        "150",
        "84.4 %",
        "8 min 32 s",
    ],
)
def test_the_numbers_of_the_result_are_in_the_report(page: str, number: str) -> None:
    assert re.search(rf">[^<]*{re.escape(number)}", page)


@pytest.mark.parametrize(
    "text", ["accuracy_on_gold", "new intents start", "Users are simulated.", "a made-up data set"]
)
def test_the_reasons_are_in_the_report(page: str, text: str) -> None:
    assert text in page


def test_a_demo_that_found_nothing_still_has_a_report() -> None:
    assert "did not finish a turn" in render_report(NOTHING, ReportSeries())


def test_the_report_is_written_whole(tmp_path: Path, page: str) -> None:
    path = tmp_path / "reports" / "demo.html"
    write_report(path, RESULT, SERIES)
    assert path.read_text(encoding="utf-8") == page
    assert list(path.parent.iterdir()) == [path]


def test_half_a_surrogate_pair_in_a_log_does_not_stop_the_report(tmp_path: Path) -> None:
    series = replace(SERIES, top_modes=(TopMode("half \ud83d", 1, 1.0, "open", "\ud83d"),))
    write_report(tmp_path / "demo.html", RESULT, series)
    assert "half \ufffd" in (tmp_path / "demo.html").read_text(encoding="utf-8")


GAINED = Gain(0.612, 0.679, 0.04, 0.09)


@pytest.mark.parametrize(
    ("result", "verdict", "said"),
    [
        (RESULT, "helped", "to 66.8 % in 2 turns, a difference of +5.6 points (95 % interval +3.1 to +8.2)"),
        (replace(RESULT, turns=(SECOND,)), "unchanged", "production stays at 66.8 % accuracy"),
        (replace(RESULT, gain=GAINED), "helped", "61.2 % to 67.9 % in 2 turns, a difference of +6.7 points"),
        (replace(RESULT, gain=replace(GAINED, low=-0.01)), "unclear", "is not certain"),
        (replace(RESULT, gain=Gain(0.6, 0.5, -0.13, -0.07)), "hurt", "made things worse"),
        (replace(RESULT, turns=(FIRST, replace(SECOND, promoted=True))), "unclear", "last promotion alone brought"),
        (NOTHING, "unchanged", "nothing to compare"),
    ],
)  # fmt: skip
def test_the_headline_says_whether_the_loop_helped(result: DemoResult, verdict: str, said: str) -> None:
    assert headline(result).verdict == verdict
    assert said in headline(result).text


@pytest.mark.parametrize(("accuracy", "place"), [(0.6, "above"), (0.67, "inside"), (0.75, "below")])
def test_hard_examples_are_compared_with_random_ones(accuracy: float, place: str) -> None:
    random = RandomTurn(2, accuracy, accuracy - 0.03, accuracy + 0.03)
    assert f"67.9 % reached with hard examples is {place} that interval" in (
        against_random(replace(RESULT, random_turns=(random,))) or ""
    )


def test_json_has_the_promised_keys() -> None:
    written = to_json(RESULT)
    assert set(written) == {"turns", "refused", "drift", "gain", "gsm8k", "report", "data", "seconds", "assumptions"}
    turn = json.loads(json.dumps(written["turns"], allow_nan=False))[0]
    assert turn.items() >= {
        "turn": 1, "traces": 1200, "failures": 352, "corrections_human": 38, "corrections_ai": 71, "cost_usd": 26.9,
        "cost_per_accepted_usd": 0.2468, "release": 1, "production_accuracy": 0.612, "candidate_accuracy": 0.668,
        "difference_low": 0.031, "difference_high": 0.082, "promoted": True,
    }.items()  # fmt: skip
    alert = "150 rows are in quarantine"
    assert json.loads(json.dumps(written["refused"])) == [
        {"candidate": "after release 1", "failed": ["accuracy_on_gold"], "quarantined": 150, "alert": alert}
    ]


def test_json_of_gsm8k_names_the_signals() -> None:
    found = json.loads(json.dumps(to_json(RESULT)["gsm8k"], allow_nan=False))
    assert found["signals"] == {
        "disagreement": {"precision": 0.712, "recall": 0.881, "fired": 2803},
        "refusal": {"precision": None, "recall": 0.0, "fired": 0},
    }
    assert found["combined"] == {"precision": 0.844, "recall": 0.934, "threshold": 0.5}
    assert to_json(NOTHING)["gsm8k"] is None


def printed(result: DemoResult) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    print_result(result, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "✓ promoted",
        "+3.1 to +8.2",
        "Drift on 1 of 2 days: 2026-03-04 (new intents start) in query.",
        "accuracy_on_gold",
        "disagreement",
        "Report: reports/demo.html",
    ],
)
def test_the_terminal_shows_the_result(text: str) -> None:
    assert text in printed(RESULT)


def test_the_terminal_obeys_no_text_from_a_log() -> None:
    said = printed(replace(RESULT, refused=(Refused("[bold]x[/bold]\x1b[2J", (), 1, "\u202e[link=x]y[/link]"),)))
    assert "[bold]x[/bold]\ufffd[2J" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.612, 0.734, (0.6, 0.625, 0.65, 0.675, 0.7, 0.725, 0.75)),
        (0.0, 207.0, (0.0, 50.0, 100.0, 150.0, 200.0, 250.0)),
        (0.0, 0.0, (0.0, 0.2)),
        (0.3, 0.3, (0.3, 0.4)),
    ],
)
def test_ticks_are_round_and_hold_the_values(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (points(-0.0001), "0.0"),
        (points(float("nan")), "–"),
        (points(-0.034), "−3.4"),
        (dollars(0), "$0.00"),
        (dollars(0.00123), "$0.0012"),
        (dollars(1234.5), "$1,234.50"),
        (safe("a\tb\nc\x07"), "a\tb\nc\ufffd"),
    ],
)
def test_numbers_and_text_are_written_as_expected(shown: str, expected: str) -> None:
    assert shown == expected

"""The simulated product: planted rates, conversations, and a truth that stays out of the log."""

import json
from dataclasses import replace
from datetime import date

import pytest

from flywheel.core.errors import UsageError
from flywheel.scenario.bank import generate_queries
from flywheel.scenario.product import simulate_day
from flywheel.scenario.query import Query
from flywheel.scenario.traffic import FailureMode, Fault, Reply
from flywheel.scenario.users import Attack, Habits

DAY = date(2026, 3, 1)
QUIET = Habits(error_rate=0, refusal_rate=0, json_share=0, pii_rate=0, rephrase_on_wrong=0, follow_up_on_right=0)
RIGHT_AND_WRONG = [
    *[Query(f"my card is gone {number}", "card_lost") for number in range(2_000)],
    *[Query(f"forgot my PIN {number}", "pin_forgotten") for number in range(2_000)],
]


def always_card_lost(texts):
    return [Reply("card_lost", 120, 30, 2, "router-v1") for _ in texts]


def feedback_share(traffic, kind, value, *, on_failures):
    rows = [
        any(said["kind"] == kind and said["value"] == value for said in record["feedback"])
        for record, truth in zip(traffic.records, traffic.truth, strict=True)
        if truth.is_failure == on_failures
    ]
    return sum(rows) / len(rows)


@pytest.fixture(scope="module")
def quiet_day():
    return simulate_day(RIGHT_AND_WRONG, DAY, always_card_lost, QUIET, 5)


@pytest.fixture(scope="module")
def busy_day():
    return simulate_day(generate_queries(3, 60), DAY, always_card_lost, Habits(), 5)


def test_same_seed_same_day(busy_day):
    assert simulate_day(generate_queries(3, 60), DAY, always_card_lost, Habits(), 5) == busy_day


def test_other_seed_other_day(quiet_day):
    assert simulate_day(RIGHT_AND_WRONG, DAY, always_card_lost, QUIET, 6).records != quiet_day.records


def test_the_model_answers_for_real(quiet_day):
    failed = {truth.expected: truth.is_failure for truth in quiet_day.truth}
    assert failed == {"card_lost": False, "pin_forgotten": True}
    assert {record["response"]["choices"][0]["message"]["content"] for record in quiet_day.records} == {"card_lost"}


@pytest.mark.parametrize(
    ("kind", "value", "on_failures", "expected"),
    [
        ("thumb", -1, True, 0.25),
        ("thumb", -1, False, 0.02),
        ("thumb", 1, True, 0.01),
        ("thumb", 1, False, 0.06),
        ("edit", None, True, 0.05),
        ("edit", None, False, 0.0),
        ("outcome", 0, True, 0.475),
        ("outcome", 1, True, 0.025),
        ("outcome", 1, False, 0.475),
    ],
)
def test_planted_feedback_rates(quiet_day, kind, value, on_failures, expected):
    share = feedback_share(quiet_day, kind, value, on_failures=on_failures)
    assert share == pytest.approx(expected, abs=0.25 * expected + 0.01)


def test_users_who_ask_again_do_not_shift_the_rate_of_complaints(busy_day):
    assert feedback_share(busy_day, "thumb", -1, on_failures=True) == pytest.approx(0.25, abs=0.03)


def test_some_users_never_complain():
    silent = replace(QUIET, thumbs_down_on_wrong=1.0)
    traffic = simulate_day(RIGHT_AND_WRONG, DAY, always_card_lost, silent, 5)
    complained = feedback_share(traffic, "thumb", -1, on_failures=True)
    assert complained == pytest.approx(0.6, abs=0.05)


def test_edits_name_the_right_queue_mostly(quiet_day):
    edits = [said["text"] for record in quiet_day.records for said in record["feedback"] if said["kind"] == "edit"]
    assert edits.count("pin_forgotten") / len(edits) > 0.75
    assert set(edits) == {"pin_forgotten", "card_lost"}


def test_a_wrong_answer_is_asked_again_in_other_words(busy_day):
    texts = {}
    for record in busy_day.records:
        texts.setdefault(record["conversation_id"], []).append(record["request"]["messages"][1]["content"])
    longest = max(map(len, texts.values()))
    assert longest == 3
    errors = {truth.text for truth in busy_day.truth if truth.failure_mode is FailureMode.ERROR}
    assert not [said for said in texts.values() if len(said) > 1 and said[0] == said[1] not in errors]
    assert sum(len(said) > 1 for said in texts.values()) / len(texts) == pytest.approx(0.26, abs=0.06)


def test_turns_of_a_conversation_follow_each_other(busy_day):
    latest = {}
    for record in busy_day.records:
        assert record["timestamp"] > latest.get(record["conversation_id"], "2026-03-01")
        latest[record["conversation_id"]] = record["timestamp"]
    assert max(latest.values()) < "2026-03-02"


def test_ids_are_unique(busy_day):
    ids = [truth.request_id for truth in busy_day.truth]
    assert len(set(ids)) == len(ids)


def test_truth_lines_up_with_the_records(busy_day):
    for record, truth in zip(busy_day.records, busy_day.truth, strict=True):
        assert record["request_id"] == truth.request_id
        assert (record["response"] or {"id": None})["id"] == truth.response_id
        assert record["request"]["messages"][1]["content"] == truth.text


def test_the_truth_is_not_in_the_log(quiet_day):
    """Only an edit may name the right queue; everything else the log says came from the model."""
    unedited = [
        json.dumps(record)
        for record in quiet_day.records
        if not any(said["kind"] == "edit" for said in record["feedback"])
    ]
    assert len(unedited) > 3_000
    assert not [line for line in unedited if "pin_forgotten" in line or "is_failure" in line or "poison" in line]


def modes(habits):
    traffic = simulate_day([Query(f"card {n}", "card_lost") for n in range(4_000)], DAY, always_card_lost, habits, 5)
    counted = [truth.failure_mode for truth in traffic.truth]
    return traffic, {mode: counted.count(mode) / len(counted) for mode in FailureMode}


def test_planted_trouble_rates():
    habits = replace(QUIET, error_rate=0.05, refusal_rate=0.1, json_share=0.5, broken_json_rate=0.4)
    _, shares = modes(habits)
    assert shares[FailureMode.ERROR] == pytest.approx(0.05, abs=0.02)
    assert shares[FailureMode.REFUSAL] == pytest.approx(0.1, abs=0.02)
    assert shares[FailureMode.BROKEN_JSON] == pytest.approx(0.17, abs=0.02)
    assert shares[FailureMode.WRONG_LABEL] == 0


def test_a_failed_call_has_an_error_and_no_response():
    traffic, _ = modes(replace(QUIET, error_rate=1.0, max_turns=1))
    assert {record["error"]["type"] for record in traffic.records} == {
        "timeout",
        "rate_limit_exceeded",
        "server_error",
    }
    assert {record["response"] for record in traffic.records} == {None}


def test_broken_json_does_not_parse_and_sound_json_does():
    traffic, _ = modes(replace(QUIET, json_share=1.0, broken_json_rate=0.5))
    for record, truth in zip(traffic.records, traffic.truth, strict=True):
        content = record["response"]["choices"][0]["message"]["content"]
        assert record["request"]["response_format"]["type"] == "json_schema"
        if truth.is_failure:
            with pytest.raises(json.JSONDecodeError):
                json.loads(content)
        else:
            assert json.loads(content) == {"queue": "card_lost"}


def test_an_attack_pushes_its_label_and_is_marked_in_the_truth():
    habits = replace(QUIET, attack=Attack("refund_now", share=0.1))
    traffic, _ = modes(habits)
    poisoned = [r for r, truth in zip(traffic.records, traffic.truth, strict=True) if truth.is_poisoned]
    assert len(poisoned) / len(traffic.records) == pytest.approx(0.1, abs=0.02)
    assert {record["user"] for record in poisoned} == {"u-666", "u-667", "u-668"}
    assert {said["text"] for r in poisoned for said in r["feedback"] if said["kind"] == "edit"} == {"refund_now"}


def test_private_data_is_added_to_some_texts():
    traffic, _ = modes(replace(QUIET, pii_rate=0.2))
    changed = [truth for truth in traffic.truth if ", " in truth.text]
    assert len(changed) / len(traffic.truth) == pytest.approx(0.2, abs=0.03)


def test_a_models_own_error_and_confidence_are_logged():
    def answer(texts):
        sure = Reply("card_lost", 80, 9, 2, "router-v2", confidence=0.5)
        return [sure, replace(sure, error=Fault("timeout", "no answer"))]

    pair = [Query("card gone", "card_lost"), Query("card lost", "card_lost")]
    traffic = simulate_day(pair, DAY, answer, replace(QUIET, max_turns=1), 5)
    answered = next(record for record in traffic.records if record["response"])
    token = answered["response"]["choices"][0]["logprobs"]["content"][0]
    assert token["logprob"] == pytest.approx(-0.693147, abs=1e-6)
    assert [record["error"]["type"] for record in traffic.records if record["error"]] == ["timeout"]


def test_a_better_model_changes_only_what_it_answers_better():
    def knows_pins(texts):
        return [
            Reply("pin_forgotten" if "PIN" in text and text.endswith("7") else "card_lost", 120, 30, 2, "router-v1")
            for text in texts
        ]

    before = simulate_day(RIGHT_AND_WRONG, DAY, always_card_lost, QUIET, 5)
    after = simulate_day(RIGHT_AND_WRONG, DAY, knows_pins, QUIET, 5)
    changed = [new for old, new in zip(before.records, after.records, strict=True) if old != new]
    assert len(changed) == 200


def test_a_model_that_loses_a_text_is_refused():
    with pytest.raises(UsageError, match="returned 3 replies for 4000 texts"):
        simulate_day(RIGHT_AND_WRONG, DAY, lambda texts: always_card_lost(texts[:3]), QUIET, 5)

import pytest

from flywheel.llm.local.faults import FaultKind, Switches, read_header
from flywheel.llm.local.wire import ApiError

CHAT = "/v1/chat/completions"


def test_the_next_requests_only() -> None:
    switches = Switches({"rate_limit": {"next": 2}})
    assert [bool(switches.due(CHAT, None)) for _ in range(4)] == [True, True, False, False]
    assert switches.shown()["rate_limit"]["left"] == 0


def test_a_rate_repeats_with_its_seed() -> None:
    wanted = {"server_error": {"probability": 0.3, "seed": 4}}
    first, second = ([bool(s.due(CHAT, None)) for _ in range(1000)] for s in (Switches(wanted), Switches(wanted)))
    assert first == second
    assert 250 < sum(first) < 350


@pytest.mark.parametrize(("path", "fires"), [("/v1/models", False), ("/v1/chat/completions", True)])
def test_a_path_narrows_a_fault(path: str, fires: bool) -> None:
    assert bool(Switches({"latency": {"path": "/v1/chat"}}).due(path, None)) is fires


def test_health_is_never_hit_by_default() -> None:
    assert Switches({"server_error": {}}).due("/health", None) == {}


@pytest.mark.parametrize(
    ("header", "seconds"), [("rate_limit", 1.0), ('{"rate_limit": {"retry_after_seconds": 3}}', 3)]
)
def test_a_request_brings_its_own_fault(header: str, seconds: float) -> None:
    assert Switches().due(CHAT, header)[FaultKind.RATE_LIMIT].retry_after_seconds == seconds


def test_setting_replaces_everything() -> None:
    switches = Switches({"latency": {}})
    switches.set({"malformed": {}})
    assert list(switches.due(CHAT, None)) == [FaultKind.MALFORMED]


def test_slow_training_is_not_spent_on_requests() -> None:
    switches = Switches({"slow_training": {"next": 1, "ms": 500}})
    assert switches.due(CHAT, None) == {}
    assert [switches.training_delay_seconds() for _ in range(2)] == [0.5, 0.0]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("fire", "There is no fault 'fire'"),
        ("{bad", "not JSON"),
        ('{"latency": 5}', "expected an object"),
        ('{"latency": {"hours": 5}}', "no setting 'hours'"),
        ('{"latency": {"ms": "5"}}', "ms '5'"),
    ],
)
def test_a_misspelt_fault_is_refused(header: str, problem: str) -> None:
    with pytest.raises(ApiError, match=problem):
        read_header(header)

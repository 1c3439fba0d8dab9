"""The files under sql/ become tables with a contract, a key, parameters and the tables they read."""

from pathlib import Path

import pytest

from flywheel.core.errors import UnknownQuery, UnknownTable
from flywheel.core.queries import find_query, find_table, load_tables, parameters_of, parse_table

BUILT = """\
-- winners: one row per player who won
-- key: day, player
create table winners (
    day date, -- of the game; from here on
    run_id varchar,
    player varchar
);

with
won as (
    select * from games -- join losers
    where points >= $min_points
),

seen as (
    select won.* from won
    inner join known_players on won.player = known_players.player
    left join past_winners on won.player = past_winners.player
)

select * from seen;
"""

LANDED = """\
-- games: one row per game
create table games (
    day date,
    run_id varchar
);
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "01_games": LANDED,
        "02_players": LANDED.replace("games", "players"),
        "03_winners": BUILT,
    }.items():
        (tmp_path / f"{name}.sql").write_text(text)
    return tmp_path


def test_built_table_is_read_from_its_file(folder: Path) -> None:
    winners = parse_table(folder / "03_winners.sql")
    assert (winners.name, winners.place, winners.caption) == ("winners", 3, "one row per player who won")
    assert winners.key == ("day", "player")
    assert winners.is_built
    assert winners.parameters == {"min_points"}
    assert winners.contract.rstrip().endswith(")")
    assert winners.query is not None
    assert winners.query.startswith("with")


def test_reads_are_tables_and_their_views_but_no_comments(folder: Path) -> None:
    tables = load_tables(folder)
    assert tables["winners"].reads(tables) == {"games": 1, "known_players": 1, "past_winners": 1}


def test_landed_table_has_no_query(folder: Path) -> None:
    games = parse_table(folder / "01_games.sql")
    assert not games.is_built
    assert games.parameters == frozenset()
    assert games.key == ()


def test_tables_come_in_flow_order(folder: Path) -> None:
    assert list(load_tables(folder)) == ["games", "players", "winners"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("winners.sql", BUILT),
        ("03_Winners.sql", BUILT),
        ("03_losers.sql", BUILT),
        ("03_winners.sql", BUILT.replace("one row per", "rows of")),
        ("03_winners.sql", "-- winners: one row per win\n"),
        ("03_winners.sql", BUILT + "\ndrop table games;\n"),
    ],
)
def test_file_without_the_agreed_form_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UnknownTable, match=name):
        parse_table(path)


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(UnknownTable, match=r"'failure'.* failures, "):
        find_table("failure")
    with pytest.raises(UnknownQuery, match=r"no query 'opanai' in sql/ingest.* openai"):
        find_query("ingest", "opanai")


def test_parameters_in_comments_are_none() -> None:
    assert parameters_of("-- takes $day\nselect $budget, $min_share") == {"budget", "min_share"}

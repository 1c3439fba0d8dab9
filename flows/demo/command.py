"""`flywheel demo`: the whole loop, three times around, on the best data there is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flows.demo.mined_gsm8k import mine_gsm8k
from flows.demo.people import ERROR_RATE
from flows.demo.report import write_report
from flows.demo.results import DemoResult, Gsm8kResult, to_json
from flows.demo.series import report_series
from flows.demo.stage import Stage, fresh_stage
from flows.demo.table import print_result
from flows.demo.turns import POISON_TURN, Story, gain_of, offer_and_refuse, play_turn, start
from flows.demo.world import SEEDS_PER_INTENT, TEACHER_PER_INTENT, TURNS, World, build_world, find_set
from flywheel.core.settings import Settings, load_settings

Tell = Callable[[str], None]

_ASSUMPTIONS = (
    f"Production starts as a small model trained on {SEEDS_PER_INTENT} labelled queries per intent.",
    (
        f"The AI teacher is a larger model of another family that has seen {TEACHER_PER_INTENT} labelled queries per "
        "intent elsewhere, none of them of the new intents."
    ),
    (
        "Users are simulated: about a quarter of wrong answers get a thumb down, some are rephrased or edited, half "
        "of the tickets report an outcome, and all of it is noisy."
    ),
    (
        f"People answer from the true labels and err in {100 * ERROR_RATE:.0f} % of answers; an answer is priced at "
        "0.67 USD, a model's at its tokens."
    ),
    "Accuracy is measured on test queries that never appear in traffic and that no stage sees.",
)


def run_demo(as_json: bool, only_scenario: bool) -> int:
    """Play the demo, write its report into the lake's folder, print the result; return the exit code."""
    began = time.monotonic()
    told = Console(stderr=True)
    settings = load_settings()
    with _progress(told) as tell, fresh_stage() as stage:
        world = build_world(settings, only_scenario)
        told.print(f"Data: {world.description}.")
        story, mined = _play(stage, world, tell), _mine_gsm8k(stage, settings, only_scenario, tell)
        path = stage.folder / "reports" / "demo.html"
        result = DemoResult(
            data=world.description,
            turns=tuple(story.turns),
            random_turns=tuple(story.random_turns),
            refused=tuple(story.refused),
            drift=tuple(story.played.drift),
            gsm8k=mined,
            report=str(path),
            seconds=time.monotonic() - began,
            assumptions=_ASSUMPTIONS,
            gain=gain_of(story),
        )
        write_report(path, result, report_series(story.turns))
    if as_json:
        print(orjson.dumps(to_json(result)).decode())  # noqa: T201 - what a machine asked for
    else:
        print_result(result, Console())
    return 0


@contextmanager
def _progress(console: Console) -> Iterator[Tell]:
    """Yield what moves the bar one step on and says what is going on."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("finding data", total=4 + 5 * TURNS)

        def tell(text: str) -> None:
            progress.update(task, advance=1, description=text)
            if not console.is_terminal:
                console.print(text)

        yield tell


def _play(stage: Stage, world: World, tell: Tell) -> Story:
    story = Story()
    tell("training the first production model and the teacher")
    start(stage, world)
    for turn in range(1, TURNS + 1):
        play_turn(stage, world, turn, story, tell)
        if turn == POISON_TURN:
            tell("an attacker offers a batch of corrections")
            offer_and_refuse(world, turn, story)
    return story


def _mine_gsm8k(stage: Stage, settings: Settings, only_scenario: bool, tell: Tell) -> Gsm8kResult | None:
    found = None if only_scenario else find_set("gsm8k", settings)
    if found is None:
        return None
    tell("mining GSM8K's model solutions")
    return mine_gsm8k(found, stage.logs)

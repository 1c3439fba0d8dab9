"""What a release cannot be trusted for, read off its facts: few rows, one author, models judged long ago."""

from collections.abc import Iterator, Sequence
from datetime import date

from flywheel.publish.card_facts import NONE, Card, Mode
from flywheel.stats.intervals import wilson

FEWEST_TO_LEARN = 10  # rows of a mode; OpenAI's fine-tuning takes no file with fewer examples
EXACT_ENOUGH = 0.05  # half an interval: about what one promotion in the demo is about
DOMINANT = 0.5  # one author's share, from which their habits are the data's
JUDGED_LATELY_DAYS = 30  # a provider changes a model behind its name within weeks
_NAMED = 5  # modes that are named; the table has all


def known_limits(card: Card, forgotten_count: int = 0) -> list[str]:
    """Return what the facts of a release say against it, one sentence each; `forgotten_count` rows are to be gone."""
    limits = [*_of_size(card), *_of_modes(card.modes), *_of_authors(card), *_of_models(card), *_of_the_gate(card)]
    if card.rows.get("retired"):
        limits.append(
            f"{card.rows['retired']:,} rows are retired: they were trained on, then found to have a twin held out."
        )
    if not card.manifest.get("consent"):
        limits.append("No ground of consent is recorded (the setting consent).")
    if forgotten_count:
        limits.append(f"{forgotten_count:,} rows tell of somebody who was forgotten since: use a newer version.")
    return limits


def _of_size(card: Card) -> Iterator[str]:
    heldout = card.rows["heldout"]
    if not heldout:
        yield "Nothing is held out: what a model learned from it cannot be measured with it."
        return
    half = wilson(heldout / 2, heldout).width / 2
    if half > EXACT_ENOUGH:
        yield (
            f"{heldout:,} held-out rows: an accuracy measured on them is uncertain by up to {100 * half:.0f} points "
            "either way (95 %)."
        )


def _of_modes(modes: Sequence[Mode]) -> Iterator[str]:
    named = [mode for mode in modes if mode.name != NONE]
    few = [mode for mode in reversed(named) if 0 < mode.train < FEWEST_TO_LEARN]
    if few:
        told = _listed([f"{mode.name} ({mode.train})" for mode in few])
        yield f"{len(few)} of {_modes(named)} have fewer than {FEWEST_TO_LEARN} training rows: {told}."
    unmeasured = [mode for mode in named if mode.train and not mode.heldout]
    if unmeasured:
        told = _listed([mode.name for mode in unmeasured])
        yield f"Whether they were learned cannot be measured, no row is held out of {_modes(unmeasured)}: {told}."
    untaught = [mode for mode in named if mode.heldout and not mode.train]
    if untaught:
        yield f"Held out and not taught: {_listed([mode.name for mode in untaught])}."
    without = sum(mode.train + mode.heldout for mode in modes if mode.name == NONE)
    if without:
        yield f"{without:,} rows belong to no failure mode."


def _of_authors(card: Card) -> Iterator[str]:
    share, depth = 1 - card.profile["human_share"], card.profile["max_depth"]
    if share > 0:
        yield f"Models wrote {share:.0%} of the training rows; generations of models since a person: up to {depth}."
    authors = card.counts["written by"]
    total = sum(count for _, count in authors)
    for name, count in authors[:1]:
        if count > DOMINANT * total:
            yield f"{name} wrote {count / total:.0%} of the rows."


def _of_models(card: Card) -> Iterator[str]:
    for model in card.manifest.get("judged_models", ()):
        said = (
            f"{model['corrector']} agreed with people on {model['agreement']:.0%} of {model['judged']:,} answers "
            f"(at least {model['agreement_low']:.0%}, 95 %)"
        )
        age = _days_between(model["judged_on"], card.manifest.get("day"))
        if age is not None and age > JUDGED_LATELY_DAYS:
            yield f"{said}; they were last compared {age} days before this release, which is out of date."
        else:
            yield f"{said}."


def _of_the_gate(card: Card) -> Iterator[str]:
    for check in card.broken:
        told = f"observed {check['observed']}, promised {check['bound']}"
        yield f"A promise that only warns was broken: {check['suite']}, {check['subject']}: {told}."
    unmeasured = [drift.measure for drift in card.drift if drift.value is None]
    if unmeasured:
        few = f"{card.profile['new_count']:,} new rows are too few, or their answers are no closed set of labels"
        yield f"Not measured ({few}): {', '.join(unmeasured)}."
    if not card.manifest["parent"]:
        yield f"It has no parent: drift is measured against {card.profile.get('reference') or 'nothing'}."


def _days_between(earlier: str | None, later: str | None) -> int | None:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days if earlier and later else None


def _modes(modes: Sequence[Mode]) -> str:
    return f"{len(modes)} failure mode{'' if len(modes) == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown

"""What users and the application put in the place of answers, taken from the log as corrections by people.

Whoever can write to the log can write these: they are taken only where `learn_from_feedback` says that the log's
authors are trusted, and of one author only so many a day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from flywheel.core.lake import Lake
from flywheel.core.records import Answer, AuthorKind, HardExample

# about a hard example it answers that example, so that an audit or a relabel is only measured with
_SAID = """
with said as (
    select
        examples.example_id, traces.input, traces.output, feedback.text, feedback.occurred_at,
        coalesce(feedback.actor_hash, '') as author, feedback.feedback_id
    from feedback
    inner join traces on feedback.trace_id = traces.trace_id and feedback.day = traces.day
    left join hard_examples as examples
        on feedback.trace_id = examples.trace_id and feedback.day = examples.day
    where feedback.day = $day and feedback.kind in ('edit', 'demonstration')
        and coalesce(trim(feedback.text), '') != '' and traces.output is not null and traces.input is not null
        and trim(feedback.text) != trim(traces.output)
    -- the last word about a trace counts
    qualify row_number() over (
        partition by feedback.trace_id order by feedback.occurred_at desc nulls last, feedback.feedback_id
    ) = 1
)
select * from said
qualify row_number() over (partition by author order by occurred_at, feedback_id) <= $most
order by occurred_at, feedback_id
"""


@dataclass(slots=True)
class LoggedFeedback:
    """Edits and demonstrations of one day of the lake, as a corrector that nobody has to ask."""

    lake: Lake
    day: date
    # One busy author must not be the training set of a day; a guess, far above what an honest user corrects.
    most_per_author: int = 20
    name: str = "logged"

    def submit(self, examples: Iterable[HardExample]) -> None:
        """Do nothing: what was said is in the log."""

    def collect(self) -> Iterator[Answer]:
        """Yield what was put in the place of an answer; what is the answer itself is no correction."""
        for row in self.lake.frame(_SAID, day=self.day, most=self.most_per_author).iter_rows(named=True):
            is_example = row["example_id"] is not None
            yield Answer(
                example_id=row["example_id"],
                corrector=f"{self.name}-{row['author'][:12]}" if row["author"] else self.name,
                author_kind=AuthorKind.HUMAN,
                output=row["text"],
                answered_at=row["occurred_at"],
                input=None if is_example else row["input"],
                rejected=None if is_example else row["output"],
                batch_id=row["feedback_id"],
            )

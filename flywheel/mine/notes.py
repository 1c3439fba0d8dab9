"""Say in words what went wrong with a failing trace: from its signals and their evidence, without a model.

A note has one line per aspect, `<aspect>: <text>`; text from logs has no line breaks, so the aspects stay apart.
What the answer was wrong about comes first, what the prompt was about last and weighs least: two customers who ask
about different things and get the same wrong answer met the same failure.
"""

from datetime import date

import polars as pl

from flywheel.core.lake import Lake

# Signals that tell of somebody's reaction. That a user was unhappy says that a trace failed, not how: the same wrong
# answer may be found by a thumb, an edit or a second try. All other signals, yours too, are about the answer itself.
REACTIONS = (
    "abandonment", "comment", "disagreement", "dissatisfaction", "edited_answer", "escalation", "low_rating",
    "negative_comment", "negative_outcome", "outcome", "outcome_failed", "rating", "regenerate", "regenerated",
    "rephrase", "self_disagreement", "thumbs_down", "user_edit", "verbal_dissatisfaction",
)  # fmt: skip
# Of those, the ones whose evidence is what the user said.
COMPLAINTS = ("comment", "dissatisfaction", "negative_comment", "verbal_dissatisfaction")

LONGEST_LABEL = 60  # characters; a longer answer is a text, of which no two are alike

_NOTES = r"""
with failing as (
    select failures.*, traces.task, traces.query, traces.output, traces.error, traces.tool_calls, traces.input
    from failures
    left join traces on failures.trace_id = traces.trace_id and failures.day = traces.day
    where failures.day = $day
),
fired as (
    select
        trace_id,
        string_agg(signal, ' ' order by signal) filter (not list_contains($reactions, signal)) as kind,
        string_agg(evidence, '; ' order by signal) filter (not list_contains($reactions, signal)) as evidence,
        string_agg(evidence, '; ' order by signal) filter (list_contains($complaints, signal)) as complaint
    from signals where day = $day group by trace_id
),
said as (
    select
        trace_id,
        string_agg(text, '; ' order by feedback_id)
        filter (kind = 'comment' or (kind = 'thumb' and value < 0)) as said,
        max(text) filter (kind in ('edit', 'demonstration')) as meant
    from feedback where day = $day and text is not null group by trace_id
),
answered as (
    select
        *,
        case
            when not json_valid(output) or json_type(output) != 'OBJECT' then trim(output)
            when len(json_keys(output)) = 1 then json_extract_string(output, '$.*')[1]
            else trim(output)
        end as answer
    from failing
),
called as (
    select
        trace_id,
        string_agg(name || case when failed is null then '' else ' failed' end, ' ' order by name) as tools
    from (
        select distinct trace_id, call ->> 'name' as name, nullif(call ->> 'error', '') as failed
        from (select trace_id, unnest(from_json(tool_calls, '["JSON"]')) as call from failing)
    ) where name is not null group by trace_id
),
spoke as (
    select trace_id, string_agg(name, ' ' order by turns desc, name) as speakers
    from (
        select trace_id, message ->> 'name' as name, count(*) as turns
        from (select trace_id, unnest(from_json(input, '["JSON"]')) as message from failing)
        where message ->> 'name' is not null group by all
    ) group by trace_id
),
parts as (
    select
        answered.trace_id,
        answered.p_failure,
        answered.signals,
        answered.note as old_note,
        answered.task,
        answered.query,
        fired.kind,
        regexp_replace(left(fired.evidence, 240), '[0-9][0-9.,]*', '#', 'g') as evidence,
        length(answered.answer) <= $longest and not contains(answered.answer, chr(10)) as is_label,
        left(answered.answer, 200) as answer,
        left(coalesce(said.said, fired.complaint), 200) as said,
        left(said.meant, $longest) as meant,
        left(called.tools, 120) as tools,
        left(spoke.speakers, 160) as speakers
    from answered
    left join fired on answered.trace_id = fired.trace_id
    left join said on answered.trace_id = said.trace_id
    left join called on answered.trace_id = called.trace_id
    left join spoke on answered.trace_id = spoke.trace_id
),
lined as (
    select
        *,
        -- an answer that is no answer (refused, broken, never came) says less than what is wrong with it
        case when is_label and kind is null then answer end as wrong_answer,
        case when not coalesce(is_label and kind is null, false) then answer end as wording,
        case when kind is not null then 'flawed' when is_label then 'label' else 'text' end as gave,
        coalesce(left(query, 240), old_note) as topic
    from parts
)
select
    trace_id, p_failure, signals, task, kind, wrong_answer, meant, said,
    array_to_string(list_transform(
        list_filter([
            ['kind', kind], ['gave', gave], ['answer', wrong_answer], ['evidence', evidence], ['tools', tools],
            ['who', speakers], ['said', said], ['meant', meant], ['wording', wording],
            ['task', task], ['topic', topic]
        ], lambda line: line[2] is not null),
        lambda line: line[1] || ': ' || trim(regexp_replace(line[2], '\s+', ' ', 'g'))
    ), chr(10)) as note
from lined order by trace_id
"""


def evidence_notes(lake: Lake, day: date) -> pl.DataFrame:
    """Return a note per failure of the day, with the aspects that names and patterns are made of.

    Columns: trace_id, p_failure, signals, task, kind, wrong_answer, meant, said, note; in the order of trace_id.
    """
    return lake.frame(_NOTES, day=day, reactions=list(REACTIONS), complaints=list(COMPLAINTS), longest=LONGEST_LABEL)


def aspects_of(note: str) -> dict[str, str]:
    """Return a note's aspects; a line without one is the prompt's topic."""
    found: dict[str, str] = {}
    for line in note.splitlines():
        aspect, colon, text = line.partition(": ")
        key, value = (aspect, text) if colon and aspect.isidentifier() else ("topic", line)
        found[key] = f"{found[key]} {value}" if key in found else value
    return found

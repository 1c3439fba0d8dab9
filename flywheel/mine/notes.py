"""Say in words what went wrong with a failing trace: from its signals and their evidence, without a model.

A note has one line per aspect, `<aspect>: <text>`; text from logs has no line breaks, so the aspects stay apart.
What the answer was wrong about comes first, what the prompt was about last and weighs least: two customers who ask
about different things and get the same wrong answer met the same failure.
"""

from datetime import date

import polars as pl

from flywheel.core.lake import Lake

# Signals about an answer or a call say what is wrong with it, yours too; those about users or scores, and these
# three, only that it is wrong: a wrong label may be noticed by a thumb, a second try or another model's answer.
ONLY_THAT = ("disagreement", "low_confidence", "user_edit")
# Signals about scores whose evidence names the check that failed.
CHECKS = ("evaluator_failed", "guardrail_hit")
# Signals whose evidence is what the user said.
COMPLAINTS = ("dissatisfaction", "negative_comment")

LONGEST_LABEL = 60  # characters; a longer answer is a text, of which no two are alike

_NOTES = r"""
with failing as (
    select failures.*, traces.task, traces.query, traces.output, traces.error, traces.tool_calls, traces.input
    from failures
    left join traces on failures.trace_id = traces.trace_id and failures.day = traces.day
    where failures.day = $day
),
seen as (
    select
        *,
        about in ('answer', 'call') and not list_contains($only_that, signal) as is_kind,
        list_contains($checks, signal) as is_check,
        list_contains($complaints, signal) as is_complaint
    from signals where day = $day
),
fired as (
    select
        trace_id,
        string_agg(signal, ' ' order by signal) filter (is_kind) as kind,
        string_agg(evidence, '; ' order by signal) filter (is_kind or is_check) as evidence,
        string_agg(evidence, '; ' order by signal) filter (is_complaint) as complaint
    from seen group by trace_id
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
        lambda line: line[1] || ': '
            || trim(regexp_replace(line[2], '[\s\x0b\x1c-\x1f\x{85}\x{2028}\x{2029}]+', ' ', 'g'))
    ), chr(10)) as note
from lined order by trace_id
"""


def evidence_notes(lake: Lake, day: date) -> pl.DataFrame:
    """Return a note per failure of the day, with the aspects that names and patterns are made of.

    Columns: trace_id, p_failure, signals, task, kind, wrong_answer, meant, said, note; in the order of trace_id.
    """
    return lake.frame(
        _NOTES,
        day=day,
        only_that=list(ONLY_THAT),
        checks=list(CHECKS),
        complaints=list(COMPLAINTS),
        longest=LONGEST_LABEL,
    )


def aspects_of(note: str) -> dict[str, str]:
    """Return a note's aspects; a line without one is the prompt's topic."""
    found: dict[str, str] = {}
    for line in note.split("\n"):  # splitlines() also splits at U+2028 and its like, which texts from logs may hold
        aspect, colon, text = line.partition(": ")
        key, value = (aspect, text) if colon and aspect.isidentifier() else ("topic", line)
        found[key] = f"{found[key]} {value}" if key in found else value
    return found

"""The queries that selection reads: what is drawn for audit, what could be corrected, what was corrected before."""

# what was drawn stays drawn: people may have answered it, and an audit must never become something to learn from
HELD = "select * exclude (run_id) from hard_examples where day = $day order by purpose, rank"

AUDITED = """
with taken as (
    select trace_id from hard_examples where day <= $day
)
select
    traces.trace_id,
    any_value(mode_members.mode_id) as mode_id,
    coalesce(any_value(failures.p_failure), 0) as p_failure,
    any_value(traces.confidence) as confidence
from traces
left join failures on traces.trace_id = failures.trace_id and traces.day = failures.day
left join mode_members on traces.trace_id = mode_members.trace_id and traces.day = mode_members.day
where traces.day = $day and traces.trace_id not in (select taken.trace_id from taken)
group by traces.trace_id
order by md5(traces.trace_id || 'audit'), traces.trace_id limit $count
"""

# One row per group of near-duplicates, without what was drawn before and without twins of what is measured with.
# Each mode sends its hardest first, so that a mode of a million failures does not hide the others.
CANDIDATES = """
with
today as (
    select trace_id, mode_id, p_failure, estimated, signals, confidence, query, output, group_id, represents, novelty
    from (
        select
            failures.trace_id, mode_members.mode_id, failures.p_failure, failures.estimated, failures.signals,
            traces.confidence, coalesce(traces.output, '') as output,
            memory.main.compared_text(traces.query, traces.input, traces.trace_id) as query,
            duplicates.group_id, duplicates.group_size as represents, duplicates.is_representative,
            1.0 / (1 + coalesce(failure_modes.total_size - failure_modes.size, 0)) as novelty
        from failures
        inner join traces on failures.trace_id = traces.trace_id and failures.day = traces.day
        inner join duplicates on failures.trace_id = duplicates.trace_id and failures.day = duplicates.day
        inner join mode_members on failures.trace_id = mode_members.trace_id and failures.day = mode_members.day
        inner join failure_modes on mode_members.mode_id = failure_modes.mode_id and failures.day = failure_modes.day
        where failures.day = $day
    ) where is_representative
),
drawn as (
    select
        hard_examples.trace_id, hard_examples.purpose = 'audit' as is_audit,
        routes.route is distinct from 'drop' as is_asked
    from hard_examples
    left join routes on hard_examples.example_id = routes.example_id and hard_examples.day = routes.day
    where hard_examples.day <= $day
    union all
    select unnest($audited::varchar[]), true, true
),
-- groups keep their id from day to day: what somebody was asked once is not asked again
asked_groups as (
    select duplicates.group_id from duplicates
    where duplicates.day <= $day and duplicates.trace_id in (select drawn.trace_id from drawn where is_asked)
),
anchors as (
    select lower(trim(memory.main.compared_text(query, input, trace_id))) as asked from audits where day <= $day
    union
    select lower(trim(memory.main.compared_text(query, input, trace_id))) from review_queue
    where reason = 'audit' and day <= $day
    union
    select lower(trim(memory.main.compared_text(query, input, trace_id))) from traces
    where day = $day and trace_id in (select drawn.trace_id from drawn where is_audit)
),
apart as (
    select trace_id, max(strength) as disagreement from signals
    where day = $day and signal in ('disagreement', 'self_disagreement') group by trace_id
),
open_problems as (
    select today.* exclude (estimated), apart.disagreement
    from today
    left join apart on today.trace_id = apart.trace_id
    where today.trace_id not in (select drawn.trace_id from drawn)
        and today.group_id not in (select asked_groups.group_id from asked_groups)
        and lower(trim(today.query)) not in (select asked from anchors where asked is not null)
),
ranked as (
    select
        *,
        lower(trim(query)) as asked,
        row_number() over (
            partition by mode_id
            order by 0.7 * p_failure + 0.3 * (1 - coalesce(confidence, 0.5)) desc, represents desc, trace_id
        ) as place
    from open_problems
),
picked as (
    select * from ranked order by place, p_failure desc, trace_id limit $most
),
-- what users put in the place of the answers of each group
shown as (
    select duplicates.group_id, list_sort(list(distinct lower(trim(feedback.text)))) as shown
    from feedback
    inner join duplicates on feedback.trace_id = duplicates.trace_id and feedback.day = duplicates.day
    where feedback.day = $day and feedback.kind in ('edit', 'demonstration')
        and trim(coalesce(feedback.text, '')) != ''
    group by duplicates.group_id
),
-- how often the same question got the same answer that day and nothing at all spoke against it
quiet as (
    select asked, answered, count(*) as quiet_count
    from (
        select
            lower(trim(memory.main.compared_text(query, input, trace_id))) as asked, lower(trim(output)) as answered
        from traces
        where day = $day and lower(trim(output)) in (select lower(trim(output)) from picked)
            and trace_id not in (select trace_id from failures where day = $day)
    ) where asked in (select asked from picked) group by all
)
select
    picked.* exclude (asked), coalesce(quiet.quiet_count, 0) as quiet_count,
    coalesce(shown.shown, []::varchar[]) as shown
from picked
left join shown on picked.group_id = shown.group_id
left join quiet on picked.asked = quiet.asked and lower(trim(picked.output)) = quiet.answered
order by picked.place, picked.p_failure desc, picked.trace_id
"""

# What a person or a trusted model said to a question like it; the newest first.
CORRECTED = """
select
    memory.main.compared_text(query, input, coalesce(trace_id, correction_id)) as query, lower(trim(chosen)) as chosen
from corrections where day <= $day order by day desc, correction_id limit $most
"""

CHOSEN_BEFORE = """
select memory.main.compared_text(traces.query, traces.input, traces.trace_id) as query from hard_examples
inner join traces on hard_examples.trace_id = traces.trace_id and hard_examples.day = traces.day
where hard_examples.purpose = 'hard' and hard_examples.day <= $day
order by hard_examples.day desc, hard_examples.rank, hard_examples.trace_id limit $most
"""

# The mean of 1 - confidence over the day's calls; null where no call has a confidence.
USUAL_DOUBT = "select avg(1 - confidence) from traces where day = $day"

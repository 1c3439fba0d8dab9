-- said_things: things said that found what they are about, or wait for it, as rows of raw_feedback
select
    said.place,
    said.is_alone,
    coalesce(said.trace_day, said.occurred_at::date, current_date) as day,
    -- whether the call was known at the time does not count: the same thing said again is the same
    md5(concat_ws(
        '|',
        coalesce(said.target, said.trace_id),
        said.kind,
        coalesce(said.name, ''),
        coalesce(said.value::varchar, ''),
        coalesce(said.text, ''),
        coalesce(said.actor_hash, ''),
        coalesce(said.told_at, '')
    )) as feedback_id,
    said.trace_id,
    nullif(said.target, said.trace_id) as target_id,
    said.kind,
    said.name,
    said.value,
    said.text,
    said.actor_hash,
    said.occurred_at,
    said.source_file,
    said.source_line
from said

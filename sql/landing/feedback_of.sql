-- feedback_of: the feedback that came inside the records, one row per thing said
with
said as (
    select
        day,
        trace_id,
        source_file,
        source_line,
        started_at,
        unnest(from_json(
            feedback,
            '[{"kind": "VARCHAR", "value": "DOUBLE", "text": "VARCHAR", "user": "VARCHAR", "occurred_at": "VARCHAR"}]'
        )) as item
    from parsed_records
    where json_type(feedback) = 'ARRAY'
)

select
    day,
    md5(concat_ws('|', trace_id, item.kind, item.value, item.text, item.user, item.occurred_at)) as feedback_id,
    trace_id,
    item.kind,
    item.value,
    item.text,
    item.user as actor,
    coalesce(try_cast(item.occurred_at as timestamptz), started_at) as occurred_at,
    source_file,
    source_line
from said
where item.kind is not null

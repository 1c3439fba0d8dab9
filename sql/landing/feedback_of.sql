-- feedback_of: the feedback that came inside the records, one row per thing said
with
said as (
    select
        day,
        trace_id,
        source_file,
        source_line,
        started_at,
        -- one thing said may come without a list around it
        unnest(from_json(
            if(json_type(feedback) = 'OBJECT', '[' || feedback || ']', feedback),
            '[{
                "kind": "VARCHAR", "name": "VARCHAR", "value": "DOUBLE", "text": "VARCHAR",
                "user": "VARCHAR", "occurred_at": "VARCHAR"
            }]'
        )) as item
    from parsed_records
    where json_type(feedback) in ('ARRAY', 'OBJECT')
),

dated as (
    select
        *,
        try_cast(item.occurred_at as double) as epoch,
        coalesce(
            try_cast(item.occurred_at as timestamptz),
            to_timestamp(if(abs(epoch) <= 1e11, epoch, null)),
            started_at
        ) as occurred_at
    from said
)

select
    day,
    md5(concat_ws('|', trace_id, item.kind, item.value, item.text, item.user, item.occurred_at)) as feedback_id,
    trace_id,
    null::varchar as target_id,
    item.kind,
    item.name,
    if(isfinite(item.value), item.value, null) as value,
    item.text,
    item.user as actor,
    if(isfinite(occurred_at), occurred_at, started_at) as occurred_at,
    source_file,
    source_line
from dated
where item.kind is not null

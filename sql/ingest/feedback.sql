-- feedback: things said about calls that are logged elsewhere, one a line, as /v1/feedback takes them
with
items as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

dated as (
    select
        *,
        coalesce(nullif(record ->> '$.trace_id', ''), nullif(record ->> '$.target', '')) as target,
        record ->> '$.kind' as kind,
        coalesce(
            try_cast(record ->> '$.occurred_at' as timestamptz),
            -- seconds reach 1e11 in the year 5138: what is more counts milliseconds
            to_timestamp(case
                when try_cast(record ->> '$.occurred_at' as double) between 0 and 1e11
                    then (record ->> '$.occurred_at')::double
                when try_cast(record ->> '$.occurred_at' as double) between 0 and 1e14
                    then (record ->> '$.occurred_at')::double / 1000
            end)
        ) as occurred_at,
        coalesce(json_type(record -> '$.occurred_at'), 'NULL') != 'NULL' as is_dated
    from items
)

select
    source_line,
    byte_offset,
    null::varchar as trace_id,
    null::varchar as response_id,
    null::varchar as conversation_id,
    coalesce(occurred_at, $now::timestamptz) as started_at,
    null::varchar as app,
    null::varchar as task,
    null::varchar as model,
    null::json as input,
    null::varchar as output,
    null::json as requested_schema,
    null::varchar as finish_reason,
    null::varchar as error,
    null::double as confidence,
    null::double as latency_ms,
    null::bigint as input_tokens,
    null::bigint as output_tokens,
    null::double as cost_usd,
    null::json as tools,
    null::json as tool_calls,
    null::json as documents,
    null::varchar[] as aliases,
    record ->> '$.user' as actor,
    json_array(json_object(
        'kind', kind,
        'name', record ->> '$.name',
        'value', try_cast(record ->> '$.value' as double),
        'text', record ->> '$.text',
        'user', record ->> '$.user',
        'occurred_at', strftime(occurred_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'),
        'target', target
    )) as feedback,
    case
        when target is null then 'missing_target'
        when kind is null then 'missing_kind'
        when not regexp_matches(
            kind, '^(thumb|rating|edit|comment|demonstration|outcome|evaluation|regenerate|escalation)$'
        ) then 'unknown_kind'
        when is_dated and occurred_at is null then 'wrong_time'
        when occurred_at > $now::timestamptz + interval 1 day then 'clock_in_the_future'
    end as problem
from dated

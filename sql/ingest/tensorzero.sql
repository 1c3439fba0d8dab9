-- tensorzero: a gateway's tables as JSON lines: inferences, and feedback that names an inference or an episode
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

read_records as (
    select
        source_line,
        byte_offset,
        record,
        record ->> '$.id' as given_id,
        -- a UUID of version 7 begins with its time in milliseconds
        if(
            given_id[15] = '7',
            to_timestamp(try_cast('0x' || replace(left(given_id, 13), '-', '') as bigint) / 1e3),
            null
        ) as born_at,
        memory.main.unwrapped(record -> '$.input') as given_input,
        memory.main.unwrapped(record -> '$.output') as given_output,
        memory.main.unwrapped(record -> '$.value') as given_value,
        coalesce(record ->> '$.inference_id', record ->> '$.target_id') as target,
        case
            when (record ->> '$.dataset_name') is not null then 'dataset_item'
            when (record ->> '$.long_cache_key') is not null then 'cache_entry'
            when target is not null then 'feedback'
            else 'inference'
        end as shape
    from records
),

calls as (
    select
        *,
        if(
            json_type(given_output) = 'ARRAY',
            memory.main.text_of(given_output),
            coalesce(given_output ->> '$.raw', given_output ->> '$.parsed', memory.main.spoken(given_output))
        ) as answer,
        if(
            json_type(given_output) = 'ARRAY', memory.main.part_calls(memory.main.parts_of(given_output)), []::json[]
        ) as asked,
        memory.main.messages_of(given_input -> '$.messages') as said
    from read_records
)

select
    source_line,
    byte_offset,
    if(shape = 'inference', md5(coalesce(given_id, record::varchar)), null) as trace_id,
    null::varchar as response_id,
    if(shape = 'inference', coalesce(record ->> '$.episode_id', given_id), null) as conversation_id,
    if(shape = 'inference', coalesce(born_at, memory.main.time_of(record ->> '$.timestamp')), null) as started_at,
    'tensorzero' as app,
    coalesce(record ->> '$.function_name', 'default') as task,
    record ->> '$.variant_name' as model,
    if(
        memory.main.spoken(given_input -> '$.system') is null,
        said,
        to_json(list_concat(
            [json_object('role', 'system', 'content', memory.main.spoken(given_input -> '$.system'))],
            from_json(said, '["JSON"]')
        ))
    ) as input,
    answer as output,
    memory.main.unwrapped(record -> '$.output_schema') as requested_schema,
    null::varchar as finish_reason,
    null::varchar as error,
    null::double as confidence,
    try_cast(record ->> '$.processing_time_ms' as double) as latency_ms,
    null::bigint as input_tokens,
    null::bigint as output_tokens,
    null::double as cost_usd,
    memory.main.tools_of(memory.main.unwrapped(record -> '$.tool_params') -> '$.tools_available') as tools,
    if(len(asked) = 0, null, to_json(asked)) as tool_calls,
    null::json as documents,
    if(given_id is null, []::varchar[], [given_id]) as aliases,
    null::varchar as actor,
    if(shape = 'feedback', json_array(json_object(
        'kind', case
            when (record ->> '$.inference_id') is not null then 'demonstration'
            when (record ->> '$.metric_name') is not null then 'evaluation'
            else 'comment'
        end,
        'name', record ->> '$.metric_name',
        'value', if(record ->> '$.metric_name' is null, null, record -> '$.value'),
        'text', case
            when (record ->> '$.metric_name') is not null then null
            when json_type(given_value) = 'ARRAY'
                then coalesce(nullif(memory.main.text_of(given_value), ''), given_value::varchar)
            else coalesce(given_value ->> '$.raw', given_value ->> '$.parsed', memory.main.spoken(given_value))
        end,
        'occurred_at', born_at::varchar,
        'target', target
    )), null) as feedback,
    case
        when shape in ('dataset_item', 'cache_entry') then shape
        when shape = 'feedback' then if(memory.main.spoken(record -> '$.value') is null, 'missing_content', null)
        when said is null or (answer is null and len(asked) = 0) then 'missing_content'
        else memory.main.time_problem(
            coalesce(born_at, memory.main.time_of(record ->> '$.timestamp')), $now::timestamptz
        )
    end as problem
from calls

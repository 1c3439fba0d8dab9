-- inspect: samples of Inspect's evaluation logs, one trace a sample, from an archive or from a whole JSON log
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

samples as (
    select
        source_line,
        byte_offset,
        record -> '$.eval' as evaluation,
        unnest(if(
            json_type(record, '$.samples') = 'ARRAY',
            from_json(record -> '$.samples', '["JSON"]'),
            [record -> '$.sample']
        )) as sample
    from records
),

conversations as (
    select
        source_line,
        byte_offset,
        evaluation,
        sample,
        -- what it asks and answers without, where no message was kept
        if(
            coalesce(json_array_length(sample, '$.messages'), 0) > 0,
            memory.main.messages_of(sample -> '$.messages'),
            memory.main.messages_of(sample -> '$.input')
        ) as messages,
        coalesce(
            sample ->> '$.uuid',
            concat_ws('/', evaluation ->> '$.run_id', sample ->> '$.id', sample ->> '$.epoch')
        ) as sample_id,
        memory.main.time_of(coalesce(sample ->> '$.started_at', evaluation ->> '$.created')) as started_at,
        if(json_type(sample, '$.error') = 'OBJECT', sample -> '$.error', null) as error
    from samples
),

placed as (
    select
        *,
        memory.main.last_answer_place(messages) as answer_place,
        memory.main.calls_with_results(messages) as calls,
        coalesce(nullif(sample ->> '$.output.completion', ''), if(
            answer_place = 0, null, json_extract_string(messages, '$[' || (answer_place - 1) || '].content')
        )) as answer,
        if(json_type(sample, '$.scores') = 'OBJECT', sample -> '$.scores', '{}'::json) as scores
    from conversations
),

scored as (
    select
        *,
        list_transform(
            list_transform(
                json_keys(scores),
                lambda key: {
                    'name': key,
                    'score': json_extract(scores, '/' || replace(replace(key, '~', '~0'), '/', '~1'))
                }
            ),
            lambda one: json_object(
                'kind', if(len(json_keys(scores)) = 1, 'outcome', 'evaluation'),
                'name', one.name,
                'value', case json_extract_string(one.score, '$.value')
                    when 'C' then '1'
                    when 'P' then '0.5'
                    when 'I' then '0'
                    when 'N' then '0'
                    else json_extract_string(one.score, '$.value')
                end,
                'text', json_extract_string(one.score, '$.explanation')
            )
        ) as feedback
    from placed
)

select
    source_line,
    byte_offset,
    md5(sample_id) as trace_id,
    null::varchar as response_id,
    sample_id as conversation_id,
    started_at,
    'inspect' as app,
    coalesce(evaluation ->> '$.task', 'default') as task,
    coalesce(sample ->> '$.output.model', evaluation ->> '$.model') as model,
    memory.main.messages_before(messages, answer_place) as input,
    answer as output,
    evaluation -> '$.model_generate_config.response_schema.json_schema' as requested_schema,
    sample ->> '$.output.choices[0].stop_reason' as finish_reason,
    if(error is null, null, coalesce(regexp_extract(error ->> '$.message', '^\w+'), 'unknown')) as error,
    null::double as confidence,
    try_cast(sample ->> '$.total_time' as double) * 1000 as latency_ms,
    list_sum(from_json(json_extract(sample, '$.model_usage.*.input_tokens')::json, '["BIGINT"]'))::bigint
        as input_tokens,
    list_sum(from_json(json_extract(sample, '$.model_usage.*.output_tokens')::json, '["BIGINT"]'))::bigint
        as output_tokens,
    null::double as cost_usd,
    null::json as tools,
    calls as tool_calls,
    null::json as documents,
    [sample_id] as aliases,
    null::varchar as actor,
    if(len(feedback) = 0, null, to_json(feedback)) as feedback,
    case
        when sample is null then 'missing_content'
        when coalesce(json_array_length(messages), 0) = 0 or (answer is null and calls is null and error is null)
            then 'missing_content'
        else memory.main.time_problem(started_at, $now::timestamptz)
    end as problem
from scored

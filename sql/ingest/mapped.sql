-- mapped: records of any shape, by the columns and JSON paths that a mapping in flywheel.toml names
-- the fields of a mapping are those of a struct
-- noqa: disable=RF01
with
asked as (
    select unnest(from_json($mapping::json -> '$.calls', '[{
        "run": "VARCHAR", "input": "VARCHAR", "system": "VARCHAR", "output": "VARCHAR", "started_at": "VARCHAR",
        "undated_at": "VARCHAR", "app": "VARCHAR", "task": "VARCHAR", "model": "VARCHAR",
        "id": "VARCHAR", "conversation_id": "VARCHAR", "user": "VARCHAR", "error": "VARCHAR",
        "finish_reason": "VARCHAR", "latency_ms": "VARCHAR", "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
        "cost_usd": "VARCHAR", "tools": "VARCHAR", "documents": "VARCHAR", "requested_schema": "VARCHAR",
        "feedback": [{
            "kind": "VARCHAR", "name": "VARCHAR", "value": "VARCHAR", "text": "VARCHAR", "user": "VARCHAR",
            "occurred_at": "VARCHAR", "target": "VARCHAR"
        }]
    }]')) as mapping
),

numbered as (
    select
        mapping,
        row_number() over () as number
    from asked
),

records as (
    select
        log_lines.source_line,
        log_lines.byte_offset,
        log_lines.record::json as record,
        numbered.mapping,
        numbered.number
    from log_lines
    cross join numbered
),

found as (
    select
        *,
        memory.main.unwrapped(memory.main.mapped(record, coalesce(nullif(mapping.run, ''), mapping.input)))
            as asked_for,
        memory.main.spoken(memory.main.mapped(record, mapping.output)) as answer,
        memory.main.spoken(memory.main.mapped(record, mapping.id)) as given_id,
        memory.main.spoken(memory.main.mapped(record, mapping.started_at)) as told_at,
        coalesce(
            -- a mapping that names a format means it
            try_strptime(
                told_at, coalesce(nullif($mapping::json ->> '$.time_format', ''), '%Y-%m-%dT%H:%M:%SZ')
            )::timestamptz,
            if(coalesce($mapping::json ->> '$.time_format', '') = '', memory.main.time_of(told_at), null),
            try_cast(nullif(mapping.undated_at, '') as timestamptz)
        ) as started_at,
        coalesce(mapping.run, '') != '' as is_run,
        -- a mapping of neither is about what is said of calls that are logged elsewhere
        concat(mapping.run, mapping.input) = '' as is_only_feedback
    from records
),

worded as (
    select
        *,
        memory.main.messages_of(coalesce(
            if(json_type(asked_for, '$.messages') = 'ARRAY', asked_for -> '$.messages', null), asked_for
        )) as given_messages,
        -- what a run was asked comes before what its log tells
        if(
            is_run and mapping.input != '',
            to_json(list_concat(
                from_json(
                    memory.main.messages_of(memory.main.unwrapped(memory.main.mapped(record, mapping.input))),
                    '["JSON"]'
                ),
                from_json(given_messages, '["JSON"]')
            )),
            given_messages
        ) as led_messages,
        memory.main.with_system(memory.main.mapped(record, mapping.system), led_messages) as messages
    from found
),

placed as (
    select
        *,
        if(is_run, memory.main.last_answer_place(messages), 0) as answer_place
    from worded
)

select
    source_line,
    byte_offset,
    if(is_only_feedback, null, md5(concat_ws('|', coalesce(given_id, record::varchar), number))) as trace_id,
    null::varchar as response_id,
    if(is_only_feedback, null, coalesce(
        memory.main.spoken(memory.main.mapped(record, mapping.conversation_id)), given_id,
        md5(concat_ws('|', record::varchar, number))
    )) as conversation_id,
    started_at,
    coalesce(memory.main.spoken(memory.main.mapped(record, mapping.app)), 'unknown') as app,
    coalesce(memory.main.spoken(memory.main.mapped(record, mapping.task)), 'default') as task,
    memory.main.spoken(memory.main.mapped(record, mapping.model)) as model,
    if(is_run, memory.main.messages_before(messages, answer_place), messages) as input,
    coalesce(answer, if(
        answer_place = 0, null, json_extract_string(messages, '$[' || (answer_place - 1) || '].content')
    )) as output,
    memory.main.unwrapped(memory.main.mapped(record, mapping.requested_schema)) as requested_schema,
    memory.main.spoken(memory.main.mapped(record, mapping.finish_reason)) as finish_reason,
    nullif(memory.main.spoken(memory.main.mapped(record, mapping.error)), '') as error,
    null::double as confidence,
    try_cast(memory.main.spoken(memory.main.mapped(record, mapping.latency_ms)) as double) as latency_ms,
    try_cast(memory.main.spoken(memory.main.mapped(record, mapping.input_tokens)) as bigint) as input_tokens,
    try_cast(memory.main.spoken(memory.main.mapped(record, mapping.output_tokens)) as bigint) as output_tokens,
    try_cast(memory.main.spoken(memory.main.mapped(record, mapping.cost_usd)) as double) as cost_usd,
    memory.main.tools_of(memory.main.unwrapped(memory.main.mapped(record, mapping.tools))) as tools,
    if(is_run, memory.main.calls_with_results(messages), null) as tool_calls,
    memory.main.unwrapped(memory.main.mapped(record, mapping.documents)) as documents,
    list_filter([given_id], lambda alias: alias is not null) as aliases,
    memory.main.spoken(memory.main.mapped(record, mapping.user)) as actor,
    nullif(to_json(list_filter(
        list_transform(mapping.feedback, lambda said: json_object(
            'kind', memory.main.spoken(memory.main.mapped(record, said.kind)),
            'name', memory.main.spoken(memory.main.mapped(record, said.name)),
            'value', memory.main.spoken(memory.main.mapped(record, said.value)),
            'text', nullif(memory.main.spoken(memory.main.mapped(record, said.text)), ''),
            'user', memory.main.spoken(memory.main.mapped(record, said.user)),
            'occurred_at', memory.main.spoken(memory.main.mapped(record, said.occurred_at)),
            'target', memory.main.spoken(memory.main.mapped(record, said.target))
        )),
        -- nothing was said where there is neither a value nor a text
        lambda said: coalesce(json_extract_string(said, '$.value'), json_extract_string(said, '$.text')) is not null
    )), '[]') as feedback,
    case
        when is_only_feedback then if(json_array_length(feedback) > 0, null, 'missing_content')
        when messages is null or messages = '[]' then 'missing_content'
        when output is null and error is null then 'missing_content'
        else memory.main.time_problem(started_at, $now::timestamptz)
    end as problem
from placed

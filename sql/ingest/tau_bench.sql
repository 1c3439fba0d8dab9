-- tau_bench: agent runs with their whole conversation and a reward; one trace a run, its tool calls with their results
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

runs as (
    select
        source_line,
        byte_offset,
        record,
        memory.main.messages_of(record -> '$.traj') as messages,
        try_cast(record ->> '$.reward' as double) as reward,
        md5(record::varchar) as run_id
    from records
),

placed as (
    select
        *,
        memory.main.last_answer_place(messages) as answer_place
    from runs
)

select
    source_line,
    byte_offset,
    run_id as trace_id,
    null::varchar as response_id,
    run_id as conversation_id,
    $undated_at::timestamptz as started_at,
    'tau_bench' as app,
    'agent_run' as task,
    null::varchar as model,
    memory.main.messages_before(messages, answer_place) as input,
    if(answer_place = 0, null, json_extract_string(messages, '$[' || (answer_place - 1) || '].content')) as output,
    null::json as requested_schema,
    null::varchar as finish_reason,
    null::varchar as error,
    null::double as confidence,
    null::double as latency_ms,
    null::bigint as input_tokens,
    null::bigint as output_tokens,
    null::double as cost_usd,
    null::json as tools,
    memory.main.calls_with_results(messages) as tool_calls,
    null::json as documents,
    [concat_ws('/', record ->> '$.task_id', record ->> '$.trial')] as aliases,
    record ->> '$.info.task.user_id' as actor,
    if(reward is null, null, json_array(json_object('kind', 'outcome', 'name', 'reward', 'value', reward))) as feedback,
    if(coalesce(json_array_length(messages), 0) = 0 or answer_place = 0, 'missing_content', null) as problem
from placed

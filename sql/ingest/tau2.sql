-- tau2: a batch of agent runs in one document; one trace a run, its tool calls with their results and its reward
with
records as (
    select
        source_line,
        byte_offset,
        record::json as record
    from log_lines
),

batches as (
    select
        source_line,
        byte_offset,
        record -> '$.info.agent_info' as agent,
        record -> '$.info.environment_info' as environment,
        from_json(record -> '$.simulations', '["JSON"]') as simulations
    from records
),

simulated as (
    select
        source_line,
        byte_offset,
        agent,
        environment,
        unnest(simulations) as run
    from batches
),

runs as (
    select
        source_line,
        byte_offset,
        agent,
        environment,
        run,
        memory.main.messages_of(run -> '$.messages') as messages,
        memory.main.time_of(coalesce(run ->> '$.start_time', run ->> '$.timestamp')) as started_at,
        try_cast(run ->> '$.reward_info.reward' as double) as reward,
        coalesce(run ->> '$.id', md5(run::varchar)) as run_id
    from simulated
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
    md5(run_id) as trace_id,
    null::varchar as response_id,
    run_id as conversation_id,
    started_at,
    'tau2' as app,
    coalesce(environment ->> '$.domain_name', 'agent_run') as task,
    agent ->> '$.llm' as model,
    memory.main.with_system(environment -> '$.policy', memory.main.messages_before(messages, answer_place)) as input,
    if(answer_place = 0, null, json_extract_string(messages, '$[' || (answer_place - 1) || '].content')) as output,
    null::json as requested_schema,
    run ->> '$.termination_reason' as finish_reason,
    if((run ->> '$.termination_reason') like '%error%', run ->> '$.termination_reason', null) as error,
    null::double as confidence,
    try_cast(run ->> '$.duration' as double) * 1000 as latency_ms,
    list_sum(from_json(json_extract(run, '$.messages[*].usage.prompt_tokens')::json, '["BIGINT"]'))::bigint
        as input_tokens,
    list_sum(from_json(json_extract(run, '$.messages[*].usage.completion_tokens')::json, '["BIGINT"]'))::bigint
        as output_tokens,
    try_cast(run ->> '$.agent_cost' as double) as cost_usd,
    memory.main.tools_of(environment -> '$.tool_defs') as tools,
    memory.main.calls_with_results(messages) as tool_calls,
    null::json as documents,
    [run_id] as aliases,
    null::varchar as actor,
    if(reward is null, null, json_array(json_object(
        'kind', 'outcome', 'name', 'reward', 'value', reward, 'occurred_at', run ->> '$.end_time'
    ))) as feedback,
    case
        when coalesce(json_array_length(messages), 0) = 0 or answer_place = 0 then 'missing_content'
        else memory.main.time_problem(started_at, $now::timestamptz)
    end as problem
from placed

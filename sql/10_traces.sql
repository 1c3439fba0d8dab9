-- traces: one row per production call
-- key: trace_id
create table traces (
    day date,
    run_id varchar,
    trace_id varchar,
    conversation_id varchar,
    turn bigint, -- 1 = first call of the conversation that day
    started_at timestamptz,
    app varchar,
    task varchar,
    model varchar,
    input json,
    query varchar, -- text of the last user message
    output varchar,
    requested_schema json,
    finish_reason varchar,
    error varchar,
    confidence double,
    latency_ms double,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double,
    tools json,
    tool_calls json,
    documents json,
    actor_hash varchar,
    source_file varchar,
    source_line bigint
);

with
calls as (
    select
        *,
        list_filter(
            from_json(input, '[{"role": "VARCHAR", "content": "VARCHAR"}]'), lambda message: message.role = 'user'
        ) as user_messages
    from raw_traces
),

placed as (
    select
        day,
        trace_id,
        conversation_id,
        row_number() over (partition by conversation_id order by started_at, trace_id) as turn,
        started_at,
        app,
        task,
        model,
        input,
        user_messages[-1].content as query,
        output,
        requested_schema,
        finish_reason,
        error,
        confidence,
        latency_ms,
        input_tokens,
        output_tokens,
        cost_usd,
        tools,
        tool_calls,
        documents,
        actor_hash,
        source_file,
        source_line
    from calls
)

select * from placed;

-- spend: one row per paid call to a model provider
-- key: call_id
create table spend (
    day date,
    run_id varchar,
    call_id varchar,
    model varchar,
    purpose varchar, -- correct, evaluate, train ...
    example_id varchar,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double,
    called_at timestamptz
);

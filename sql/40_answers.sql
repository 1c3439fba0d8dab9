-- answers: one row per raw answer of a corrector
-- key: answer_id
create table answers (
    day date, -- day it was collected
    run_id varchar,
    answer_id varchar,
    example_id varchar, -- null for a free-standing demonstration
    corrector varchar, -- model name or person id
    author_kind varchar, -- human or ai
    family varchar, -- model family, null for people
    input json, -- only for demonstrations; otherwise the trace's
    rejected varchar,
    output varchar,
    confidence double, -- 0-1, null when the corrector gives none
    critique varchar,
    cost_usd double,
    prompt_hash varchar,
    generation_depth bigint, -- 0 = written by a person
    batch_id varchar, -- the file or run it came with
    answered_at timestamptz
);

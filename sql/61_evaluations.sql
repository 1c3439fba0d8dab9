-- evaluations: one row per candidate model and example both models answered
-- key: candidate_model, production_model, set_name, example_id
create table evaluations (
    day date,
    run_id varchar,
    candidate_model varchar,
    production_model varchar,
    set_name varchar, -- heldout: failures never trained on; traffic: random audited traces
    example_id varchar,
    mode_id varchar,
    expected varchar,
    production_output varchar,
    candidate_output varchar,
    production_right boolean,
    candidate_right boolean
);

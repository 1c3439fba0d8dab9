-- models: one row per thing that happened to a model: trained, promoted or refused
-- key: event_id
create table models (
    day date,
    run_id varchar,
    event_id varchar,
    model_id varchar,
    base_model varchar,
    dataset varchar,
    version bigint, -- release it was trained on
    status varchar, -- candidate, promoted or refused
    reason varchar,
    compared_with varchar, -- production model at the time
    evaluated_count bigint,
    production_accuracy double,
    candidate_accuracy double,
    difference_low double, -- 95 % interval of candidate minus production
    difference_high double,
    p_value double, -- exact McNemar on held-out failures
    happened_at timestamptz
);

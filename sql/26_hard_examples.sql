-- hard_examples: one row per distinct problem chosen to be corrected or looked at again, and per trace drawn for audit
-- key: example_id
create table hard_examples (
    day date,
    run_id varchar,
    example_id varchar,
    trace_id varchar,
    mode_id varchar,
    purpose varchar, -- hard: to learn from; audit: random, only measured with; relabel: perhaps no failure, not learned
    reason varchar, -- of a relabel: why it may be no failure
    hardness double, -- 0-1: how surely it failed and how unsure the model was
    p_failure double, -- 0-1, of which hardness is made; 0 for an audit in which no signal fired
    confidence double, -- the model's in its answer, null where the log has none
    disagreement double, -- 0-1: between models or samples asked the same, null where nothing compared them
    novelty double, -- 0-1: 1 = first failure of its mode
    represents bigint, -- near-duplicates it stands for
    nearest double, -- 0-1: distance to the nearest one chosen before it, 1 = nothing like it; null unless hard
    rank bigint -- 1 = most worth correcting
);

-- routes: one row per decision who corrects a hard example
-- key: example_id
create table routes (
    day date,
    run_id varchar,
    example_id varchar,
    route varchar, -- human, ai or drop
    reason varchar, -- snake_case, countable
    expected_value double, -- chance that the correction is right and teaches, 0-1
    expected_cost_usd double,
    audit boolean -- sent to people at random, so that everything else can be measured
);

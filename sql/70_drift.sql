-- drift: one row per watched column and day
-- key: day, column_name
create table drift (
    day date,
    run_id varchar,
    column_name varchar,
    statistic varchar,
    value double,
    bound double,
    p_value double,
    p_adjusted double, -- Benjamini-Hochberg over the day's columns
    verdict varchar, -- ok, drift or insufficient
    reference_from date,
    reference_to date,
    reference_count bigint,
    current_count bigint,
    explanation varchar -- what moved, in words
);

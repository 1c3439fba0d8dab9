-- signal_weights: one row per task, signal and day the label model was fitted
-- key: day, task, signal
create table signal_weights (
    day date,
    run_id varchar,
    task varchar, -- a signal that means failure in one task may mean little in another
    signal varchar,
    fired_count bigint,
    sensitivity double, -- P(fires | failure)
    false_positive_rate double, -- P(fires | no failure)
    prevalence double, -- P(failure), the same in all rows of a task
    log_odds_fired double,
    log_odds_silent double
);

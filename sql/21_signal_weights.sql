-- signal_weights: one row per task, signal and day the label model was fitted
-- key: day, task, signal
create table signal_weights (
    day date,
    run_id varchar,
    task varchar, -- a signal that means failure in one task may mean little in another
    signal varchar,
    fired_count bigint,
    looked_count bigint, -- traces it could look at
    mean_strength double, -- where it fired: what is stronger counts more, up to 1.5 times
    sensitivity double, -- P(fires | failure), where it could look
    false_positive_rate double, -- P(fires | no failure), where it could look
    prevalence double, -- P(failure), the same in all rows of a task
    share double, -- of a vote: 1, or less where other signals nearly always fire with it
    log_odds_fired double, -- share * ln(sensitivity / false_positive_rate)
    log_odds_silent double,
    audited_count bigint, -- of the task: traces that people checked
    slope double, -- of the task: calibrated log-odds = intercept + slope * log-odds; 1 and 0 without audits
    intercept double
);

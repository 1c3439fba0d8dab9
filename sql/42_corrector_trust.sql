-- corrector_trust: one row per model corrector and day: how often people agree with it
-- key: day, corrector
create table corrector_trust (
    day date,
    run_id varchar,
    corrector varchar,
    judged_count bigint,
    agreed_count bigint,
    agreement double,
    agreement_low double, -- lower end of Wilson's 95 % interval
    is_trusted boolean -- an unproven corrector's answers do not count
);

with
verdicts as (
    select
        subject as corrector,
        count(*) as judged_count,
        count(*) filter (where verdict = 'agree') as agreed_count
    from known_judgements
    group by subject
),

-- Wilson (1927) with z = 1.96
measured as (
    select
        $day::date as day,
        corrector,
        judged_count,
        agreed_count,
        agreed_count / judged_count as agreement,
        (
            agreed_count / judged_count + 1.9208 / judged_count
            - 1.96 * sqrt(
                agreed_count / judged_count * (1 - agreed_count / judged_count) / judged_count
                + 0.9604 / (judged_count * judged_count)
            )
        ) / (1 + 3.8416 / judged_count) as agreement_low
    from verdicts
),

trusted as (
    select
        *,
        agreement_low >= $min_agreement as is_trusted
    from measured
)

select * from trusted;

-- judge_trust: how far people agreed with each model by each day, and whether its answers count
with
days as (
    select
        subject as corrector,
        day,
        any_value(family) as family,
        count(*) filter (where verdict = 'agree') as agreed_count,
        count(*) filter (where verdict = 'disagree') as disagreed_count,
        count(*) filter (where verdict = 'unparsed') as unparsed_count,
        count(distinct judge) as judge_count
    from judgements
    group by all
),

-- trust is about everything judged up to its day
measured as (
    select
        corrector_trust.day,
        corrector_trust.corrector,
        any_value(days.family) as family,
        corrector_trust.judged_count,
        corrector_trust.agreed_count,
        coalesce(sum(days.disagreed_count), 0)::bigint as disagreed_count,
        coalesce(sum(days.unparsed_count), 0)::bigint as unparsed_count,
        coalesce(sum(days.agreed_count + days.disagreed_count + days.unparsed_count) filter (
            where days.day = corrector_trust.day
        ), 0)::bigint as judged_that_day_count,
        corrector_trust.agreement,
        corrector_trust.agreement_low,
        corrector_trust.is_trusted
    from corrector_trust
    left join days on corrector_trust.corrector = days.corrector and corrector_trust.day >= days.day
    group by all
),

dated as (
    select
        *,
        day = max(day) over (partition by corrector) as is_newest
    from measured
)

select * from dated

-- guardrail_hit: a guardrail objected to the call
-- about: score
-- applies: trace_id in (select feedback.trace_id from feedback where feedback.kind = 'evaluation')
-- prior: fires on 10% of failures, 1% of the rest
select
    trace_id,
    1 - min(value) as strength,
    'guardrail ' || arg_min(name, value) || ' gave ' || round(min(value), 2)
    || coalesce(': ' || left(arg_min(text, value), 80), '') as evidence
from feedback
where
    kind = 'evaluation' and value < 0.5
    and regexp_matches(lower(name), 'guard|moderation|safety|toxic|jailbreak|injection|policy')
group by trace_id

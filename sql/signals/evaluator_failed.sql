-- evaluator_failed: an evaluator or metric scored the answer below a half
-- about: score
-- applies: trace_id in (select feedback.trace_id from feedback where feedback.kind = 'evaluation')
-- prior: fires on 70% of failures, 10% of the rest
select
    trace_id,
    1 - min(value) as strength,
    'evaluator ' || coalesce(arg_min(name, value), '?') || ' gave ' || round(min(value), 2)
    || coalesce(': ' || left(arg_min(text, value), 80), '') as evidence
from feedback
where
    kind = 'evaluation' and value < 0.5
    and not regexp_matches(coalesce(lower(name), ''), 'guard|moderation|safety|toxic|jailbreak|injection|policy')
group by trace_id

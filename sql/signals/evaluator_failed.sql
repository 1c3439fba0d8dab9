-- evaluator_failed: an evaluator or metric found the answer worse than a half
-- about: score
-- applies: trace_id in (select feedback.trace_id from feedback where feedback.kind = 'evaluation')
-- prior: fires on 70% of failures, 10% of the rest
with judged as (
    select
        *,
        memory.main.goodness(name, value) as good
    from feedback
    where kind = 'evaluation'
)

select
    trace_id,
    1 - min(good) as strength,
    'evaluator ' || coalesce(arg_min(name, good), '?') || ' gave ' || round(arg_min(value, good), 2)
    || coalesce(': ' || left(arg_min(text, good), 80), '') as evidence
from judged
where good < 0.5 and not memory.main.is_guardrail(name)
group by trace_id

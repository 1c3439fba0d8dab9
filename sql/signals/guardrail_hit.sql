-- guardrail_hit: a guardrail objected to the call
-- about: score
-- applies: trace_id in (select feedback.trace_id from feedback where feedback.kind = 'evaluation')
-- prior: fires on 10% of failures, 1% of the rest
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
    'guardrail ' || arg_min(name, good) || ' gave ' || round(arg_min(value, good), 2)
    || coalesce(': ' || left(arg_min(text, good), 80), '') as evidence
from judged
where good < 0.5 and memory.main.is_guardrail(name)
group by trace_id
